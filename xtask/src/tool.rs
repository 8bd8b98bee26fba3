//! Programs that commands run: those of this machine, and those of crates.io.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::child;
use crate::command_error::CommandError;
use crate::report;
use crate::workspace::Workspace;

/// Whether the program is installed and runs.
pub(crate) fn is_installed(program: &str) -> bool {
    let version =
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// A program of crates.io in a fixed version.
pub(crate) struct CrateTool {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// Options of `cargo install`.
    pub(crate) options: &'static [&'static str],
}

impl CrateTool {
    /// Returns the program, which the first call installs below the target directory.
    pub(crate) fn install(&self, workspace: &Workspace) -> Result<PathBuf, CommandError> {
        let directory = workspace.target_directory.join("tools");
        let program = directory.join("bin").join(self.name);
        if !program.is_file() {
            report::progress(&format!("installing {}, which takes some minutes", self.name));
        }
        let mut install = workspace.cargo();
        // Does nothing if this version is installed. An optimized build would take longer than it
        // saves.
        install.args(["install", "--quiet", "--locked", "--profile", "dev"]).args(self.options);
        install.args([self.name, "--version", self.version]).arg("--root").arg(&directory);
        let failure = format!("failed to install {}; see the error above", self.name);
        child::run("cargo", &mut install, &failure)?;
        Ok(program)
    }
}
