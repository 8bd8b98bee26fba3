//! Faults of OSS: one at a time for every call, and seeded mixes.

use std::time::Duration;

use vod_uploader::error::ErrorKind;
use vod_uploader::upload::{RetryPolicy, SessionOutcome};

use vod_uploader_sim::session::{ClientRequest, OBJECT, Simulation};
use vod_uploader_sim::{Fault, Operation};

const PARTS: u32 = 5;
const LENGTH: u64 = PARTS as u64 * 102_400;

#[test]
fn every_transient_fault_of_every_call_is_overcome() {
    let cases = [
        (Operation::Initiate, 1),
        (Operation::UploadPart, 1),
        (Operation::UploadPart, PARTS / 2),
        (Operation::UploadPart, PARTS),
        (Operation::Complete, 1),
    ];
    for (operation, nth) in cases {
        for fault in Fault::TRANSIENT {
            let mut simulation = Simulation::of_known_length(LENGTH);
            simulation.world.store.faults.plan(operation, nth, fault);
            let outcome = simulation.upload();
            let case = format!("{operation:?} {nth} {fault:?}");
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "{case}: {outcome:?}");
        }
    }
    for fault in Fault::TRANSIENT {
        let mut simulation = Simulation::of_known_length(99_999);
        simulation.world.store.faults.plan(Operation::PutObject, 1, fault);
        assert!(matches!(simulation.upload(), SessionOutcome::Completed(_)), "{fault:?}");
    }
}

#[test]
fn list_parts_and_abort_overcome_every_transient_fault() {
    for fault in Fault::TRANSIENT {
        let mut simulation = crashed_after_two_parts();
        simulation.world.store.faults.plan(Operation::ListParts, 1, fault);
        assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)), "{fault:?}");

        let mut simulation = crashed_after_two_parts();
        simulation.world.store.faults.plan(Operation::Abort, 1, fault);
        assert_eq!(simulation.abort(), SessionOutcome::Aborted, "{fault:?}");
    }
}

#[test]
fn a_part_or_a_file_that_oss_damages_once_is_sent_again() {
    for (length, operation) in [(LENGTH, Operation::UploadPart), (99_999, Operation::PutObject)] {
        let mut simulation = Simulation::of_known_length(length);
        simulation.world.store.faults.plan(operation, 1, Fault::Corrupts);
        assert!(matches!(simulation.upload(), SessionOutcome::Completed(_)));
    }
}

#[test]
fn a_part_or_a_file_that_oss_always_damages_is_an_error() {
    for (length, operation) in [(LENGTH, Operation::UploadPart), (99_999, Operation::PutObject)] {
        let mut simulation = Simulation::of_known_length(length);
        simulation.world.store.faults.always(operation, Fault::Corrupts);
        let SessionOutcome::Failed { error, .. } = simulation.upload() else {
            panic!("damaged bytes are accepted")
        };
        assert_eq!(error.kind(), ErrorKind::ChecksumMismatch);
        assert_eq!(simulation.acknowledged(), 0);
        simulation.world.store.faults.clear();
        assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
    }
}

#[test]
fn mixed_faults_end_in_a_complete_object_or_in_an_error_that_can_be_resumed() {
    let (mut completed, mut failed) = (0, 0);
    for seed in 0..300 {
        let mut simulation = Simulation::of_known_length(LENGTH - seed % 7 * 50_000).seeded(seed);
        simulation.options.retry = RetryPolicy { attempts_max: 3, ..RetryPolicy::default() };
        simulation.world.store.faults.mix(seed, 50 + 2 * seed);
        let mut outcome = simulation.upload();
        for _ in 0..40 {
            match &outcome {
                SessionOutcome::Completed(_) => break,
                SessionOutcome::Failed { error, .. } => {
                    let named = [ErrorKind::StoreUnavailable, ErrorKind::StoreReplyInvalid];
                    assert!(named.contains(&error.kind()), "seed {seed}: {error}");
                    failed += 1;
                }
                other => panic!("seed {seed}: {other:?}"),
            }
            outcome = simulation.resume();
        }
        assert!(matches!(outcome, SessionOutcome::Completed(_)), "seed {seed}: {outcome:?}");
        completed += 1;
    }
    assert!(completed == 300 && failed > 20, "{failed} sessions failed");
}

