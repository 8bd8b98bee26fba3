//! Faults of the store: one at a time for every call, and seeded mixes.

use std::time::Duration;

use vod_uploader::error::ErrorKind;
use vod_uploader::upload::{RetryPolicy, SessionOutcome};

use crate::harness::{ClientRequest, Fault, OBJECT, Operation, World};

const PARTS: u32 = 5;
const LENGTH: u64 = PARTS as u64 * 102_400;

#[test]
fn every_passing_fault_of_every_call_is_got_over() {
    let cases = [
        (Operation::Initiate, 1),
        (Operation::UploadPart, 1),
        (Operation::UploadPart, PARTS / 2),
        (Operation::UploadPart, PARTS),
        (Operation::Complete, 1),
    ];
    for (operation, nth) in cases {
        for fault in Fault::PASSING {
            let mut world = World::of_known_length(LENGTH);
            world.store.faults.plan(operation, nth, fault);
            let outcome = world.upload();
            let case = format!("{operation:?} {nth} {fault:?}");
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "{case}: {outcome:?}");
        }
    }
    for fault in Fault::PASSING {
        let mut world = World::of_known_length(99_999);
        world.store.faults.plan(Operation::PutObject, 1, fault);
        assert!(matches!(world.upload(), SessionOutcome::Completed(_)), "{fault:?}");
    }
}

#[test]
fn a_list_of_parts_or_an_abort_gets_over_every_passing_fault() {
    for fault in Fault::PASSING {
        let mut world = crashed_after_two_parts();
        world.store.faults.plan(Operation::ListParts, 1, fault);
        assert!(matches!(world.resume(), SessionOutcome::Completed(_)), "{fault:?}");

        let mut world = crashed_after_two_parts();
        world.store.faults.plan(Operation::Abort, 1, fault);
        assert_eq!(world.abort(), SessionOutcome::Aborted, "{fault:?}");
    }
}

#[test]
fn a_part_or_a_file_that_the_store_damages_once_is_sent_again() {
    for (length, operation) in [(LENGTH, Operation::UploadPart), (99_999, Operation::PutObject)] {
        let mut world = World::of_known_length(length);
        world.store.faults.plan(operation, 1, Fault::Corrupts);
        assert!(matches!(world.upload(), SessionOutcome::Completed(_)));
    }
}

#[test]
fn a_part_or_a_file_that_the_store_always_damages_is_never_a_success() {
    for (length, operation) in [(LENGTH, Operation::UploadPart), (99_999, Operation::PutObject)] {
        let mut world = World::of_known_length(length);
        world.store.faults.always(operation, Fault::Corrupts);
        let SessionOutcome::Failed { error, .. } = world.upload() else { panic!("damaged bytes") };
        assert_eq!(error.kind(), ErrorKind::ChecksumMismatch);
        assert_eq!(world.acknowledged, 0);
        world.store.faults.clear();
        assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
    }
}

#[test]
fn mixed_faults_end_in_a_whole_object_or_in_an_error_after_which_it_can_be_made_whole() {
    let (mut whole, mut failed) = (0, 0);
    for seed in 0..300 {
        let mut world = World::of_known_length(LENGTH - seed % 7 * 50_000).seeded(seed);
        world.options.retry = RetryPolicy { attempts_max: 3, ..RetryPolicy::default() };
        world.store.faults.mix(seed, 50 + 2 * seed);
        let mut outcome = world.upload();
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
            outcome = world.resume();
        }
        assert!(matches!(outcome, SessionOutcome::Completed(_)), "seed {seed}: {outcome:?}");
        whole += 1;
    }
    assert!(whole == 300 && failed > 20, "{failed} sessions failed");
}

