//! The end of an upload if the response to Complete is lost, an error or wrong.

use vod_uploader::crc64::Crc64;
use vod_uploader::error::ErrorKind;
use vod_uploader::upload::state::State;
use vod_uploader::upload::{LeaseAcquisition, Purpose, RetryPolicy, SessionOutcome};

use vod_uploader_sim::session::{ClientRequest, OBJECT, Simulation};
use vod_uploader_sim::{Fault, Operation};

const LENGTH: u64 = 3 * 102_400 + 5;

#[test]
fn a_lost_response_to_complete_is_resolved_by_the_object() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    simulation.world.store.faults.plan(Operation::Complete, 1, Fault::LostReply);
    assert!(matches!(simulation.upload(), SessionOutcome::Completed(_)));
    // The second Complete finds no such upload, and HeadObject finds the object.
    assert_eq!(simulation.world.store.count(Operation::Complete), 2);
    assert_eq!(simulation.world.store.count(Operation::Head), 1);
}

#[test]
fn complete_without_a_response_is_repeated_after_head_object() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    simulation.options.retry = RetryPolicy { attempts_max: 1, ..RetryPolicy::default() };
    simulation.world.store.faults.plan(Operation::Complete, 1, Fault::Broken);
    assert!(matches!(simulation.upload(), SessionOutcome::Completed(_)));
    assert_eq!(simulation.world.store.count(Operation::Complete), 2);
    assert_eq!(simulation.world.store.count(Operation::Head), 1);
}

#[test]
fn a_failing_complete_ends_the_session_and_a_later_session_completes_the_upload() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    simulation.options.retry = RetryPolicy { attempts_max: 1, ..RetryPolicy::default() };
    simulation
        .world
        .store
        .faults
        .always(Operation::Complete, Fault::Refused(503, "ServiceUnavailable"));
    let SessionOutcome::Failed { error, durable } = simulation.upload() else {
        panic!("the upload completes without Complete")
    };
    assert_eq!((error.kind(), durable.bytes()), (ErrorKind::StoreUnavailable, LENGTH));
    assert!(error.to_string().contains("CompleteMultipartUpload"), "{error}");
    simulation.world.store.faults.clear();
    assert!(matches!(simulation.reconcile(), SessionOutcome::Completed(_)));
}

#[test]
fn without_permission_for_head_object_complete_is_sent_again() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    simulation.options.retry = RetryPolicy { attempts_max: 1, ..RetryPolicy::default() };
    simulation.world.store.faults.plan(Operation::Complete, 1, Fault::Broken);
    simulation.world.store.faults.always(Operation::Head, Fault::Refused(403, "AccessDenied"));
    assert!(matches!(simulation.upload(), SessionOutcome::Completed(_)));
    assert_eq!(simulation.world.store.count(Operation::Complete), 2);
}

#[test]
fn an_upload_whose_result_cannot_be_determined_ends_and_names_the_missing_permission() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    simulation.world.store.faults.plan(Operation::Complete, 1, Fault::LostReply);
    simulation.world.store.faults.always(Operation::Head, Fault::Refused(403, "AccessDenied"));
    let SessionOutcome::Lost(error) = simulation.upload() else {
        panic!("the completion is known")
    };
    assert_eq!(error.kind(), ErrorKind::CompletionUnknown);
    assert!(error.message().contains("oss:GetObject"), "{error}");
    let requests = simulation.world.store.count(Operation::Complete);
    assert!(matches!(simulation.reconcile(), SessionOutcome::Lost(_)));
    assert_eq!(simulation.world.store.count(Operation::Complete), requests);
}

/// OSS guarantees no CRC for an object with copied parts.
#[test]
fn an_object_without_a_crc_is_confirmed_by_its_size() {
    for fault in [None, Some(Fault::Broken), Some(Fault::LostReply), Some(Fault::HangAfter)] {
        for attempts_max in [1, 5] {
            let mut simulation = Simulation::of_known_length(LENGTH);
            simulation.options.retry = RetryPolicy { attempts_max, ..RetryPolicy::default() };
            simulation.world.store.hides_object_crc64 = true;
            if let Some(fault) = fault {
                simulation.world.store.faults.plan(Operation::Complete, 1, fault);
            }
            let outcome = simulation.upload();
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "{fault:?}: {outcome:?}");
            let stored = &simulation.world.store.objects[OBJECT].bytes;
            assert_eq!(stored, simulation.content.bytes(), "{fault:?}");
        }
    }
}

#[test]
fn a_success_without_a_crc_is_one_without_permission_for_head_object_too() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    simulation.world.store.hides_object_crc64 = true;
    simulation.world.store.faults.always(Operation::Head, Fault::Refused(403, "AccessDenied"));
    assert!(matches!(simulation.upload(), SessionOutcome::Completed(_)));
}

