//! What suites work on.

use std::process::Command;

use crate::command_error::CommandError;
use crate::components::Built;
use crate::workspace::Workspace;

/// The checkout, and what was built from it.
pub(super) struct TestContext {
    pub(super) workspace: Workspace,
    /// `None` if the build failed or no suite needs it.
    pub(super) built: Option<Built>,
}

impl TestContext {
    /// What was built.
    pub(super) fn built(&self) -> Result<&Built, CommandError> {
        self.built.as_ref().ok_or_else(|| CommandError::new("the worker was not built"))
    }

    /// Adds the options by which scripts find what was built. Python keeps its caches out of the
    /// sources.
    pub(super) fn pass_paths(&self, script: &mut Command) -> Result<(), CommandError> {
        let built = self.built()?;
        script.arg("--sandbox").arg(&built.sandbox).arg("--devhost").arg(&built.devhost);
        script.arg("--manifest").arg(&built.manifest).env("PYTHONDONTWRITEBYTECODE", "1");
        Ok(())
    }
}
