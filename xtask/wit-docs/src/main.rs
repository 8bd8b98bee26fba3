//! `cargo xtask docs`: writes docs/wit.md.

use std::process::ExitCode;

fn main() -> ExitCode {
    let written = vod_uploader_wit_docs::page().and_then(|page| {
        let file = vod_uploader_wit_docs::page_file();
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(file, page)?)
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("docs/wit.md could not be written: {error:#}");
            ExitCode::FAILURE
        }
    }
}
