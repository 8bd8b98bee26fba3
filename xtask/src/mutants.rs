//! `cargo xtask mutants`: whether the tests detect changes of the code that acknowledges bytes.
//!
//! cargo-mutants changes one expression at a time and runs the tests. A change that no test detects
//! is a survivor: it needs a test, or a line with a reason in `xtask/mutants/survivors.txt`.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::child::Child;
use crate::command_error::CommandError;
use crate::data_dir;
use crate::report;
use crate::tool::CrateTool;
use crate::workspace::Workspace;

pub(crate) const OPTIONS: &str = "[--file PATH]… [--shard K/N]";

pub(crate) const SUMMARY: &str = "\
Changes src/upload and crates/relay/src/upload, or the files named, one expression at a time, and
fails if the tests of the engine, the relay and the simulator detect no difference. Takes hours.
The first run installs cargo-mutants below target/.";

/// Runs cargo-mutants and compares its survivors with the reviewed ones.
///
/// # Errors
/// Returns an error if cargo-mutants cannot be installed, or the tests fail without a change.
pub(crate) fn run(arguments: lexopt::Parser) -> Result<ExitCode, CommandError> {
    let options = Options::parse(arguments)?;
    let workspace = Workspace::find()?;
    let program = CARGO_MUTANTS.install(&workspace)?;
    let directory = data_dir::open(&workspace.target_directory.join("mutants"))?;
    let mut is_first = true;
    for stage in STAGES {
        let mut mutants = Command::new(&program);
        mutants.args(["mutants", "--workspace", "--no-shuffle", "--minimum-test-timeout", "60"]);
        if !is_first {
            // Only the survivors of the earlier stages.
            mutants.arg("--iterate");
        }
        is_first = false;
        mutants.args(options.files().flat_map(|file| ["--file", file]));
        if let Some(shard) = &options.shard {
            mutants.arg("--shard").arg(shard);
        }
        mutants.args(stage.iter().map(|argument| format!("--cargo-arg={argument}")));
        mutants.arg("--output").arg(&directory).current_dir(&workspace.root);
        // The copy of the sources has a separate target directory. Debug information takes time to
        // write, and a sample of the storms suffices.
        mutants.env_remove("CARGO_TARGET_DIR");
        mutants.env("CARGO_PROFILE_DEV_DEBUG", "0").env("SIM_SEEDS", "100");
        let status = Child::start("cargo-mutants", &mut mutants)?.wait()?;
        if !matches!(status.code(), Some(0 | SOME_MISSED | SOME_TIMED_OUT)) {
            return Err(CommandError::new(format!("cargo-mutants failed ({status}): see above")));
        }
    }

    let read =
        |path: &Path| fs::read_to_string(path).map_err(CommandError::file(path, "cannot be read"));
    let missed = read(&directory.join("mutants.out/missed.txt"))?;
    let reviewed = read(&workspace.root.join(SURVIVORS))?;
    let unreviewed = unreviewed(&missed, &reviewed);
    for mutant in &unreviewed {
        report::line(&format!("survived: {mutant}"));
    }
    if unreviewed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    report::line(&format!(
        "{} survivors: add a test that fails, or a line with the reason to {SURVIVORS}",
        unreviewed.len()
    ));
    Ok(ExitCode::FAILURE)
}

/// The survivors without a line in the reviewed list.
fn unreviewed<'a>(missed: &'a str, reviewed: &str) -> Vec<&'a str> {
    let lines = reviewed.lines().filter_map(|line| line.split_once(REASON));
    let mut known: Vec<String> = lines.map(|(name, _)| name.to_owned()).collect();
    let is_unreviewed = |mutant: &&str| {
        let name = without_position(mutant);
        let found = known.iter().position(|known| *known == name);
        found.map(|found| known.swap_remove(found)).is_none()
    };
    missed.lines().filter(is_unreviewed).collect()
}

/// `src/a.rs:1:2: replace b` without line and column, which other changes of the file move.
fn without_position(mutant: &str) -> String {
    match mutant.splitn(4, ':').collect::<Vec<_>>()[..] {
        [file, _, _, change] => format!("{file}:{change}"),
        _ => mutant.to_owned(),
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    files: Vec<String>,
    shard: Option<String>,
}

impl Options {
    /// The files whose expressions are changed.
    fn files(&self) -> impl Iterator<Item = &str> {
        let default = if self.files.is_empty() { &DEFAULT_FILES[..] } else { &[] };
        default.iter().copied().chain(self.files.iter().map(String::as_str))
    }

    fn parse(mut arguments: lexopt::Parser) -> Result<Self, CommandError> {
        use lexopt::prelude::*;

        let mut options = Self::default();
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("file") => options.files.push(arguments.value()?.string()?),
                Long("shard") => options.shard = Some(arguments.value()?.string()?),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(options)
    }
}

const CARGO_MUTANTS: CrateTool =
    CrateTool { name: "cargo-mutants", version: "27.1.0", options: &[] };

const DEFAULT_FILES: [&str; 2] = ["src/upload/*.rs", "crates/relay/src/upload/*.rs"];

/// The tests that are built and run for each mutant, the fastest ones first: a later stage tests
/// only what survives the earlier ones.
const STAGES: [&[&str]; 3] = [
    &["--package=vod-uploader", "--lib"],
    &["--package=vod-uploader", "--test=upload"],
    &[
        "--release",
        "--package=vod-uploader-relay",
        "--package=vod-uploader-sim",
        "--lib",
        "--test=relay_crash_every_step",
        "--test=relay_fault_every_operation",
        "--test=relay_expiry",
        "--test=relay_seeds",
    ],
];

/// Exit statuses of cargo-mutants (<https://mutants.rs/exit-codes.html>). A mutant that makes the
/// tests run forever is detected, too.
const SOME_MISSED: i32 = 2;
const SOME_TIMED_OUT: i32 = 3;

/// The reviewed survivors, one per line: the mutant, the separator, the reason.
const SURVIVORS: &str = "xtask/mutants/survivors.txt";

const REASON: &str = " -- ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reviewed_survivor_is_matched_without_its_position_and_once_a_line() {
        let missed = "src/a.rs:1:2: replace < with <= in b\nsrc/a.rs:3:4: replace c -> bool with t";
        let reviewed = "# comment\nsrc/a.rs: replace < with <= in b -- equal values are rejected\n";
        assert_eq!(unreviewed(missed, reviewed), ["src/a.rs:3:4: replace c -> bool with t"]);
        let twice = "src/a.rs:1:2: replace < with <= in b\nsrc/a.rs:9:2: replace < with <= in b";
        assert_eq!(unreviewed(twice, reviewed), ["src/a.rs:9:2: replace < with <= in b"]);
    }
}
