//! The input of the suites.

use std::ffi::OsStr;
use std::process::Command;

use super::programs::TestProgram;
use crate::command_error::CommandError;
use crate::components::Built;
use crate::data_dir;
use crate::workspace::Workspace;

/// The checkout, and what was built from it.
pub(super) struct TestContext {
    pub(super) workspace: Workspace,
    /// `None` if the build failed or no suite needs the components.
    pub(super) built: Option<Built>,
    /// The test programs of the release profile. `None` if the build failed or no suite needs them.
    pub(super) programs: Option<Vec<TestProgram>>,
}

impl TestContext {
    /// What was built.
    pub(super) fn built(&self) -> Result<&Built, CommandError> {
        self.built.as_ref().ok_or_else(|| CommandError::new("the worker was not built"))
    }

    /// A command in a directory of the sources. Python keeps its caches out of them.
    pub(super) fn script(&self, program: impl AsRef<OsStr>, directory: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.workspace.root.join(directory));
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// Adds the options by which scripts find what was built, and a directory for their files.
    pub(super) fn pass_paths(&self, script: &mut Command, name: &str) -> Result<(), CommandError> {
        let built = self.built()?;
        script.arg("--sandbox").arg(&built.sandbox).arg("--devhost").arg(&built.devhost);
        script.arg("--manifest").arg(&built.manifest);
        script.arg("--data").arg(data_dir::open(&self.workspace.log_directory().join(name))?);
        Ok(())
    }
}
