//! Self-check of the suites: the reference server passes all cases, and each mutant of it, which
//! violates one requirement, fails exactly the cases for that requirement.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the test"
)]

mod fault;
mod ietf_faults;
mod reference;
mod run;
mod tus_faults;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use vod_uploader_conformance::{Report, Setup, ietf, tus};

use crate::fault::Fault;
use crate::reference::Reference;
use crate::run::{failed, shown, skipped};

#[test]
fn a_server_that_does_everything_right_passes_tus() {
    let reports = run::tus(&Reference::start(None));
    assert_eq!(failed(&reports), [""; 0], "{}", shown(&reports));
    // It announces what this one is about the lack of.
    assert_eq!(skipped(&reports), ["a_final_upload_of_unfinished_parts_is_refused"]);
}

#[test]
fn a_server_that_does_not_join_unfinished_parts_passes_tus() {
    let server = Reference::start_without(None, &["concatenation-unfinished"]);
    let reports = run::tus(&server);
    assert_eq!(failed(&reports), [""; 0], "{}", shown(&reports));
    assert!(!skipped(&reports).contains(&"a_final_upload_of_unfinished_parts_is_refused"));
}

#[test]
fn a_server_that_announces_no_extension_is_asked_for_none() {
    let reports = run::tus(&Reference::start_without(None, reference::EXTENSIONS));
    assert_eq!(failed(&reports), [""; 0], "{}", shown(&reports));
    // OPTIONS and its fields is all there is to ask for.
    assert_eq!(reports.len() - skipped(&reports).len(), 4);
}

#[test]
fn a_server_that_does_everything_right_passes_the_ietf_suite_in_every_interop_version() {
    for interop in 3..=8 {
        let reports = run::ietf(&Reference::start(None), interop);
        assert_eq!(failed(&reports), [""; 0], "interop {interop}\n{}", shown(&reports));
        if interop == 8 {
            assert_eq!(skipped(&reports), [""; 0]);
        }
    }
}

#[test]
fn uploads_can_be_created_by_another_method() {
    let reports = run::ietf_by(&Reference::start(None), "PUT");
    assert_eq!(failed(&reports), [""; 0], "{}", shown(&reports));
}

#[test]
fn every_fault_in_tus_fails_exactly_the_cases_about_it() {
    check_mutants(tus_faults::ROWS, run::tus);
}

#[test]
fn every_fault_in_the_ietf_protocol_fails_exactly_the_cases_about_it() {
    check_mutants(ietf_faults::ROWS, |server| run::ietf(server, 8));
}

#[test]
fn every_case_is_failed_by_a_fault_and_has_a_name_of_its_own() {
    let of_tus: Vec<_> = tus::cases().map(|case| case.name).collect();
    let of_ietf: Vec<_> = ietf::cases().map(|case| case.name).collect();
    for (cases, rows) in [(of_tus, tus_faults::ROWS), (of_ietf, ietf_faults::ROWS)] {
        let named: BTreeSet<_> = cases.iter().copied().collect();
        assert_eq!(named.len(), cases.len());
        let failing: BTreeSet<_> = rows.iter().flat_map(|(_, cases)| *cases).copied().collect();
        assert_eq!(named, failing);
    }
}

#[test]
fn a_field_of_the_caller_reaches_the_server_and_is_never_shown() {
    let server = Reference::start(Some(Fault::HeadIsCached));
    let mut setup = Setup::new(server.url.clone());
    setup.fields.push(("X-Key".to_owned(), "planted-secret".to_owned()));
    let capabilities = tus::discover(&setup).unwrap();
    let case = tus::cases().find(|case| case.name == "head_is_not_cached").unwrap();
    let shown = shown(&[tus::run(case, &setup, &capabilities)]);
    assert!(shown.contains("> HEAD /files/") && shown.contains("< HTTP/1.1 200"), "{shown}");
    assert!(shown.contains("> X-Key: (as given)"), "{shown}");
    assert!(!shown.contains("planted-secret"), "{shown}");
}

/// Runs a suite once for each mutant, and compares the cases that fail.
fn check_mutants(rows: &[(Fault, &[&str])], run: impl Fn(&Reference) -> Vec<Report> + Sync) {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some((fault, expected)) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let reports = run(&Reference::start(Some(*fault)));
                    if failed(&reports) != *expected {
                        let text =
                            format!("{fault:?}: {:?}\n{}", failed(&reports), shown(&reports));
                        wrong.lock().unwrap_or_else(PoisonError::into_inner).push(text);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Some faults make a case wait until it gives up: more threads than processors have work to do.
const THREADS: usize = 4;
