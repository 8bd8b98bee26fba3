//! What suites need from npm, PyPI and Debian, installed below `target/` or `node_modules`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::log::SuiteLog;
use crate::command_error::CommandError;
use crate::tool::is_installed;
use crate::workspace::Workspace;

/// Something that a suite needs. Paths are below the root of the checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Download {
    /// The packages of the `package-lock.json` in this directory.
    Npm(&'static str),
    Pypi(Environment),
    /// A browser.
    Chromium,
    /// What cargo itself reads from crates.io.
    CratesIo,
}

/// A Python environment separate from the system's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Environment {
    /// Its directory below the target directory.
    pub(super) directory: &'static str,
    /// The file of the packages that it contains.
    pub(super) requirements: &'static str,
}

impl Download {
    /// Installs it unless it is installed. Returns why this machine cannot, if so.
    ///
    /// # Errors
    /// Returns an error if a package manager fails for another reason than a missing connection.
    pub(super) fn install(
        self,
        workspace: &Workspace,
        log: &SuiteLog,
    ) -> Result<Option<String>, CommandError> {
        // The thread that downloads ahead and a suite may need the same.
        static INSTALLING: Mutex<()> = Mutex::new(());
        let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
        match self {
            Self::Npm(directory) => install_packages(&workspace.root.join(directory), log),
            Self::Pypi(environment) => environment.install(workspace, log),
            Self::Chromium => install_chromium(log),
            Self::CratesIo => Ok(None),
        }
    }
}

impl Environment {
    /// A program of the environment, such as `python`.
    pub(super) fn program(self, workspace: &Workspace, name: &str) -> PathBuf {
        workspace.target_directory.join(self.directory).join("bin").join(name)
    }

    fn install(
        self,
        workspace: &Workspace,
        log: &SuiteLog,
    ) -> Result<Option<String>, CommandError> {
        let Some(system) = ["python3", "python"].into_iter().find(|name| is_installed(name)) else {
            return Ok(Some("python3 is not installed: https://www.python.org".to_owned()));
        };
        let directory = workspace.target_directory.join(self.directory);
        let requirements = workspace.root.join(self.requirements);
        let stamp = Stamp::new(&directory.join("installed.stamp"), &[&requirements])?;
        if stamp.is_set() {
            return Ok(None);
        }
        let mut create = Command::new(system);
        if !log.run(create.args(["-m", "venv", "--clear"]).arg(&directory))?.success {
            let reason = "python3 -m venv does not work: on Debian, apt-get install python3-venv";
            return Ok(Some(reason.to_owned()));
        }
        let mut install = Command::new(self.program(workspace, "python"));
        install.args(["-m", "pip", "install", "--disable-pip-version-check", "--requirement"]);
        let installed = log.run(install.arg(&requirements))?;
        if !installed.success && is_unreachable(&installed.output) {
            return Ok(Some("PyPI cannot be reached".to_owned()));
        }
        if !installed.success {
            return Err(CommandError::new("pip install failed"));
        }
        stamp.set().map(|()| None)
    }
}

fn install_packages(directory: &Path, log: &SuiteLog) -> Result<Option<String>, CommandError> {
    if let Some(missing) = ["node", "npm"].into_iter().find(|program| !is_installed(program)) {
        return Ok(Some(format!("{missing} is not installed: https://nodejs.org")));
    }
    let packages = directory.join("node_modules");
    let stamp = Stamp::new(&packages.join(".stamp"), &[&directory.join("package-lock.json")])?;
    if stamp.is_set() {
        return Ok(None);
    }
    let mut install = Command::new("npm");
    // No package has to be built after it is installed.
    install.args(["ci", "--ignore-scripts"]).current_dir(directory);
    if !log.run(&mut install)?.success {
        return Err(CommandError::new("npm ci failed"));
    }
    stamp.set().map(|()| None)
}

/// Installs Chromium if this is a Debian and this process may do so.
fn install_chromium(log: &SuiteLog) -> Result<Option<String>, CommandError> {
    if chromium().is_some() {
        return Ok(None);
    }
    if !(rustix::process::geteuid().is_root() && is_installed("apt-get")) {
        return Ok(Some("chromium is not installed: apt-get install chromium".to_owned()));
    }
    for arguments in [&["update"][..], &["install", "--yes", "--no-install-recommends", "chromium"]]
    {
        let mut command = Command::new("apt-get");
        command.args(["--quiet", "--quiet"]).args(arguments);
        // No terminal is available to answer questions.
        if !log.run(command.env("DEBIAN_FRONTEND", "noninteractive"))?.success {
            return Ok(Some("apt-get cannot install chromium: see its log".to_owned()));
        }
    }
    Ok(chromium().is_none().then(|| "apt-get installed no chromium".to_owned()))
}

/// The installed browser, by the names that distributions use.
pub(super) fn chromium() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| is_installed(name))
}

/// Whether pip reports that it had no connection.
fn is_unreachable(output: &str) -> bool {
    ["NewConnectionError", "Failed to establish a new connection", "ConnectTimeoutError"]
        .iter()
        .any(|reported| output.contains(reported))
}

/// Records that something was created from these files, such as packages from a lock file.
pub(super) struct Stamp {
    path: PathBuf,
    /// The SHA-256 of the files.
    content: String,
}

impl Stamp {
    /// The record at `path` for `files`.
    pub(super) fn new(path: &Path, files: &[impl AsRef<Path>]) -> Result<Self, CommandError> {
        let mut digest = Sha256::new();
        for file in files {
            let file = file.as_ref();
            let bytes = fs::read(file).map_err(CommandError::file(file, "cannot be read"))?;
            digest.update((bytes.len() as u64).to_le_bytes());
            digest.update(bytes);
        }
        let content = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { path: path.to_owned(), content })
    }

    /// Whether it was created from the current content of the files.
    pub(super) fn is_set(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|content| content == self.content)
    }

    /// Records that it was created.
    pub(super) fn set(&self) -> Result<(), CommandError> {
        fs::write(&self.path, &self.content)
            .map_err(CommandError::file(&self.path, "cannot be written"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn a_stamp_is_valid_until_a_file_changes() {
        let directory = tempfile::tempdir().unwrap();
        let (path, lock) = (directory.path().join("stamp"), directory.path().join("lock"));
        fs::write(&lock, "one").unwrap();
        let stamp = || Stamp::new(&path, &[&lock]).unwrap();
        assert!(!stamp().is_set());
        stamp().set().unwrap();
        assert!(stamp().is_set());
        fs::write(&lock, "two").unwrap();
        assert!(!stamp().is_set());
    }
}
