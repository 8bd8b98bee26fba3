//! The suites that check the worker against the protocols for resumable uploads.

use std::process::Command;

use super::context::TestContext;
use super::log::SuiteLog;
use super::suite_result::{Skip, SuiteResult};
use crate::command_error::CommandError;
use crate::data_dir;
use crate::ports::ANY_PORT;
use crate::server::{self, Bodies, HostSetup, Log};

/// tus 1.0.0.
pub(super) fn tus(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    run_conformance_suite(context, log, "tus", &[])
}

/// The IETF's draft, in all supported interop versions. The skips of the older ones are omitted,
/// because those versions have fewer features.
pub(super) fn ietf(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    let mut result = run_conformance_suite(context, log, "ietf", &[])?;
    for version in ["6", "5", "4", "3"] {
        let mut older = run_conformance_suite(context, log, "ietf", &["--interop", version])?;
        older.skips.clear();
        result = result.and(older);
    }
    Ok(result)
}

/// Runs a suite against a worker with an empty sandbox.
fn run_conformance_suite(
    context: &TestContext,
    log: &SuiteLog,
    suite: &str,
    options: &[&str],
) -> Result<SuiteResult, CommandError> {
    let built = context.built()?;
    let directory = context.workspace.log_directory().join(format!("conformance-{suite}-servers"));
    let data = data_dir::open_empty(&directory)?;
    let (sandbox_log, host_log) = (data.join("sandbox.log"), data.join("host.log"));
    let sandbox_data = data_dir::open(&data.join("sandbox"))?;
    let sandbox = server::start_sandbox(
        built,
        ANY_PORT,
        &sandbox_data,
        Bodies::Keep,
        Log::File(&sandbox_log),
    )?;
    let setup = HostSetup {
        listen: ANY_PORT,
        data: &data_dir::open(&data.join("host"))?,
        sandbox_origin: &sandbox.origin,
        cors_origins: "*",
        allow_outbound: &[],
        log: Log::File(&host_log),
    };
    let host = server::start_devhost(built, &setup)?;
    let mut command = Command::new(context.workspace.target_directory.join("release/conformance"));
    command.arg(suite).arg("--url").arg(format!("{}/v1/files", host.origin)).args(options);
    let finished = log.run(&mut command)?;
    let mut result = SuiteResult::from_script(&finished.output, finished.success);
    result.skips.extend(not_passed(&finished.output));
    Ok(result)
}

/// The skipped cases, and the failures of a SHOULD, which do not fail the run. Each has its reason
/// on the next line.
fn not_passed(output: &str) -> Vec<Skip> {
    let lines: Vec<_> = output.lines().collect();
    let pairs = lines.windows(2).filter_map(|pair| {
        let (case, reason) = (pair[0], pair[1].trim());
        let (is_warning, case) = match (case.strip_prefix("warn "), case.strip_prefix("skip ")) {
            (Some(case), _) => (true, case),
            (None, Some(case)) => (false, case),
            (None, None) => return None,
        };
        let what = case.split_whitespace().nth(1)?.to_owned();
        let reason = if is_warning { format!("a SHOULD: {reason}") } else { reason.to_owned() };
        Some(Skip { what, reason, count: 1 })
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skips_and_warnings_are_named_with_their_reasons() {
        let output = "pass MUST   a_works (HEAD)\nskip MUST   b_works (GET)\n     not offered\n\
                      warn SHOULD c_works (GET)\n     expected 204, got 200\n     > GET /\n\
                      FAIL MUST   d_works (GET)\n     expected 1\n";
        let skip =
            |what: &str, reason: &str| Skip { what: what.into(), reason: reason.into(), count: 1 };
        assert_eq!(
            not_passed(output),
            [skip("b_works", "not offered"), skip("c_works", "a SHOULD: expected 204, got 200")]
        );
    }
}
