//! Builds the test programs of the copy, without the mutants that do not compile.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::generate::Mutant;
use super::sources::Sources;
use crate::child::Child;
use crate::command_error::CommandError;
use crate::report;
use crate::workspace::Workspace;

/// What was built.
#[derive(Debug)]
pub(super) struct Build {
    pub(super) sources: Sources,
    pub(super) programs: Vec<Program>,
    /// The mutants that do not compile.
    pub(super) unviable: BTreeSet<usize>,
}

/// A test program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    /// The directory of its package, where cargo runs it.
    pub(super) directory: PathBuf,
}

/// Builds all mutants below `directory`.
pub(super) fn build(
    workspace: &Workspace,
    directory: &Path,
    mutants: &[Mutant],
) -> Result<Build, CommandError> {
    let mut unviable = BTreeSet::new();
    loop {
        let sources = Sources::write(workspace, &directory.join("sources"), mutants, &unviable)?;
        report::progress(&format!("building {} mutants", mutants.len() - unviable.len()));
        let mut cargo = workspace.cargo();
        cargo.current_dir(&sources.root).args(["test", "--quiet", "--no-run"]);
        cargo
            .args(TESTS)
            .arg("--message-format=json")
            .arg("--target-dir")
            .arg(directory.join("target"));
        cargo.env("RUSTFLAGS", "--cap-lints=warn").env("CARGO_INCREMENTAL", "0");
        cargo.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1").env("CARGO_PROFILE_DEV_DEBUG", "0");
        let path = directory.join("messages.json");
        let unusable = CommandError::file(&path, "cannot be used");
        cargo.stdout(File::create(&path).map_err(&unusable)?);
        Child::start("cargo", &mut cargo)?.wait()?;
        let lines = fs::read_to_string(&path).map_err(&unusable)?;
        let messages: Vec<Value> =
            lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        if messages.iter().any(|message| message["success"] == true) {
            let programs = messages.iter().filter_map(program).collect();
            return Ok(Build { sources, programs, unviable });
        }
        let found: BTreeSet<usize> =
            messages.iter().filter_map(|message| failed_mutant(message, &sources)).collect();
        if found.is_empty() {
            let errors = messages.iter().filter(|message| message["message"]["level"] == "error");
            let errors: Vec<_> =
                errors.filter_map(|error| error["message"]["rendered"].as_str()).collect();
            return Err(CommandError::new(format!("no mutant was built:\n{}", errors.join("\n"))));
        }
        unviable.extend(found);
    }
}

/// The mutant that an error message of the compiler is about.
fn failed_mutant(message: &Value, sources: &Sources) -> Option<usize> {
    let message = &message["message"];
    if message["level"] != "error" {
        return None;
    }
    message["spans"].as_array()?.iter().find_map(|span| {
        let line = usize::try_from(span["line_start"].as_u64()?).ok()?;
        sources.mutant_at(span["file_name"].as_str()?, line)
    })
}

/// The test program that a message of cargo is about.
fn program(message: &Value) -> Option<Program> {
    let path = message["executable"].as_str()?;
    let directory = Path::new(message["manifest_path"].as_str()?).parent()?;
    Some(Program { path: path.into(), directory: directory.into() })
}

const TESTS: [&str; 13] = [
    "--package=vod-uploader",
    "--package=vod-uploader-relay",
    "--package=vod-uploader-sim",
    "--lib",
    "--test=http",
    "--test=found",
    "--test=upload",
    "--test=queue",
    "--test=relay_crash_every_step",
    "--test=relay_fault_every_operation",
    "--test=relay_expiry",
    "--test=relay_liveness",
    "--test=relay_seeds",
];
