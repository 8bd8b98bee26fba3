//! Environments for Python programs, apart from the machine's own.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::log::SuiteLog;
use super::stamp::Stamp;
use super::tool::is_installed;
use crate::command_error::CommandError;

/// An environment, if it is available.
pub(super) enum Environment {
    /// Its interpreter; everything that is required is installed.
    Ready(PathBuf),
    /// Why it is not available, and what to do.
    Missing(String),
}

/// The environment in `directory`, with the packages of the file `requirements`. It is created if
/// it does not exist or was created from other requirements.
pub(super) fn environment(
    log: &SuiteLog,
    directory: &Path,
    requirements: &Path,
) -> Result<Environment, CommandError> {
    let Some(tool) = ["python3", "python"].into_iter().find(|tool| is_installed(tool)) else {
        let reason = "python3 is not installed: https://www.python.org";
        return Ok(Environment::Missing(reason.to_owned()));
    };
    let python = directory.join("bin/python");
    let done = Stamp::new(&directory.join("installed.stamp"), &[requirements.to_owned()])?;
    if done.is_set() {
        return Ok(Environment::Ready(python));
    }
    let mut create = Command::new(tool);
    if !log.run(create.args(["-m", "venv", "--clear"]).arg(directory))?.success {
        let reason = "python3 -m venv does not work: on Debian, apt-get install python3-venv";
        return Ok(Environment::Missing(reason.to_owned()));
    }
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--disable-pip-version-check", "--requirement"]);
    let installed = log.run(install.arg(requirements))?;
    if !installed.success && is_unreachable(&installed.output) {
        return Ok(Environment::Missing("PyPI cannot be reached".to_owned()));
    }
    if !installed.success {
        return Err(CommandError::new("pip install failed"));
    }
    done.set()?;
    Ok(Environment::Ready(python))
}

/// Whether pip says that it had no connection.
fn is_unreachable(output: &str) -> bool {
    ["NewConnectionError", "Failed to establish a new connection", "ConnectTimeoutError"]
        .iter()
        .any(|said| output.contains(said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_does_not_exist_is_told_from_a_missing_network() {
        let offline = "WARNING: Retrying (Retry(total=4)) after connection broken by \
                       'NewConnectionError: Failed to establish a new connection'";
        assert!(is_unreachable(offline));
        let absent = "ERROR: No matching distribution found for componentize-py==0.0.0";
        assert!(!is_unreachable(absent));
    }
}