#[test]
fn a_wrong_clock_is_corrected_from_the_time_of_oss() {
    for ahead_ms in [-40 * 60 * 1_000, 40 * 60 * 1_000] {
        let mut simulation = Simulation::of_known_length(LENGTH);
        simulation.world.store.clock_ahead_ms = ahead_ms;
        let ttl = Duration::from_secs(4 * 3_600);
        simulation.options.credential = Some(simulation.grant(ttl));
        assert!(matches!(simulation.upload(), SessionOutcome::Completed(_)));
        let calls = PARTS as usize + 3;
        assert_eq!(simulation.world.store.seen.len(), calls, "only the first call is repeated");
    }
}

#[test]
fn a_call_is_retried_within_its_budget_and_the_error_names_the_cause() {
    for attempts_max in [1, 3] {
        let mut simulation = Simulation::of_known_length(LENGTH);
        simulation.options.retry = RetryPolicy { attempts_max, ..RetryPolicy::default() };
        simulation
            .world
            .store
            .faults
            .always(Operation::Initiate, Fault::Refused(503, "ServiceUnavailable"));
        let SessionOutcome::Failed { error, .. } = simulation.upload() else {
            panic!("the upload succeeds without OSS")
        };
        assert_eq!(simulation.world.store.count(Operation::Initiate), attempts_max as usize);
        assert_eq!(error.kind(), ErrorKind::StoreUnavailable);
        assert!(error.to_string().contains("ServiceUnavailable"), "{error}");
        assert!(attempts_max == 1 || error.to_string().contains("tried 3 times"), "{error}");
    }
}

#[test]
fn no_attempt_starts_after_the_time_budget() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    simulation.options.retry = RetryPolicy {
        attempts_max: u32::MAX,
        elapsed_max: Duration::from_secs(100),
        ..RetryPolicy::default()
    };
    simulation.world.store.faults.always(Operation::Initiate, Fault::Hang);
    let began = simulation.world.now();
    let SessionOutcome::Failed { error, .. } = simulation.upload() else {
        panic!("the upload succeeds without OSS")
    };
    assert_eq!(error.kind(), ErrorKind::StoreUnavailable);
    let spent = simulation.world.now().since(began);
    assert!(spent <= Duration::from_secs(135), "{spent:?}");
    assert!(spent >= Duration::from_secs(90), "{spent:?}");
}

#[test]
fn parts_confirmed_before_a_failure_are_stored_before_the_session_ends() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    simulation.options.retry = RetryPolicy { attempts_max: 1, ..RetryPolicy::default() };
    simulation.world.store.faults.plan(
        Operation::UploadPart,
        4,
        Fault::Refused(400, "InvalidArgument"),
    );
    let SessionOutcome::Failed { error, durable } = simulation.upload() else {
        panic!("a rejected part is no error")
    };
    assert_eq!(error.kind(), ErrorKind::StoreRejected);
    assert_eq!(durable.bytes(), simulation.stored_offset());
    assert_eq!(durable.bytes(), 3 * 102_400);
    assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
}

#[test]
fn a_failure_of_any_key_value_operation_ends_the_session_but_not_the_upload() {
    for nth in 1.. {
        let mut simulation = Simulation::of_known_length(LENGTH);
        let id = simulation.create(ClientRequest::new(0, LENGTH));
        simulation.world.kv.fails_at = Some(nth);
        let outcome = simulation.run(id);
        if simulation.world.kv.fails_at.is_some() {
            break;
        }
        match outcome {
            // The object is complete; only its checkpoint is missing.
            SessionOutcome::Completed(_) => {
                assert!(simulation.world.store.objects.contains_key(OBJECT))
            }
            SessionOutcome::Failed { error, .. } => {
                assert_eq!(error.kind(), ErrorKind::KeyValueUnavailable);
            }
            other => panic!("{other:?}"),
        }
        if simulation.is_created() {
            assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)), "{nth}");
        }
    }
}

/// Two parts are acknowledged, and the writer has crashed.
fn crashed_after_two_parts() -> Simulation {
    let mut simulation = Simulation::of_known_length(LENGTH);
    let id = simulation.create(ClientRequest::new(0, LENGTH));
    while simulation.acknowledged() < 2 * 102_400 {
        simulation.step(id);
    }
    simulation.crash(id);
    simulation.discard_late_writes();
    simulation
}
