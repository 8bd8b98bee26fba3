//! `compose APP.wasm UPLOADER.wasm OUT.wasm`: implements `cargo xtask compose`.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

fn main() -> ExitCode {
    match compose() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compose: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn compose() -> Result<()> {
    let paths: Vec<_> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [app, uploader, out] = &paths[..] else {
        bail!("usage: compose APP.wasm UPLOADER.wasm OUT.wasm");
    };
    let composed = vod_uploader_compose::plugged(app, uploader)?;
    fs::write(out, composed).with_context(|| format!("{} cannot be written", out.display()))
}
