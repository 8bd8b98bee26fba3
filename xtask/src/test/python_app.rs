//! The suite of the app in Python: built from the .wit files alone, composed, and run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::context::TestContext;
use super::downloads::{Environment, Stamp};
use super::log::SuiteLog;
use super::program_suites;
use super::programs;
use super::suite_result::SuiteResult;
use crate::command_error::CommandError;

/// Builds the app if its sources have changed, and runs its test.
pub(super) fn run(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    let sources = context.workspace.root.join("tests/component/apps/python");
    let directory = context.workspace.target_directory.join("python-app");
    let app = directory.join("app.wasm");
    let wit = context.workspace.root.join("wit");
    let mut files = vec![sources.join("requirements.txt"), sources.join("app.py")];
    for directory in [&wit, &sources.join("wit"), &sources.join("wit/deps")] {
        files.extend(wit_files(directory)?);
    }
    let stamp = Stamp::new(&directory.join("app.stamp"), &files)?;
    if !(stamp.is_set() && app.is_file()) {
        let mut build = Command::new(PYTHON.program(&context.workspace, "componentize-py"));
        build.arg("--wit-path").arg(&wit).arg("--wit-path").arg(sources.join("wit"));
        build.args(["--world", "vod:python-app/app", "componentize", "app", "--output"]).arg(&app);
        build.current_dir(&sources);
        if !log.run(&mut build)?.success {
            return Err(CommandError::new("componentize-py failed"));
        }
        stamp.set()?;
    }
    let mut test = context.workspace.cargo();
    test.arg("test").args(programs::SELECTION.split_whitespace()).args(["--test", "python"]);
    program_suites::set_paths(test.env("VOD_PYTHON_APP_WASM", app), context);
    let finished = log.run(&mut test)?;
    Ok(SuiteResult::from_cargo_test(&finished.output, finished.success))
}

/// The .wit files of a directory, in a fixed order.
fn wit_files(directory: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let entries =
        fs::read_dir(directory).map_err(CommandError::file(directory, "cannot be read"))?;
    let files = entries.flatten().map(|entry| entry.path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "wit")).collect();
    files.sort();
    Ok(files)
}

pub(super) const PYTHON: Environment = Environment {
    directory: "python-app/venv",
    requirements: "tests/component/apps/python/requirements.txt",
};
