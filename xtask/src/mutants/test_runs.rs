//! The tests of the built programs: how long each takes, and which mutated functions it reaches.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::build::Program;
use super::parallel;
use crate::child::Child;
use crate::command_error::CommandError;

/// A test of a program.
#[derive(Debug, Clone)]
pub(super) struct Test {
    pub(super) program: Program,
    pub(super) name: String,
    /// The duration without a mutant.
    pub(super) duration: Duration,
    /// The numbers of the mutated functions that it reaches.
    reached: BTreeSet<usize>,
}

/// The end of a test program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed,
    Failed,
    TimedOut,
}

/// Runs each test once without a mutant.
///
/// # Errors
/// Returns an error if one fails.
pub(super) fn measure(programs: &[Program], directory: &Path) -> Result<Vec<Test>, CommandError> {
    let mut names = Vec::new();
    for program in programs {
        let mut list = Command::new(&program.path);
        let output = list.arg("--list").current_dir(&program.directory).output()?;
        let output = String::from_utf8_lossy(&output.stdout).into_owned();
        let tests = output.lines().filter_map(|line| line.strip_suffix(": test"));
        let tests = tests.filter(|name| !name.contains(EXPECTS_PANICS));
        names.extend(tests.map(|name| (program, name.to_owned())));
    }
    let tests = parallel::map(&names, |index, (program, name)| {
        let trace = directory.join(format!("trace-{index}"));
        measure_one(program, name, trace)
    });
    tests.into_iter().collect()
}

fn measure_one(program: &Program, name: &str, trace: PathBuf) -> Result<Test, CommandError> {
    // Left by a run that was stopped.
    let _ = fs::remove_file(&trace);
    let started = Instant::now();
    let variable = ("MUTANT_TRACE", trace.as_os_str());
    if run(program, &[name], variable, Duration::from_secs(600))? != Outcome::Passed {
        return Err(CommandError::new(format!("{name} fails without a mutant")));
    }
    let duration = started.elapsed();
    // A test that reaches no mutated function creates no file.
    let reached = fs::read_to_string(&trace).unwrap_or_default();
    let reached = reached.lines().filter_map(|line| line.parse().ok()).collect();
    let _ = fs::remove_file(&trace);
    Ok(Test { program: program.clone(), name: name.to_owned(), duration, reached })
}

/// The tests that reach a function, as few runs: short tests of a program are one run, and each
/// long test is another. The engine's own tests are first, and then the fastest ones.
pub(super) fn runs(tests: &[Test], function: usize) -> Vec<Vec<&Test>> {
    let mut runs: Vec<Vec<&Test>> = Vec::new();
    for test in tests.iter().filter(|test| test.reached.contains(&function)) {
        let is_same = |run: &&mut Vec<&Test>| {
            let duration: Duration = run.iter().map(|other| other.duration).sum();
            run[0].program == test.program && duration + test.duration < SHORT
        };
        match runs.iter_mut().find(is_same) {
            Some(run) => run.push(test),
            None => runs.push(vec![test]),
        }
    }
    runs.sort_by_key(|run| {
        let is_simulation = run[0].program.directory.ends_with("crates/sim");
        (is_simulation, duration(run))
    });
    runs
}

/// The duration of a run without a mutant.
pub(super) fn duration(run: &[&Test]) -> Duration {
    run.iter().map(|test| test.duration).sum()
}

/// Runs tests of a program with a mutant.
pub(super) fn run_with(mutant: usize, run_of: &[&Test]) -> Result<Outcome, CommandError> {
    let names: Vec<&str> = run_of.iter().map(|test| test.name.as_str()).collect();
    let limit = LIMIT_MIN.max(duration(run_of) * LIMIT_FACTOR);
    run(&run_of[0].program, &names, ("MUTANT", mutant.to_string().as_ref()), limit)
}

fn run(
    program: &Program,
    tests: &[&str],
    (variable, value): (&str, &std::ffi::OsStr),
    limit: Duration,
) -> Result<Outcome, CommandError> {
    let mut command = Command::new("sh");
    command.args(["-c", LIMITED]).arg(&program.path).arg("--exact").args(tests);
    command.current_dir(&program.directory).stdout(Stdio::null()).stderr(Stdio::null());
    // A sample of the storms suffices, and property tests use the same cases in every run.
    command.env("SIM_SEEDS", "100").env("PROPTEST_RNG_SEED", "20260101");
    command.env("RUST_TEST_THREADS", "1").env(variable, value);
    let child = Child::start("a test program", &mut command)?;
    let deadline = Instant::now() + limit;
    while !child.has_ended() {
        if Instant::now() > deadline {
            child.kill();
            return Ok(Outcome::TimedOut);
        }
        thread::sleep(POLL_INTERVAL);
    }
    let passed = child.wait()?.success();
    Ok(if passed { Outcome::Passed } else { Outcome::Failed })
}

/// A mutant that allocates without end does not take the memory of the machine. Systems without
/// this limit ignore it.
const LIMITED: &str = r#"ulimit -v 4194304 2>/dev/null; exec "$0" "$@""#;

/// Tests of the simulator itself: a panic does not mean that they fail.
const EXPECTS_PANICS: &str = "violations::";

const SHORT: Duration = Duration::from_millis(500);

const LIMIT_MIN: Duration = Duration::from_secs(20);
const LIMIT_FACTOR: u32 = 5;

const POLL_INTERVAL: Duration = Duration::from_millis(2);
