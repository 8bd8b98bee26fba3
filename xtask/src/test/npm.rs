//! Packages of npm, installed into a directory of the sources as its lock file says.

use std::path::Path;
use std::process::Command;

use super::log::SuiteLog;
use super::stamp::Stamp;
use super::tool::is_installed;
use crate::command_error::CommandError;

/// The packages, if they are available.
pub(super) enum Packages {
    /// They are in `node_modules`.
    Ready,
    /// Why they are not available, and what to do.
    Missing(String),
}

/// The packages of `directory`. They are installed if they are missing, or if `stamp` was set for
/// another lock file.
pub(super) fn packages(
    log: &SuiteLog,
    directory: &Path,
    stamp: &Path,
) -> Result<Packages, CommandError> {
    for tool in ["node", "npm"] {
        if !is_installed(tool) {
            let reason = format!("{tool} is not installed: https://nodejs.org");
            return Ok(Packages::Missing(reason));
        }
    }
    let done = Stamp::new(stamp, &[directory.join("package-lock.json")])?;
    if done.is_set() && directory.join("node_modules").is_dir() {
        return Ok(Packages::Ready);
    }
    let mut install = Command::new("npm");
    // Nothing that is used here has to be built after it is installed.
    install.args(["ci", "--ignore-scripts"]).current_dir(directory);
    if !log.run(&mut install)?.success {
        return Err(CommandError::new("npm ci failed"));
    }
    done.set()?;
    Ok(Packages::Ready)
}
