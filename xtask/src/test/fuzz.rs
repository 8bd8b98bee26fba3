//! The suite that runs every fuzz target of `fuzz/` for a few seconds.
//!
//! Every seed is a regression test. The suite needs neither nightly nor cargo-fuzz, which only adds
//! [`FLAGS`] to a build.

use std::fs;
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use super::context::TestContext;
use super::log::SuiteLog;
use super::suite_result::SuiteResult;
use crate::command_error::CommandError;
use crate::data_dir;
use crate::tool::is_installed;

/// Builds all targets and runs them.
pub(super) fn run(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    if !is_installed(&compiler) {
        let reason = format!("{compiler} is not installed, which builds libFuzzer: on Debian, g++");
        return Ok(SuiteResult::skipped("fuzz", &reason));
    }
    let fuzz = Fuzz::find(context, log)?;
    let mut format = context.workspace.cargo();
    format.args(["fmt", "--check"]).arg("--manifest-path").arg(&fuzz.manifest);
    let mut result = SuiteResult::from_success(log.run(&mut format)?.success);
    let mut lints = fuzz.cargo(context, "clippy");
    result = result
        .and(SuiteResult::from_success(log.run(lints.args(["--", "-D", "warnings"]))?.success));
    if !log.run(&mut fuzz.cargo(context, "build"))?.success {
        return Ok(result.and(SuiteResult::failed(1)));
    }
    // A fuzzer uses one processor.
    let at_once = thread::available_parallelism().map_or(1, NonZero::get);
    for targets in fuzz.targets()?.chunks(at_once) {
        let results = thread::scope(|scope| {
            let running: Vec<_> =
                targets.iter().map(|target| scope.spawn(|| fuzz.run(log, target))).collect();
            running.into_iter().map(|target| target.join()).collect::<Vec<_>>()
        });
        for target in results {
            let panicked = |_| Err(CommandError::new("a fuzz target's thread panicked"));
            result = result.and(target.unwrap_or_else(panicked)?);
        }
    }
    Ok(result)
}

/// The package of the fuzz targets.
#[derive(Debug)]
struct Fuzz {
    directory: PathBuf,
    manifest: PathBuf,
    /// The directory for builds, corpora and artifacts.
    output: PathBuf,
    /// The triple of this machine. With `--target`, the flags do not apply to build scripts.
    triple: String,
}

impl Fuzz {
    fn find(context: &TestContext, log: &SuiteLog) -> Result<Self, CommandError> {
        let version = log.run(Command::new("rustc").arg("-vV"))?.output;
        let triple = version.lines().find_map(|line| line.strip_prefix("host: "));
        let directory = context.workspace.root.join("fuzz");
        Ok(Self {
            manifest: directory.join("Cargo.toml"),
            directory,
            output: context.workspace.target_directory.join("fuzz"),
            triple: triple.ok_or_else(|| CommandError::new("rustc names no host"))?.to_owned(),
        })
    }

    /// A cargo command on all targets, with the fuzzer's flags.
    fn cargo(&self, context: &TestContext, command: &str) -> Command {
        let mut cargo = context.workspace.cargo();
        cargo.args([command, "--release", "--target", &self.triple]);
        cargo.arg("--manifest-path").arg(&self.manifest);
        cargo.arg("--target-dir").arg(&self.output);
        cargo.env("RUSTFLAGS", FLAGS.join(" "));
        cargo
    }

    /// The names of the targets, in order.
    fn targets(&self) -> Result<Vec<String>, CommandError> {
        let directory = self.directory.join("fuzz_targets");
        let mut names: Vec<_> = files_in(&directory)?
            .iter()
            .filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()))
            .collect();
        names.sort();
        Ok(names)
    }

    /// Runs a target: all seeds, then inputs derived from them.
    fn run(&self, log: &SuiteLog, target: &str) -> Result<SuiteResult, CommandError> {
        // Inputs found by earlier runs would make this run different.
        let corpus = data_dir::open_empty(&self.output.join("corpus").join(target))?;
        let artifacts = data_dir::open_empty(&self.output.join("artifacts").join(target))?;
        let program = self.output.join(&self.triple).join("release").join(target);
        let mut command = Command::new(&program);
        command.args(LIMITS).arg(format!("-artifact_prefix={}/", artifacts.display()));
        command.arg(corpus).arg(self.directory.join("seeds").join(target));
        let success = log.run(&mut command)?.success;
        for input in files_in(&artifacts)? {
            let (program, input) = (program.display(), input.display());
            log.note(&format!("{target} fails on {input}: `{program} {input}` shows it again"))?;
        }
        Ok(SuiteResult::from_success(success))
    }
}

fn files_in(directory: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let entries = fs::read_dir(directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(CommandError::file(directory, "cannot be read"))?;
    Ok(entries.iter().map(fs::DirEntry::path).collect())
}

/// What `cargo fuzz build --sanitizer none` passes
/// (<https://github.com/rust-fuzz/cargo-fuzz/blob/main/src/project.rs>). A sanitizer would need
/// nightly, and detects errors that safe Rust does not permit.
const FLAGS: &[&str] = &[
    "--cfg fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    #[cfg(target_os = "linux")]
    "-Cllvm-args=-sanitizer-coverage-stack-depth",
];

/// Five seconds from a fixed seed, 512 MiB, ten seconds per input, no progress output.
const LIMITS: &[&str] =
    &["-max_total_time=5", "-seed=1", "-rss_limit_mb=512", "-timeout=10", "-verbosity=0"];
