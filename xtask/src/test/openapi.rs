//! The suite that holds the worker to `openapi.yaml`, with schemathesis.

use std::process::Command;

use super::context::TestContext;
use super::log::SuiteLog;
use super::outcome::Outcome;
use super::python::{self, Environment};
use crate::failure::Failure;

/// Runs `tests/openapi`, which starts its servers itself.
pub(super) fn run(context: &TestContext, log: &SuiteLog) -> Result<Outcome, Failure> {
    let folder = context.workspace.root.join("tests/openapi");
    let environment = context.workspace.target_folder.join("openapi-venv");
    let requirements = folder.join("requirements.txt");
    let python = match python::environment(log, &environment, &requirements)? {
        Environment::Ready(python) => python,
        Environment::Missing(reason) => return Ok(Outcome::skipped("openapi", &reason)),
    };
    let mut script = Command::new(python);
    script.arg(folder.join("run.py"));
    context.pass_paths(&mut script)?;
    script.arg("--folder").arg(context.workspace.log_folder().join("openapi"));
    let finished = log.run(&mut script)?;
    Ok(Outcome::of_script(&finished.output, finished.success))
}
