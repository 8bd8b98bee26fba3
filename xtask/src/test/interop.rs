//! The suites that run the vendor's own clients against the sandbox.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest as _, Sha256};

use super::Stage;
use super::log::SuiteLog;
use super::outcome::Outcome;
use crate::data_folder;
use crate::failure::Failure;
use crate::ports::ANY_PORT;
use crate::server::{self, Bodies, Log, Server};

/// The vendor's client for Node.js.
pub(super) fn npm(stage: &Stage, log: &SuiteLog) -> Result<Outcome, Failure> {
    for (tool, from) in [("node", "https://nodejs.org"), ("npm", "https://nodejs.org")] {
        if !is_installed(tool) {
            return Ok(missing("clients-npm", tool, from));
        }
    }
    let folder = stage.workspace.root.join("tests/interop/node");
    let done = Stamp::new(
        &stage.workspace.log_folder().join("npm.stamp"),
        &folder.join("package-lock.json"),
    )?;
    if !(done.is_set() && folder.join("node_modules").is_dir()) {
        let mut install = Command::new("npm");
        if !log.run(install.arg("ci").current_dir(&folder))?.success {
            return Err(Failure::new("npm ci failed"));
        }
        done.set()?;
    }
    let sandbox = start_sandbox(stage, "npm")?;
    let mut script = Command::new("node");
    script.arg("oss_node.mjs").arg("--sandbox").arg(&sandbox.origin).current_dir(&folder);
    let finished = log.run(&mut script)?;
    Ok(Outcome::of_script(&finished.output, finished.success))
}

/// The vendor's clients for Python, in an environment of their own.
pub(super) fn pypi(stage: &Stage, log: &SuiteLog) -> Result<Outcome, Failure> {
    let Some(python) = ["python3", "python"].into_iter().find(|tool| is_installed(tool)) else {
        return Ok(missing("clients-pypi", "python3", "https://www.python.org"));
    };
    let folder = stage.workspace.root.join("tests/interop/python");
    let requirements = folder.join("requirements.txt");
    let environment = stage.workspace.target_folder.join("interop-venv");
    let done = Stamp::new(&environment.join("installed.stamp"), &requirements)?;
    if !done.is_set() {
        let mut create = Command::new(python);
        if !log.run(create.args(["-m", "venv", "--clear"]).arg(&environment))?.success {
            let reason = "python3 -m venv does not work: on Debian, apt-get install python3-venv";
            return Ok(Outcome::skipped("clients-pypi", reason));
        }
        let mut install = Command::new(environment.join("bin/python"));
        install.args(["-m", "pip", "install", "--disable-pip-version-check", "--requirement"]);
        if !log.run(install.arg(&requirements))?.success {
            return Err(Failure::new("pip install failed"));
        }
        done.set()?;
    }
    let sandbox = start_sandbox(stage, "pypi")?;
    let mut script = Command::new(environment.join("bin/python"));
    script.arg("oss_python.py").arg("--sandbox").arg(&sandbox.origin).current_dir(&folder);
    // Its caches do not belong into the sources.
    let finished = log.run(script.env("PYTHONDONTWRITEBYTECODE", "1"))?;
    Ok(Outcome::of_script(&finished.output, finished.success))
}

/// A sandbox on a free port that nothing else uses.
fn start_sandbox(stage: &Stage, name: &str) -> Result<Server, Failure> {
    let built = stage.built.as_ref().ok_or_else(|| Failure::new("the sandbox was not built"))?;
    let folder = stage.workspace.log_folder().join(format!("{name}-sandbox"));
    let data = data_folder::open_empty(&folder)?;
    server::start_sandbox(built, ANY_PORT, &data, Bodies::Keep, Log::File(&data.join("log")))
}

fn is_installed(tool: &str) -> bool {
    let version =
        Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

fn missing(what: &str, tool: &str, from: &str) -> Outcome {
    Outcome::skipped(what, &format!("{tool} is not installed: {from}"))
}

/// A note that the packages of a lock file are installed.
struct Stamp {
    path: PathBuf,
    /// The SHA-256 of the lock file.
    content: String,
}

impl Stamp {
    fn new(path: &Path, lock_file: &Path) -> Result<Self, Failure> {
        let bytes = fs::read(lock_file).map_err(|cause| {
            Failure::new(format!("{}: cannot be read ({cause})", lock_file.display()))
        })?;
        let content = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { path: path.to_owned(), content })
    }

    fn is_set(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|content| content == self.content)
    }

    fn set(&self) -> Result<(), Failure> {
        fs::write(&self.path, &self.content).map_err(|cause| {
            Failure::new(format!("{}: cannot be written ({cause})", self.path.display()))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn a_stamp_holds_until_the_lock_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (stamp, lock) = (folder.path().join("stamp"), folder.path().join("lock"));
        fs::write(&lock, "one").unwrap();
        let first = Stamp::new(&stamp, &lock).unwrap();
        assert!(!first.is_set());
        first.set().unwrap();
        assert!(Stamp::new(&stamp, &lock).unwrap().is_set());
        fs::write(&lock, "two").unwrap();
        assert!(!Stamp::new(&stamp, &lock).unwrap().is_set());
    }
}
