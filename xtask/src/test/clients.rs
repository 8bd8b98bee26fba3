//! The suites that run other people's clients against the worker.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use super::chromium::{self, Chromium};
use super::context::TestContext;
use super::log::SuiteLog;
use super::npm::{self, Packages};
use super::python::{self, Environment};
use super::suite_result::SuiteResult;
use super::tool::is_installed;
use crate::command_error::CommandError;

/// tus-js-client in Node.js.
pub(super) fn tus_js(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    play(context, log, "tus-js", None)
}

/// tus-js-client, Uppy, FilePond and an HTML form in Chromium.
pub(super) fn browser(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    match chromium::chromium(log)? {
        Chromium::Ready(program) => {
            let program = path_of(program)?;
            play(context, log, "browser", Some(("--chromium", program.as_os_str())))
        }
        Chromium::Missing(reason) => Ok(SuiteResult::skipped("browser", reason)),
    }
}

/// tuspy and tus.py.
pub(super) fn python(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    let environment = context.workspace.target_directory.join("clients-venv");
    let requirements = directory(context).join("requirements.txt");
    match python::environment(log, &environment, &requirements)? {
        Environment::Ready(python) => {
            play(context, log, "python", Some(("--python", python.as_os_str())))
        }
        Environment::Missing(reason) => Ok(SuiteResult::skipped("python", &reason)),
    }
}

/// curl.
pub(super) fn curl(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    if !is_installed("curl") {
        return Ok(SuiteResult::skipped("curl", "curl is not installed: https://curl.se"));
    }
    play(context, log, "curl", None)
}

/// Runs a suite of `tests/clients`, which starts and crashes its servers itself.
fn play(
    context: &TestContext,
    log: &SuiteLog,
    suite: &str,
    option: Option<(&str, &OsStr)>,
) -> Result<SuiteResult, CommandError> {
    let directory = directory(context);
    let notes = context.workspace.log_directory();
    if let Packages::Missing(reason) = npm::packages(log, &directory, &notes.join("clients.stamp"))?
    {
        return Ok(SuiteResult::skipped(suite, &reason));
    }
    let mut script = Command::new("node");
    script.arg("run.mjs").arg(suite).current_dir(&directory);
    context.pass_paths(&mut script)?;
    script.arg("--folder").arg(notes.join(format!("clients-{suite}")));
    if let Some((name, value)) = option {
        script.arg(name).arg(value);
    }
    let finished = log.run(&mut script)?;
    Ok(SuiteResult::from_script(&finished.output, finished.success))
}

fn directory(context: &TestContext) -> PathBuf {
    context.workspace.root.join("tests/clients")
}

/// Where the shell finds a program.
fn path_of(program: &str) -> Result<PathBuf, CommandError> {
    let directories = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&directories)
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
        .ok_or_else(|| CommandError::new(format!("{program} is not in any directory of PATH")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn a_program_is_found_where_the_shell_finds_it() {
        assert!(path_of("sh").unwrap().is_absolute());
        let failure = path_of("no-such-program").unwrap_err().to_string();
        assert!(failure.contains("no-such-program"), "{failure}");
    }
}
