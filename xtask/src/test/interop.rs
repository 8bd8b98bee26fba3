//! The suites that run the vendor's own clients against the sandbox.

use std::process::Command;

use super::context::TestContext;
use super::log::SuiteLog;
use super::npm::{self, Packages};
use super::python::{self, Environment};
use super::suite_result::SuiteResult;
use crate::command_error::CommandError;
use crate::data_dir;
use crate::ports::ANY_PORT;
use crate::server::{self, Bodies, Log, Server};

/// The vendor's client for Node.js.
pub(super) fn npm(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    let directory = context.workspace.root.join("tests/interop/node");
    let stamp = context.workspace.log_directory().join("npm.stamp");
    if let Packages::Missing(reason) = npm::packages(log, &directory, &stamp)? {
        return Ok(SuiteResult::skipped("clients-npm", &reason));
    }
    let sandbox = start_sandbox(context, "npm")?;
    let mut script = Command::new("node");
    script.arg("oss_node.mjs").arg("--sandbox").arg(&sandbox.origin).current_dir(&directory);
    let finished = log.run(&mut script)?;
    Ok(SuiteResult::from_script(&finished.output, finished.success))
}

/// The vendor's clients for Python, in a separate environment.
pub(super) fn pypi(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    let directory = context.workspace.root.join("tests/interop/python");
    let environment = context.workspace.target_directory.join("interop-venv");
    let python = python::environment(log, &environment, &directory.join("requirements.txt"))?;
    let python = match python {
        Environment::Ready(python) => python,
        Environment::Missing(reason) => return Ok(SuiteResult::skipped("clients-pypi", &reason)),
    };
    let sandbox = start_sandbox(context, "pypi")?;
    let mut script = Command::new(python);
    script.arg("oss_python.py").arg("--sandbox").arg(&sandbox.origin).current_dir(&directory);
    // Its caches do not belong into the sources.
    let finished = log.run(script.env("PYTHONDONTWRITEBYTECODE", "1"))?;
    Ok(SuiteResult::from_script(&finished.output, finished.success))
}

/// A sandbox on a free port that nothing else uses.
fn start_sandbox(context: &TestContext, name: &str) -> Result<Server, CommandError> {
    let built = context.built()?;
    let directory = context.workspace.log_directory().join(format!("{name}-sandbox"));
    let data = data_dir::open_empty(&directory)?;
    server::start_sandbox(built, ANY_PORT, &data, Bodies::Keep, Log::File(&data.join("log")))
}
