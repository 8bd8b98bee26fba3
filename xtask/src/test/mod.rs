//! `cargo xtask test`: every check of this checkout, as suites one after another.
//!
//! A suite has a line with its counts; the last line of all is the total. What a suite prints goes
//! to a log, and is shown whole when the suite fails. Nothing is left out in silence: what is
//! skipped is named with the reason.

mod cargo_suites;
mod chromium;
mod clients;
mod conformance;
mod context;
mod dependencies;
mod fuzz;
mod interop;
mod log;
mod npm;
mod openapi;
mod python;
mod python_app;
mod stamp;
mod suite_result;
mod text;
mod tool;

use std::process::ExitCode;
use std::time::Instant;

use self::context::TestContext;
use self::log::SuiteLog;
use self::suite_result::SuiteResult;
use crate::command_error::CommandError;
use crate::components::{self, Built, Component};
use crate::report;
use crate::workspace::Workspace;

pub(crate) const OPTIONS: &str = "[--quick] [SUITE]…";

pub(crate) const SUMMARY: &str = "\
Runs format, lints, documentation, native tests, component tests and real clients, or the
suites that are named. --quick leaves out what needs npm or PyPI.";

/// Runs the suites.
///
/// # Errors
/// Nothing can be run at all. A failed suite is no error but the status of the process.
pub(crate) fn run(arguments: lexopt::Parser) -> Result<ExitCode, CommandError> {
    let options = Options::parse(arguments)?;
    let mut context = TestContext { workspace: Workspace::find()?, built: None };
    let mut total = SuiteResult::default();
    if options.suites.iter().any(|suite| suite.needs.build()) {
        let begin = Instant::now();
        let built = components::build(&context.workspace, &Component::ALL);
        total.add(report_suite("build", begin, &built_result(&built)));
        context.built = built.ok();
    }
    for suite in options.suites {
        report::progress(suite.name);
        let begin = Instant::now();
        let result = run_suite(suite, &context, options.quick)?;
        total.add(report_suite(suite.name, begin, &result));
    }
    report::line(&total.counts());
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A group of checks, reported in one line.
struct Suite {
    name: &'static str,
    needs: Needs,
    run: Checks,
}

enum Checks {
    CargoTest(&'static str),
    Run(Run),
}

type Run = fn(&TestContext, &SuiteLog) -> Result<SuiteResult, CommandError>;

/// What a suite cannot do without.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// The sources.
    Sources,
    /// The sources, and npm or PyPI.
    Registry,
    /// What was built.
    Build,
    /// What was built, and npm or PyPI.
    BuildAndRegistry,
}

impl Needs {
    fn build(self) -> bool {
        matches!(self, Self::Build | Self::BuildAndRegistry)
    }

    fn registry(self) -> bool {
        matches!(self, Self::Registry | Self::BuildAndRegistry)
    }
}

const fn suite(name: &'static str, needs: Needs, run: Run) -> Suite {
    Suite { name, needs, run: Checks::Run(run) }
}

/// A suite of the tests that these options of `cargo test` select.
const fn tests(name: &'static str, needs: Needs, options: &'static str) -> Suite {
    Suite { name, needs, run: Checks::CargoTest(options) }
}

const SUITES: &[Suite] = &[
    suite("format", Needs::Sources, cargo_suites::format),
    suite("lints", Needs::Sources, cargo_suites::lints),
    suite("line-length", Needs::Sources, text::line_length),
    suite("phrases", Needs::Sources, text::phrases),
    suite("links", Needs::Sources, text::links),
    suite("documentation", Needs::Sources, cargo_suites::documentation),
    suite("dependencies", Needs::Registry, dependencies::run),
    // With the checks of the dev profile.
    tests("engine", Needs::Sources, "--package vod-uploader --package vod-uploader-relay"),
    tests("simulator", Needs::Sources, "--release --package vod-uploader-sim"),
    suite("fuzz", Needs::Sources, fuzz::run),
    // What needs no host.
    tests(
        "driver",
        Needs::Sources,
        "--release --lib --package vod-uploader-host --package vod-uploader-component",
    ),
    tests("wit", Needs::Sources, "--release --package vod-uploader-wit-docs"),
    tests("xtask", Needs::Sources, "--package xtask"),
    tests("sandbox", Needs::Sources, "--release --package vod-uploader-sandbox"),
    tests("devhost", Needs::Sources, "--release --package vod-uploader-devhost"),
    tests("components", Needs::Build, "--release --package vod-uploader-component-tests"),
    tests("conformance", Needs::Sources, "--release --package vod-uploader-conformance"),
    suite("conformance-tus", Needs::Build, conformance::tus),
    suite("conformance-ietf", Needs::Build, conformance::ietf),
    suite("app-python", Needs::BuildAndRegistry, python_app::run),
    suite("clients-npm", Needs::BuildAndRegistry, interop::npm),
    suite("clients-pypi", Needs::BuildAndRegistry, interop::pypi),
    suite("tus-js", Needs::BuildAndRegistry, clients::tus_js),
    suite("browser", Needs::BuildAndRegistry, clients::browser),
    suite("python", Needs::BuildAndRegistry, clients::python),
    suite("curl", Needs::BuildAndRegistry, clients::curl),
    suite("openapi", Needs::BuildAndRegistry, openapi::run),
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
}

fn built_result(built: &Result<Built, CommandError>) -> SuiteResult {
    match built {
        Ok(_) => SuiteResult::passed(1),
        Err(failure) => {
            report::progress(&failure.to_string());
            SuiteResult::failed(1)
        }
    }
}

fn run_suite(
    suite: &Suite,
    context: &TestContext,
    quick: bool,
) -> Result<SuiteResult, CommandError> {
    if quick && suite.needs.registry() {
        return Ok(SuiteResult::skipped(suite.name, "--quick"));
    }
    if suite.needs.build() && context.built.is_none() {
        return Ok(SuiteResult::skipped(suite.name, "the build failed"));
    }
    let log = SuiteLog::create(&context.workspace.log_directory(), suite.name)?;
    let result = match suite.run {
        Checks::CargoTest(options) => cargo_suites::test(context, &log, options),
        Checks::Run(run) => run(context, &log),
    };
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

/// Prints the lines of a suite and returns its counts.
fn report_suite<'a>(name: &str, begin: Instant, result: &'a SuiteResult) -> &'a SuiteResult {
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
