//! `cargo xtask conformance`: the suites of `tests/conformance` against any server.

use std::process::ExitCode;

use crate::child::Child;
use crate::command_error::CommandError;
use crate::workspace::Workspace;

pub(crate) const OPTIONS: &str = "tus|ietf --url URL [OPTION]…";

pub(crate) const SUMMARY: &str = "\
Checks every MUST and SHOULD of tus 1.0.0 or of the IETF's resumable uploads against the
server at a URL, which may be any server. `cargo xtask conformance help` lists the options.";

/// Builds the suites and runs one.
///
/// # Errors
/// Returns an error if cargo cannot be started. The exit status reports a server that does not
/// conform.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<ExitCode, CommandError> {
    let mut command = Workspace::find()?.cargo();
    command.args(["run", "--quiet", "--release", "--package", "vod-uploader-conformance", "--"]);
    command.args(arguments.raw_args()?);
    let status = Child::start("cargo", &mut command)?.wait()?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
