//! The test programs of the release profile.
//!
//! One cargo command builds all of them. A command for each package would select other features of
//! shared dependencies, and thus compile wasmtime and others once more.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::child::Child;
use crate::command_error::CommandError;
use crate::report;
use crate::workspace::Workspace;

/// A test program that cargo built.
#[derive(Debug)]
pub(super) struct TestProgram {
    /// The directory of its package.
    pub(super) directory: PathBuf,
    pub(super) path: PathBuf,
}

/// Builds the test programs, and the programs that they start.
pub(super) fn build(workspace: &Workspace) -> Result<Vec<TestProgram>, CommandError> {
    report::progress("building the native programs and their tests");
    let mut command = workspace.cargo();
    command.args(["build", "--bins", "--tests"]).args(SELECTION.split_whitespace());
    command.arg("--message-format=json-render-diagnostics");
    let mut cargo = Child::start("cargo", command.stdout(Stdio::piped()))?;
    let mut messages = String::new();
    if let Some(mut stdout) = cargo.take_stdout() {
        stdout.read_to_string(&mut messages)?;
    }
    if !cargo.wait()?.success() {
        return Err(CommandError::new("the build failed; see cargo's error above"));
    }
    Ok(messages.lines().filter_map(parse).collect())
}

/// Reads a message of cargo. `None` if it does not report a test program.
fn parse(message: &str) -> Option<TestProgram> {
    let message: Value = serde_json::from_str(message).ok()?;
    message["profile"]["test"].as_bool().filter(|is_test| *is_test)?;
    Some(TestProgram {
        directory: Path::new(message["manifest_path"].as_str()?).parent()?.to_owned(),
        path: message["executable"].as_str()?.into(),
    })
}

/// All packages except those that run in a component only, and those whose tests need the checks of
/// the dev profile.
pub(super) const SELECTION: &str = "--release --workspace --exclude vod-uploader \
     --exclude vod-uploader-relay --exclude xtask --exclude vod-uploader-edge \
     --exclude vod-uploader-test-app --exclude upload-from-a-component";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use serde_json::json;

    use super::*;

    #[test]
    fn only_test_programs_are_read_from_the_messages_of_cargo() {
        let message = |is_test: bool, executable: Option<&str>| {
            json!({
                "reason": "compiler-artifact", "manifest_path": "/w/crates/a/Cargo.toml",
                "profile": { "test": is_test }, "executable": executable,
            })
            .to_string()
        };
        let program = parse(&message(true, Some("/t/b-1"))).unwrap();
        assert_eq!(program.directory, Path::new("/w/crates/a"));
        assert_eq!(program.path, Path::new("/t/b-1"));
        assert!(parse(&message(false, Some("/t/b"))).is_none());
        assert!(parse(&message(true, None)).is_none());
        assert!(parse("   Compiling a").is_none());
    }
}
