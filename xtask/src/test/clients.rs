//! The suites that run unmodified clients: of OSS and VOD against the sandbox, of the upload
//! protocols against the worker.

use std::path::{Path, PathBuf};

use super::context::TestContext;
use super::downloads::{self, Download, Environment};
use super::log::SuiteLog;
use super::suite_result::SuiteResult;
use crate::command_error::CommandError;
use crate::data_dir;
use crate::ports::ANY_PORT;
use crate::server::{self, Bodies, Log, Server};
use crate::tool::is_installed;

/// ali-oss for Node.js.
pub(super) fn npm(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    let sandbox = start_sandbox(context, "npm")?;
    let mut script = context.script("node", "tests/interop/node");
    script.arg("oss_node.mjs").arg("--sandbox").arg(&sandbox.origin);
    log.run_script(&mut script)
}

/// The clients of Alibaba Cloud for Python.
pub(super) fn pypi(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    let sandbox = start_sandbox(context, "pypi")?;
    let python = INTEROP_PYTHON.program(&context.workspace, "python");
    let mut script = context.script(python, "tests/interop/python");
    script.arg("oss_python.py").arg("--sandbox").arg(&sandbox.origin);
    log.run_script(&mut script)
}

/// A sandbox for one suite.
fn start_sandbox(context: &TestContext, name: &str) -> Result<Server, CommandError> {
    let directory = context.workspace.log_directory().join(format!("{name}-sandbox"));
    let (data, built) = (data_dir::open_empty(&directory)?, context.built()?);
    server::start_sandbox(built, ANY_PORT, &data, Bodies::Keep, Log::File(&data.join("log")))
}

/// tus-js-client in Node.js.
pub(super) fn tus_js(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    run(context, log, "tus-js", None)
}

/// tus-js-client, Uppy, FilePond and an HTML form in Chromium.
pub(super) fn browser(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    let program = downloads::chromium().and_then(path_of);
    let program = program.ok_or_else(|| CommandError::new("chromium is not in PATH"))?;
    run(context, log, "browser", Some(("--chromium", &program)))
}

/// tuspy and tus.py.
pub(super) fn python(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    let python = CLIENTS_PYTHON.program(&context.workspace, "python");
    run(context, log, "python", Some(("--python", &python)))
}

/// curl.
pub(super) fn curl(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    if !is_installed("curl") {
        return Ok(SuiteResult::skipped("curl", "curl is not installed: https://curl.se"));
    }
    run(context, log, "curl", None)
}

/// Runs a suite of `tests/clients`, which starts and crashes its servers itself.
fn run(
    context: &TestContext,
    log: &SuiteLog,
    suite: &str,
    option: Option<(&str, &Path)>,
) -> Result<SuiteResult, CommandError> {
    let mut script = context.script("node", CLIENTS);
    script.arg("run.mjs").arg(suite);
    context.pass_paths(&mut script, &format!("clients-{suite}"))?;
    if let Some((name, value)) = option {
        script.arg(name).arg(value);
    }
    log.run_script(&mut script)
}

/// schemathesis, which compares the worker with `openapi.yaml`.
pub(super) fn openapi(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    let python = OPENAPI_PYTHON.program(&context.workspace, "python");
    let mut script = context.script(python, "tests/openapi");
    context.pass_paths(script.arg("run.py"), "openapi")?;
    log.run_script(&mut script)
}

/// The file that the shell runs for a program.
fn path_of(program: &str) -> Option<PathBuf> {
    let directories = std::env::var_os("PATH")?;
    let mut paths = std::env::split_paths(&directories).map(|directory| directory.join(program));
    paths.find(|path| path.is_file())
}

const CLIENTS: &str = "tests/clients";

pub(super) const CLIENTS_NPM: Download = Download::Npm(CLIENTS);

pub(super) const INTEROP_NPM: Download = Download::Npm("tests/interop/node");

pub(super) const CLIENTS_PYTHON: Environment =
    Environment { directory: "clients-venv", requirements: "tests/clients/requirements.txt" };

pub(super) const INTEROP_PYTHON: Environment = Environment {
    directory: "interop-venv",
    requirements: "tests/interop/python/requirements.txt",
};

pub(super) const OPENAPI_PYTHON: Environment =
    Environment { directory: "openapi-venv", requirements: "tests/openapi/requirements.txt" };
