//! Programs of this machine.

use std::process::{Command, Stdio};

/// Whether the tool is installed and runs.
pub(super) fn is_installed(tool: &str) -> bool {
    let version =
        Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}