#[test]
fn a_clock_that_is_off_is_corrected_from_the_store_s_time() {
    for ahead_ms in [-40 * 60 * 1_000, 40 * 60 * 1_000] {
        let mut world = World::of_known_length(LENGTH);
        world.store.clock_ahead_ms = ahead_ms;
        let life = Duration::from_secs(4 * 3_600);
        world.options.credential = Some(world.grant(Some(life)));
        assert!(matches!(world.upload(), SessionOutcome::Completed(_)));
        let calls = PARTS as usize + 3;
        assert_eq!(world.store.seen.len(), calls, "only the first call is repeated");
    }
}

#[test]
fn a_call_is_tried_as_often_as_its_budget_says_and_then_the_error_names_the_cause() {
    for attempts_max in [1, 3] {
        let mut world = World::of_known_length(LENGTH);
        world.options.retry = RetryPolicy { attempts_max, ..RetryPolicy::default() };
        world.store.faults.always(Operation::Initiate, Fault::Refused(503, "ServiceUnavailable"));
        let SessionOutcome::Failed { error, .. } = world.upload() else {
            panic!("no store, no upload")
        };
        assert_eq!(world.store.count(Operation::Initiate), attempts_max as usize);
        assert_eq!(error.kind(), ErrorKind::StoreUnavailable);
        assert!(error.to_string().contains("ServiceUnavailable"), "{error}");
        assert!(attempts_max == 1 || error.to_string().contains("tried 3 times"), "{error}");
    }
}

#[test]
fn no_attempt_starts_after_the_time_budget() {
    let mut world = World::of_known_length(LENGTH);
    world.options.retry = RetryPolicy {
        attempts_max: u32::MAX,
        elapsed_max: Duration::from_secs(100),
        ..RetryPolicy::default()
    };
    world.store.faults.always(Operation::Initiate, Fault::Hang);
    let began = world.now;
    let SessionOutcome::Failed { error, .. } = world.upload() else {
        panic!("no store, no upload")
    };
    assert_eq!(error.kind(), ErrorKind::StoreUnavailable);
    let spent = world.now.since(began);
    assert!(spent <= Duration::from_secs(135), "{spent:?}");
    assert!(spent >= Duration::from_secs(90), "{spent:?}");
}

#[test]
fn what_was_confirmed_before_a_failure_is_stored_before_the_session_ends() {
    let mut world = World::of_known_length(LENGTH);
    world.options.retry = RetryPolicy { attempts_max: 1, ..RetryPolicy::default() };
    world.store.faults.plan(Operation::UploadPart, 4, Fault::Refused(400, "InvalidArgument"));
    let SessionOutcome::Failed { error, durable } = world.upload() else {
        panic!("part 4 was refused")
    };
    assert_eq!(error.kind(), ErrorKind::StoreRejected);
    assert_eq!(durable.bytes(), world.stored_offset());
    assert_eq!(durable.bytes(), 3 * 102_400);
    assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
}

#[test]
fn a_key_value_store_that_fails_at_any_operation_ends_the_session_and_not_the_upload() {
    for nth in 1.. {
        let mut world = World::of_known_length(LENGTH);
        let id = world.create(ClientRequest::new(0, LENGTH));
        world.kv.fails_at = Some(nth);
        let outcome = world.run(id);
        if world.kv.fails_at.is_some() {
            break;
        }
        match outcome {
            // The object is whole; only the note of it is missing.
            SessionOutcome::Completed(_) => assert!(world.store.objects.contains_key(OBJECT)),
            SessionOutcome::Failed { error, .. } => {
                assert_eq!(error.kind(), ErrorKind::KeyValueUnavailable);
            }
            other => panic!("{other:?}"),
        }
        if world.is_known() {
            assert!(matches!(world.resume(), SessionOutcome::Completed(_)), "{nth}");
        }
    }
}

/// Two parts are acknowledged, and the writer is gone.
fn crashed_after_two_parts() -> World {
    let mut world = World::of_known_length(LENGTH);
    let id = world.create(ClientRequest::new(0, LENGTH));
    while world.acknowledged < 2 * 102_400 {
        world.step(id);
    }
    world.crash(id);
    world.strays.clear();
    world
}
