//! The log of a suite.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::suite_result::SuiteResult;
use crate::child::Child;
use crate::command_error::CommandError;

/// A file with the output of a suite's commands.
#[derive(Debug)]
pub(super) struct SuiteLog {
    path: PathBuf,
}

/// The result of a command.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) success: bool,
    /// Its standard output and standard error.
    pub(super) output: String,
}

impl SuiteLog {
    /// Creates the log of a suite, empty.
    pub(super) fn create(directory: &Path, suite: &str) -> Result<Self, CommandError> {
        let path = directory.join(format!("{suite}.log"));
        let log = Self { path };
        fs::create_dir_all(directory)
            .and_then(|()| File::create(&log.path))
            .map(|_| log)
            .map_err(CommandError::file(directory, "no log there"))
    }

    /// Runs a command to its end and appends its output to the log.
    pub(super) fn run(&self, command: &mut Command) -> Result<Finished, CommandError> {
        self.note(&format!("$ {}", shown(command)))?;
        let from = self.text()?.len();
        let (stdout, stderr) =
            self.append().and_then(|file| Ok((file.try_clone()?, file))).map_err(self.failure())?;
        let status = Child::start("a suite", command.stdout(stdout).stderr(stderr))?.wait()?;
        let output = self.text()?.get(from..).unwrap_or_default().to_owned();
        Ok(Finished { success: status.success(), output })
    }

    /// Runs a script that prints its counts in the last line.
    pub(super) fn run_script(&self, command: &mut Command) -> Result<SuiteResult, CommandError> {
        let finished = self.run(command)?;
        Ok(SuiteResult::from_script(&finished.output, finished.success))
    }

    /// Adds a line.
    pub(super) fn note(&self, line: &str) -> Result<(), CommandError> {
        self.append().and_then(|mut file| writeln!(file, "{line}")).map_err(self.failure())
    }

    /// The complete log.
    pub(super) fn text(&self) -> Result<String, CommandError> {
        let bytes = fs::read(&self.path).map_err(self.failure())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn append(&self) -> io::Result<File> {
        File::options().append(true).open(&self.path)
    }

    fn failure(&self) -> impl Fn(io::Error) -> CommandError {
        CommandError::file(&self.path, "cannot be used")
    }
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let mut text = program.to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn the_output_of_each_command_is_separate_and_the_log_has_all() {
        let directory = tempfile::tempdir().unwrap();
        let log = SuiteLog::create(directory.path(), "suite").unwrap();
        let sh = |script| log.run(Command::new("sh").args(["-c", script])).unwrap();
        let first = sh("echo one; echo two >&2");
        assert!(first.success);
        assert_eq!(first.output, "one\ntwo\n");
        let second = sh("echo three; exit 1");
        assert!(!second.success);
        assert_eq!(second.output, "three\n");
        let text = log.text().unwrap();
        assert!(text.starts_with("$ sh -c echo one") && text.ends_with("three\n"), "{text}");
    }
}
