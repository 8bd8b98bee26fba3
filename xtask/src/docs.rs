//! `cargo xtask docs`: writes the page of the WIT package from the .wit files.

use std::process::ExitCode;

use crate::child::Child;
use crate::failure::Failure;
use crate::report;
use crate::workspace::Workspace;

pub(crate) const OPTIONS: &str = "";

pub(crate) const SUMMARY: &str = "Writes docs/wit.md from the files in wit/.";

/// Writes the page.
///
/// # Errors
/// The .wit files cannot be read, or the page cannot be written: what failed has said why.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<ExitCode, Failure> {
    if let Some(argument) = arguments.next()? {
        return Err(argument.unexpected().into());
    }
    let mut command = Workspace::find()?.cargo();
    command.args(["run", "--quiet", "--package", "vod-uploader-wit-docs"]);
    if !Child::start("cargo", &mut command)?.wait()?.success() {
        return Err(Failure::new("docs/wit.md was not written: the reason is above"));
    }
    report::line("docs/wit.md is written");
    Ok(ExitCode::SUCCESS)
}
