//! Running the suites against the reference.

use std::time::Duration;

use vod_uploader_conformance::{Outcome, Report, Setup, ietf, report, tus};

use crate::reference::Reference;

/// Runs the tus suite.
pub(crate) fn tus(server: &Reference) -> Vec<Report> {
    let setup = setup(server);
    let capabilities = tus::discover(&setup).unwrap();
    tus::cases().map(|case| tus::run(case, &setup, &capabilities)).collect()
}

/// Runs the IETF suite in this interop version.
pub(crate) fn ietf(server: &Reference, interop: u8) -> Vec<Report> {
    ietf_with(&Setup { interop, ..setup(server) })
}

/// Runs the IETF suite with uploads that are created by this method.
pub(crate) fn ietf_by(server: &Reference, method: &str) -> Vec<Report> {
    ietf_with(&Setup { method: method.to_owned(), ..setup(server) })
}

/// The names of the cases that failed.
pub(crate) fn failed(reports: &[Report]) -> Vec<&'static str> {
    reports.iter().filter(|report| report.has_failed()).map(|report| report.name).collect()
}

/// The names of the cases that were skipped.
pub(crate) fn skipped(reports: &[Report]) -> Vec<&'static str> {
    let is_skipped = |report: &&Report| matches!(report.outcome, Outcome::Skipped(_));
    reports.iter().filter(is_skipped).map(|report| report.name).collect()
}

/// The output of the failed cases.
pub(crate) fn shown(reports: &[Report]) -> String {
    reports.iter().filter(|report| report.has_failed()).map(report::shown).collect()
}

fn ietf_with(setup: &Setup) -> Vec<Report> {
    let limits = ietf::discover(setup).unwrap();
    ietf::cases().map(|case| ietf::run(case, setup, &limits)).collect()
}

/// Short limits, so that faults that cause timeouts are detected quickly.
fn setup(server: &Reference) -> Setup {
    Setup {
        size_max_bytes: 60_000,
        read_back: Some("{url}".to_owned()),
        hang_bound: Duration::from_millis(1500),
        response_timeout: Duration::from_millis(2500),
        ..Setup::new(server.url.clone())
    }
}