#[test]
fn an_earlier_object_without_a_crc_is_replaced() {
    for fault in [Fault::Broken, Fault::LostReply, Fault::Hang, Fault::HangAfter] {
        let mut simulation = Simulation::of_known_length(LENGTH);
        simulation.options.retry = RetryPolicy { attempts_max: 1, ..RetryPolicy::default() };
        simulation.put_other_object(LENGTH);
        simulation.world.store.hides_object_crc64 = true;
        simulation.world.store.faults.plan(Operation::Complete, 1, fault);
        assert!(matches!(simulation.upload(), SessionOutcome::Completed(_)), "{fault:?}");
        let stored = &simulation.world.store.objects[OBJECT].bytes;
        assert_eq!(stored, simulation.content.bytes(), "{fault:?}");
    }
}

#[test]
fn an_abort_keeps_an_object_without_a_crc() {
    let mut simulation = completing(Fault::HangAfter);
    simulation.world.store.hides_object_crc64 = true;
    assert!(matches!(simulation.abort(), SessionOutcome::Completed(_)));
}

#[test]
fn a_multipart_upload_that_is_gone_without_its_object_is_lost() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    simulation.world.store.faults.plan(Operation::Complete, 1, Fault::Forgets);
    let SessionOutcome::Lost(error) = simulation.upload() else {
        panic!("lost parts are no error")
    };
    assert_eq!(error.kind(), ErrorKind::UploadLost);
    let SessionOutcome::Lost(error) = simulation.resume() else {
        panic!("a lost upload is resumed")
    };
    assert_eq!(error.kind(), ErrorKind::UploadLost);
}

#[test]
fn a_multipart_upload_that_is_gone_while_another_object_exists_is_lost() {
    for other_len in [LENGTH, LENGTH + 1] {
        let mut simulation = Simulation::of_known_length(LENGTH);
        simulation.put_other_object(other_len);
        simulation.world.store.faults.plan(Operation::Complete, 1, Fault::Forgets);
        let SessionOutcome::Lost(error) = simulation.upload() else {
            panic!("another object is accepted")
        };
        assert_eq!(error.kind(), ErrorKind::UploadLost);
    }
}

#[test]
fn an_older_object_of_the_same_key_is_replaced_even_if_a_response_is_lost() {
    for fault in [Fault::Broken, Fault::LostReply, Fault::Hang, Fault::HangAfter] {
        let mut simulation = Simulation::of_known_length(LENGTH);
        simulation.options.retry = RetryPolicy { attempts_max: 1, ..RetryPolicy::default() };
        simulation.put_other_object(LENGTH);
        simulation.world.store.faults.plan(Operation::Complete, 1, fault);
        assert!(matches!(simulation.upload(), SessionOutcome::Completed(_)), "{fault:?}");
    }
}

#[test]
fn an_object_with_another_crc_is_an_error_with_both_values() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    simulation.world.store.faults.plan(Operation::Complete, 1, Fault::Corrupts);
    let SessionOutcome::Lost(error) = simulation.upload() else {
        panic!("a damaged object is accepted")
    };
    assert_eq!(error.kind(), ErrorKind::ChecksumMismatch);
    let sent = Crc64::compute(simulation.content.bytes()).to_string();
    let stored = simulation.world.store.objects[OBJECT].crc64.to_string();
    assert!(error.message().contains(&sent) && error.message().contains(&stored), "{error}");
    assert!(matches!(simulation.resume(), SessionOutcome::Lost(_)));
}

#[test]
fn parts_that_oss_rejects_in_complete_lose_the_upload() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    simulation.world.store.faults.always(Operation::Complete, Fault::Refused(400, "InvalidPart"));
    let SessionOutcome::Lost(error) = simulation.upload() else {
        panic!("rejected parts are no error")
    };
    assert_eq!(error.kind(), ErrorKind::StoreRejected);
}

#[test]
fn an_upload_that_was_completing_is_reconciled_before_it_is_aborted() {
    // Complete has succeeded, and its response was lost: there is nothing to abort.
    let mut simulation = completing(Fault::HangAfter);
    assert!(matches!(simulation.abort(), SessionOutcome::Completed(_)));

    // Complete has had no effect.
    let mut simulation = completing(Fault::Hang);
    assert_eq!(simulation.abort(), SessionOutcome::Aborted);
    assert_eq!(simulation.world.store.uploads.len(), 0);

    // Without permission for HeadObject, the parts are deleted as well.
    let mut simulation = completing(Fault::Hang);
    simulation.world.store.faults.always(Operation::Head, Fault::Refused(403, "AccessDenied"));
    assert_eq!(simulation.abort(), SessionOutcome::Aborted);
}

