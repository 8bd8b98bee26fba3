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
fn a_correct_server_passes_tus() {
    let reports = run::tus(&Reference::start(None));
    assert_eq!(failed(&reports), [""; 0], "{}", shown(&reports));
    // This case applies only to servers without the extension.
    assert_eq!(skipped(&reports), ["a_final_upload_of_unfinished_parts_is_rejected"]);
}

#[test]
fn a_server_without_concatenation_unfinished_passes_tus() {
    let server = Reference::start_without(None, &["concatenation-unfinished"]);
    let reports = run::tus(&server);
    assert_eq!(failed(&reports), [""; 0], "{}", shown(&reports));
    assert!(!skipped(&reports).contains(&"a_final_upload_of_unfinished_parts_is_rejected"));
}

#[test]
fn a_server_without_extensions_passes_tus() {
    let reports = run::tus(&Reference::start_without(None, reference::EXTENSIONS));
    assert_eq!(failed(&reports), [""; 0], "{}", shown(&reports));
    // Only the cases for OPTIONS and its headers apply.
    assert_eq!(reports.len() - skipped(&reports).len(), 4);
}

#[test]
fn a_correct_server_passes_the_ietf_suite_in_every_interop_version() {
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
fn every_fault_in_tus_fails_exactly_its_cases() {
    check_mutants(tus_faults::ROWS, run::tus);
}

#[test]
fn every_fault_in_the_ietf_protocol_fails_exactly_its_cases() {
    check_mutants(ietf_faults::ROWS, |server| run::ietf(server, 8));
}

#[test]
fn every_case_has_a_unique_name_and_a_fault_that_fails_it() {
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
fn a_header_of_the_settings_is_sent_but_never_shown() {
    let server = Reference::start(Some(Fault::HeadIsCached));
    let mut setup = Setup::new(server.url.clone());
    setup.fields.push(("X-Key".to_owned(), "injected-secret".to_owned()));
    let capabilities = tus::discover(&setup).unwrap();
    let case = tus::cases().find(|case| case.name == "head_is_not_cached").unwrap();
    let shown = shown(&[tus::run(case, &setup, &capabilities)]);
    assert!(shown.contains("> HEAD /files/") && shown.contains("< HTTP/1.1 200"), "{shown}");
    assert!(shown.contains("> X-Key: (as given)"), "{shown}");
    assert!(!shown.contains("injected-secret"), "{shown}");
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

/// Some faults make a case wait for a timeout, so more threads than processors are useful.
const THREADS: usize = 4;
