//! Packages of npm, installed into a folder of the sources as its lock file says.

use std::path::Path;
use std::process::Command;

use super::log::SuiteLog;
use super::stamp::Stamp;
use super::tool::is_installed;
use crate::failure::Failure;

/// What there is of the packages.
pub(super) enum Packages {
    /// They are in `node_modules`.
    Ready,
    /// They cannot be had on this machine: why, and what to do.
    Missing(String),
}

/// The packages of `folder`. They are installed where they are not there, or where `stamp` says
/// that they were installed from another lock file.
pub(super) fn packages(log: &SuiteLog, folder: &Path, stamp: &Path) -> Result<Packages, Failure> {
    for tool in ["node", "npm"] {
        if !is_installed(tool) {
            let reason = format!("{tool} is not installed: https://nodejs.org");
            return Ok(Packages::Missing(reason));
        }
    }
    let done = Stamp::new(stamp, &[folder.join("package-lock.json")])?;
    if done.is_set() && folder.join("node_modules").is_dir() {
        return Ok(Packages::Ready);
    }
    let mut install = Command::new("npm");
    // Nothing that is used here has to be built after it is installed.
    install.args(["ci", "--ignore-scripts"]).current_dir(folder);
    if !log.run(&mut install)?.success {
        return Err(Failure::new("npm ci failed"));
    }
    done.set()?;
    Ok(Packages::Ready)
}
