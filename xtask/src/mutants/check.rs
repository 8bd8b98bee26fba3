//! Runs the tests with each mutant.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::build::Build;
use super::generate::Mutant;
use super::parallel;
use super::survivors::Review;
use super::test_runs::{self, Outcome, Test};
use crate::command_error::CommandError;
use crate::report;

/// The result of a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A test fails.
    Detected,
    /// A test does not end.
    TimedOut,
    /// It does not compile.
    Unviable,
    /// No test fails.
    Survived,
}

/// Returns the verdict of each mutant. In `directory`, `verdicts.txt` receives each verdict as soon
/// as it is known, and `undetected.txt` lists those that are neither detected yet nor in
/// `reviewed`.
pub(super) fn check(
    mutants: &[Mutant],
    build: &Build,
    tests: &[Test],
    reviewed: &str,
    directory: &Path,
) -> Result<Vec<Verdict>, CommandError> {
    // A public constant is in no function of the build, because its uses are in other files.
    let mut verdicts = vec![Verdict::Survived; mutants.len()];
    for number in &build.unviable {
        verdicts[*number] = Verdict::Unviable;
    }
    let functions = build.sources.functions.iter();
    let mut pending: Vec<(usize, usize)> = functions
        .flat_map(|(function, numbers)| numbers.iter().map(|number| (*number, *function)))
        .collect();
    let path = directory.join("verdicts.txt");
    let unusable = CommandError::file(&path, "not written");
    let known = Mutex::new(File::create(&path).map_err(&unusable)?);
    // Most mutants are detected by a short test.
    for (durations, what) in
        [(Duration::ZERO..MEDIUM, "short"), (MEDIUM..LONG, "medium"), (LONG..Duration::MAX, "long")]
    {
        report::progress(&format!("{} mutants, {what} tests", pending.len()));
        let done = AtomicUsize::new(0);
        let checked = parallel::map(&pending, |_, (number, function)| -> Result<_, CommandError> {
            let mut runs = test_runs::runs(tests, *function);
            runs.retain(|run| durations.contains(&test_runs::duration(run)));
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            if done.is_multiple_of(100) {
                report::progress(&format!("{done} of {}", pending.len()));
            }
            let verdict = check_one(*number, &runs)?;
            let line = format!("{what} {verdict:?} {}\n", mutants[*number].name);
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            known.write_all(line.as_bytes()).map_err(&unusable)?;
            Ok(verdict)
        });
        for ((number, _), verdict) in pending.iter().zip(checked) {
            verdicts[*number] = verdict?;
        }
        pending.retain(|(number, _)| verdicts[*number] == Verdict::Survived);
        // Longer tests take minutes, so reviewed mutants are not tested with them.
        let names = pending.iter().map(|(number, _)| mutants[*number].name.as_str());
        let unreviewed = Review::new(names, reviewed, |_| false).unreviewed;
        let path = directory.join(UNDETECTED);
        fs::write(&path, unreviewed.join("\n"))
            .map_err(CommandError::file(&path, "not written"))?;
        pending.retain(|(number, _)| unreviewed.contains(&&*mutants[*number].name));
    }
    Ok(verdicts)
}

fn check_one(mutant: usize, runs: &[Vec<&Test>]) -> Result<Verdict, CommandError> {
    for run in runs {
        match test_runs::run_with(mutant, run)? {
            Outcome::Passed => {}
            Outcome::Failed => return Ok(Verdict::Detected),
            Outcome::TimedOut => return Ok(Verdict::TimedOut),
        }
    }
    Ok(Verdict::Survived)
}

/// The file with the names of the mutants that are not detected.
pub(super) const UNDETECTED: &str = "undetected.txt";

/// The durations from which a run is of medium length and long.
const MEDIUM: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(10);
