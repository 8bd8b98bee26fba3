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
mod outcome;
mod python;
mod python_app;
mod stamp;
mod text;
mod tool;

use std::process::ExitCode;
use std::time::Instant;

use self::context::TestContext;
use self::log::SuiteLog;
use self::outcome::Outcome;
use crate::components::{self, Built, Component};
use crate::failure::Failure;
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
pub(crate) fn run(arguments: lexopt::Parser) -> Result<ExitCode, Failure> {
    let options = Options::parse(arguments)?;
    let mut context = TestContext { workspace: Workspace::find()?, built: None };
    let mut total = Outcome::default();
    if options.suites.iter().any(|suite| suite.needs.build()) {
        let begin = Instant::now();
        let built = components::build(&context.workspace, &Component::ALL);
        total.add(report_suite("build", begin, &built_outcome(&built)));
        context.built = built.ok();
    }
    for suite in options.suites {
        report::progress(suite.name);
        let begin = Instant::now();
        let outcome = run_suite(suite, &context, options.quick)?;
        total.add(report_suite(suite.name, begin, &outcome));
    }
    report::line(&total.counts());
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A group of checks, reported in one line.
struct Suite {
    name: &'static str,
    needs: Needs,
    run: fn(&TestContext, &SuiteLog) -> Result<Outcome, Failure>,
}

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

const SUITES: &[Suite] = &[
    Suite { name: "format", needs: Needs::Sources, run: cargo_suites::format },
    Suite { name: "lints", needs: Needs::Sources, run: cargo_suites::lints },
    Suite { name: "line-length", needs: Needs::Sources, run: text::line_length },
    Suite { name: "phrases", needs: Needs::Sources, run: text::phrases },
    Suite { name: "links", needs: Needs::Sources, run: text::links },
    Suite { name: "documentation", needs: Needs::Sources, run: cargo_suites::documentation },
    Suite { name: "dependencies", needs: Needs::Registry, run: dependencies::run },
    Suite { name: "engine", needs: Needs::Sources, run: cargo_suites::engine },
    Suite { name: "simulator", needs: Needs::Sources, run: cargo_suites::simulator },
    Suite { name: "fuzz", needs: Needs::Sources, run: fuzz::run },
    Suite { name: "driver", needs: Needs::Sources, run: cargo_suites::driver },
    Suite { name: "wit", needs: Needs::Sources, run: cargo_suites::wit },
    Suite { name: "xtask", needs: Needs::Sources, run: cargo_suites::xtask },
    Suite { name: "sandbox", needs: Needs::Sources, run: cargo_suites::sandbox },
    Suite { name: "devhost", needs: Needs::Sources, run: cargo_suites::devhost },
    Suite { name: "components", needs: Needs::Build, run: cargo_suites::components },
    Suite { name: "conformance", needs: Needs::Sources, run: conformance::proof },
    Suite { name: "conformance-tus", needs: Needs::Build, run: conformance::tus },
    Suite { name: "conformance-ietf", needs: Needs::Build, run: conformance::ietf },
    Suite { name: "app-python", needs: Needs::BuildAndRegistry, run: python_app::run },
    Suite { name: "clients-npm", needs: Needs::BuildAndRegistry, run: interop::npm },
    Suite { name: "clients-pypi", needs: Needs::BuildAndRegistry, run: interop::pypi },
    Suite { name: "tus-js", needs: Needs::BuildAndRegistry, run: clients::tus_js },
    Suite { name: "browser", needs: Needs::BuildAndRegistry, run: clients::browser },
    Suite { name: "python", needs: Needs::BuildAndRegistry, run: clients::python },
    Suite { name: "curl", needs: Needs::BuildAndRegistry, run: clients::curl },
    Suite { name: "openapi", needs: Needs::BuildAndRegistry, run: openapi::run },
];

struct Options {
    quick: bool,
    suites: Vec<&'static Suite>,
}

impl Options {
    fn parse(mut arguments: lexopt::Parser) -> Result<Self, Failure> {
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
                        return Err(Failure::new(format!("no suite {name:?}: use {names}")));
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

fn built_outcome(built: &Result<Built, Failure>) -> Outcome {
    match built {
        Ok(_) => Outcome::passed(1),
        Err(failure) => {
            report::progress(&failure.to_string());
            Outcome::failed(1)
        }
    }
}

fn run_suite(suite: &Suite, context: &TestContext, quick: bool) -> Result<Outcome, Failure> {
    if quick && suite.needs.registry() {
        return Ok(Outcome::skipped(suite.name, "--quick"));
    }
    if suite.needs.build() && context.built.is_none() {
        return Ok(Outcome::skipped(suite.name, "the build failed"));
    }
    let log = SuiteLog::create(&context.workspace.log_folder(), suite.name)?;
    let outcome = match (suite.run)(context, &log) {
        Ok(outcome) => outcome,
        Err(failure) => {
            log.note(&failure.to_string())?;
            Outcome::failed(1)
        }
    };
    if outcome.failed > 0 {
        report::line(log.text()?.trim_end());
    }
    Ok(outcome)
}

/// Prints the lines of a suite and returns its counts.
fn report_suite<'a>(name: &str, begin: Instant, outcome: &'a Outcome) -> &'a Outcome {
    let seconds = begin.elapsed().as_secs_f64();
    report::line(&format!("{name}: {} ({seconds:.1} s)", outcome.counts()));
    for skip in &outcome.skips {
        report::line(&format!("  skipped {}: {}", skip.what, skip.reason));
    }
    outcome
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
