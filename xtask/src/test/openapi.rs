//! The suite that checks the worker against `openapi.yaml`, with schemathesis.

use std::process::Command;

use super::context::TestContext;
use super::log::SuiteLog;
use super::python::{self, Environment};
use super::suite_result::SuiteResult;
use crate::command_error::CommandError;

/// Runs `tests/openapi`, which starts its servers itself.
pub(super) fn run(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    let directory = context.workspace.root.join("tests/openapi");
    let environment = context.workspace.target_directory.join("openapi-venv");
    let requirements = directory.join("requirements.txt");
    let python = match python::environment(log, &environment, &requirements)? {
        Environment::Ready(python) => python,
        Environment::Missing(reason) => return Ok(SuiteResult::skipped("openapi", &reason)),
    };
    let mut script = Command::new(python);
    script.arg(directory.join("run.py"));
    context.pass_paths(&mut script)?;
    script.arg("--folder").arg(context.workspace.log_directory().join("openapi"));
    let finished = log.run(&mut script)?;
    Ok(SuiteResult::from_script(&finished.output, finished.success))
}