#[test]
fn an_abort_without_permission_still_ends_the_upload() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    let id = simulation.create(ClientRequest::new(0, 250_000));
    simulation.run(id);
    simulation.world.store.faults.always(Operation::Abort, Fault::Refused(403, "AccessDenied"));
    assert_eq!(simulation.abort(), SessionOutcome::Aborted);
    assert_eq!(simulation.resume(), SessionOutcome::Aborted);
}

/// The writer has sent Complete, which ends with `fault`, and has crashed.
fn completing(fault: Fault) -> Simulation {
    let mut simulation = Simulation::of_known_length(LENGTH);
    simulation.world.store.faults.plan(Operation::Complete, 1, fault);
    let id = simulation.create(ClientRequest::new(0, LENGTH));
    while simulation.world.store.count(Operation::Complete) == 0 {
        simulation.step(id);
    }
    simulation.crash(id);
    simulation
}

#[test]
fn an_upload_continues_after_complete_was_rejected_for_another_reason_than_its_parts() {
    for (code, is_lost) in [("InvalidPart", true), ("MalformedXML", false)] {
        let mut simulation = Simulation::of_known_length(LENGTH);
        simulation.world.store.faults.plan(Operation::Complete, 1, Fault::Refused(400, code));
        let outcome = simulation.upload();
        assert_eq!(matches!(outcome, SessionOutcome::Lost(_)), is_lost, "{outcome:?}");
        let later = simulation.resume();
        assert_eq!(matches!(later, SessionOutcome::Completed(_)), !is_lost, "{later:?}");
    }
}

#[test]
fn a_put_object_without_a_response_fails_and_a_later_request_repeats_it() {
    let mut simulation = Simulation::of_known_length(50_000);
    simulation.world.store.faults.always(Operation::PutObject, Fault::Broken);
    let SessionOutcome::Failed { error, durable } = simulation.upload() else {
        panic!("the upload completes without an object")
    };
    assert_eq!((error.kind(), durable.bytes()), (ErrorKind::StoreUnavailable, 0));
    assert_eq!(simulation.world.store.count(Operation::Head), 0);
    simulation.world.store.faults.clear();
    assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
}

#[test]
fn an_abort_that_the_store_does_not_confirm_fails() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    let first = simulation.create(ClientRequest::new(0, 2 * 102_400));
    simulation.run(first);
    simulation.world.store.faults.always(Operation::Abort, Fault::Broken);
    let SessionOutcome::Failed { error, .. } = simulation.abort() else {
        panic!("the upload is aborted without a response")
    };
    assert_eq!(error.kind(), ErrorKind::StoreUnavailable);
    simulation.world.store.faults.clear();
    assert_eq!(simulation.abort(), SessionOutcome::Aborted);
}

/// A later writer determines the end of a multipart upload from the store.
#[test]
fn an_end_that_could_not_be_stored_is_reported_unless_a_later_writer_determines_it() {
    for (length, is_determined) in [(50_000, false), (LENGTH, true)] {
        for fails_writes in [false, true] {
            let mut simulation = Simulation::of_known_length(length);
            let id = simulation.create(ClientRequest::new(0, length));
            while simulation.writers[id].session.state() != State::Completed {
                simulation.step(id);
            }
            simulation.world.kv.fails_writes = fails_writes;
            assert!(matches!(simulation.run(id), SessionOutcome::Completed(_)));
            let unstored = simulation.writers[id].session.unstored_end();
            assert_eq!(unstored.is_some(), fails_writes && !is_determined, "{unstored:?}");
        }
    }
    let mut simulation = Simulation::of_known_length(LENGTH);
    let first = simulation.create(ClientRequest::new(0, 2 * 102_400));
    simulation.run(first);
    let id = simulation.try_open(LeaseAcquisition::TakeOver, Purpose::Abort).unwrap();
    while simulation.writers[id].session.state() != State::Aborted {
        simulation.step(id);
    }
    simulation.world.kv.fails_writes = true;
    assert_eq!(simulation.run(id), SessionOutcome::Aborted);
    assert!(simulation.writers[id].session.unstored_end().is_some());
}

#[test]
fn an_object_that_cannot_be_looked_up_for_now_is_looked_up_by_a_later_session() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    simulation.world.store.faults.plan(Operation::Complete, 1, Fault::LostReply);
    simulation.world.store.faults.always(Operation::Head, Fault::Broken);
    let SessionOutcome::Failed { error, .. } = simulation.upload() else {
        panic!("the completion is known")
    };
    assert_eq!(error.kind(), ErrorKind::StoreUnavailable);
    simulation.world.store.faults.clear();
    assert!(matches!(simulation.reconcile(), SessionOutcome::Completed(_)));
}
