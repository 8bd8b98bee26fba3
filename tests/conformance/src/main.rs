//! `conformance tus --url URL`, `conformance ietf --url URL`: runs a suite against a server.

mod arguments;

use std::io::Write as _;
use std::process::ExitCode;

use vod_uploader_conformance::report::{self, Summary};
use vod_uploader_conformance::{Case, CaseAbort, Report, ietf, tus};

use self::arguments::{Arguments, Suite, USAGE};

fn main() -> ExitCode {
    let arguments = match Arguments::parse(lexopt::Parser::from_env()) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print(USAGE);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("conformance: {error}: see `conformance help`");
            return ExitCode::from(2);
        }
    };
    let summary = match arguments.suite {
        Suite::Tus => run(&arguments, tus::cases(), |setup| {
            let capabilities = tus::discover(setup)?;
            Ok(move |case: &Case<tus::Fixture>| tus::run(case, setup, &capabilities))
        }),
        Suite::Ietf => run(&arguments, ietf::cases(), |setup| {
            let limits = ietf::discover(setup)?;
            Ok(move |case: &Case<ietf::Fixture>| ietf::run(case, setup, &limits))
        }),
    };
    match summary {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(summary)) => {
            print(&format!("{}\n", summary.line()));
            if summary.conforms(arguments.strict) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(CaseAbort::Failed(reason) | CaseAbort::Skipped(reason)) => {
            eprintln!("conformance: nothing to test at {}: {reason}", arguments.setup.url);
            ExitCode::FAILURE
        }
    }
}

/// Runs the selected cases, or lists them.
fn run<'a, S: 'static, R: Fn(&Case<S>) -> Report>(
    arguments: &'a Arguments,
    cases: impl Iterator<Item = &'static Case<S>>,
    discover: impl FnOnce(&'a vod_uploader_conformance::Setup) -> Result<R, CaseAbort>,
) -> Result<Option<Summary>, CaseAbort> {
    let only = arguments.only.as_deref().unwrap_or_default();
    let cases = cases.filter(|case| case.name.contains(only));
    if arguments.list {
        cases.for_each(|case| print(&report::listed(case)));
        return Ok(None);
    }
    let run_case = discover(&arguments.setup)?;
    let mut summary = Summary::default();
    for case in cases {
        let report = run_case(case);
        summary.add(&report);
        print(&report::shown(&report));
    }
    Ok(Some(summary))
}

fn print(text: &str) {
    let mut stdout = std::io::stdout();
    // A closed reader, as in `| head`, is not a failure.
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}
