//! `cargo xtask mutants`: whether the tests detect changes of the code that acknowledges bytes.
//!
//! A mutant is a change of one expression, by the rules of cargo-mutants. A copy of the workspace
//! is built once with all mutants, and a variable of the environment selects one when the tests
//! run. A mutant that no test detects is a survivor: it needs a test, or a line with a reason in
//! `xtask/mutants/survivors.txt`.

mod build;
mod check;
mod generate;
mod parallel;
mod rewrite;
mod sources;
mod survivors;
mod test_runs;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::ExitCode;

use self::check::Verdict;
use self::generate::Mutant;
use self::survivors::Review;
use crate::command_error::CommandError;
use crate::data_dir;
use crate::report::{self, Table};
use crate::workspace::Workspace;

pub(crate) const OPTIONS: &str = "[--file PATH]… [--shard K/N] [--undetected]";

pub(crate) const SUMMARY: &str = "\
Changes src/upload and crates/relay/src/upload, or the files named, one expression at a time, and
fails if the tests of the engine, the relay and the simulator detect no difference. The first run
installs cargo-mutants below target/. With --undetected, only those that the last run left.";

/// Tests all mutants and compares the survivors with the reviewed ones.
///
/// # Errors
/// Returns an error if the mutants cannot be built, or a test fails without a mutant.
pub(crate) fn run(arguments: lexopt::Parser) -> Result<ExitCode, CommandError> {
    let options = Options::parse(arguments)?;
    let workspace = Workspace::find()?;
    let path = workspace.root.join(survivors::PATH);
    let reviewed =
        fs::read_to_string(&path).map_err(CommandError::file(&path, "cannot be read"))?;
    let mut mutants = generate::list(&workspace, options.files(), options.shard.as_deref())?;
    let directory = data_dir::open(&workspace.target_directory.join("mutants"))?;
    if options.undetected {
        let path = directory.join(check::UNDETECTED);
        let last =
            fs::read_to_string(&path).map_err(CommandError::file(&path, "cannot be read"))?;
        let last: BTreeSet<_> = last.lines().map(survivors::without_position).collect();
        mutants.retain(|mutant| last.contains(&survivors::without_position(&mutant.name)));
    }
    let build = build::build(&workspace, &directory, &mutants)?;
    report::progress("running the tests without a mutant");
    let tests = test_runs::measure(&build.programs, &directory)?;
    let verdicts = check::check(&mutants, &build, &tests, &reviewed, &directory)?;

    let survivors = mutants.iter().zip(&verdicts);
    let survivors = survivors.filter(|(_, verdict)| **verdict == Verdict::Survived);
    // Another part may contain the survivor of a line.
    let files: BTreeSet<&str> = mutants.iter().map(|mutant| mutant.file.as_str()).collect();
    let is_part = options.shard.is_some() || options.undetected;
    let is_checked = |file: &str| !is_part && files.contains(file);
    let review =
        Review::new(survivors.map(|(mutant, _)| mutant.name.as_str()), &reviewed, is_checked);
    for line in table(&mutants, &verdicts).lines() {
        report::line(&line);
    }
    for mutant in &review.unreviewed {
        report::line(&format!("survived: {mutant}"));
    }
    for line in &review.stale {
        report::line(&format!("stale: {line}"));
    }
    if review == Review::default() {
        return Ok(ExitCode::SUCCESS);
    }
    report::line(&format!(
        "{} survivors: add a test that fails, or a line with the reason to {PATH}. {} stale lines: \
         remove them",
        review.unreviewed.len(),
        review.stale.len(),
        PATH = survivors::PATH,
    ));
    Ok(ExitCode::FAILURE)
}

/// The number of mutants of each file by their verdict.
fn table(mutants: &[Mutant], verdicts: &[Verdict]) -> Table {
    let mut files: BTreeMap<&str, Vec<Verdict>> = BTreeMap::new();
    for (mutant, verdict) in mutants.iter().zip(verdicts) {
        files.entry(&mutant.file).or_default().push(*verdict);
    }
    let mut table = Table::default();
    table.row(["", "mutants", "detected", "timed out", "unviable", "survived"]);
    for (file, verdicts) in files.into_iter().chain([("total", verdicts.to_vec())]) {
        let count = |wanted| verdicts.iter().filter(|verdict| **verdict == wanted).count();
        let counts = [
            verdicts.len(),
            count(Verdict::Detected),
            count(Verdict::TimedOut),
            count(Verdict::Unviable),
            count(Verdict::Survived),
        ];
        table.row([file.to_owned()].into_iter().chain(counts.map(|count| count.to_string())));
    }
    table
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    files: Vec<String>,
    shard: Option<String>,
    undetected: bool,
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
                Long("undetected") => options.undetected = true,
                Long("shard") => options.shard = Some(arguments.value()?.string()?),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(options)
    }
}

const DEFAULT_FILES: [&str; 2] = ["src/upload/*.rs", "crates/relay/src/upload/*.rs"];
