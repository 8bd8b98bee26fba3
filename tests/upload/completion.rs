//! How an upload ends when the answer to Complete is lost, refused or wrong.

use vod_uploader::crc64::Crc64;
use vod_uploader::error::ErrorKind;
use vod_uploader::upload::{RetryPolicy, SessionOutcome};

use crate::harness::{ClientRequest, Fault, OBJECT, Operation, World};

const LENGTH: u64 = 3 * 102_400 + 5;

#[test]
fn a_lost_answer_to_complete_is_settled_by_the_object_itself() {
    let mut world = World::of_known_length(LENGTH);
    world.store.faults.plan(Operation::Complete, 1, Fault::LostReply);
    assert!(matches!(world.upload(), SessionOutcome::Completed(_)));
    // The second Complete finds no such upload, and then the object tells.
    assert_eq!(world.store.count(Operation::Complete), 2);
    assert_eq!(world.store.count(Operation::Head), 1);
}

#[test]
fn complete_without_any_answer_is_asked_for_again_after_a_look_at_the_object() {
    let mut world = World::of_known_length(LENGTH);
    world.options.retry = RetryPolicy { attempts_max: 1, ..RetryPolicy::default() };
    world.store.faults.plan(Operation::Complete, 1, Fault::Broken);
    assert!(matches!(world.upload(), SessionOutcome::Completed(_)));
    assert_eq!(world.store.count(Operation::Complete), 2);
    assert_eq!(world.store.count(Operation::Head), 1);
}

#[test]
fn a_complete_that_never_works_ends_the_session_and_a_later_one_settles_it() {
    let mut world = World::of_known_length(LENGTH);
    world.options.retry = RetryPolicy { attempts_max: 1, ..RetryPolicy::default() };
    world.store.faults.always(Operation::Complete, Fault::Refused(503, "ServiceUnavailable"));
    let SessionOutcome::Failed { error, durable } = world.upload() else {
        panic!("never completed")
    };
    assert_eq!((error.kind(), durable.bytes()), (ErrorKind::StoreUnavailable, LENGTH));
    assert!(error.to_string().contains("CompleteMultipartUpload"), "{error}");
    world.store.faults.clear();
    assert!(matches!(world.settle(), SessionOutcome::Completed(_)));
}

#[test]
fn where_head_object_is_denied_the_end_is_unknown_until_a_session_may_look() {
    let mut world = World::of_known_length(LENGTH);
    world.store.faults.plan(Operation::Complete, 1, Fault::LostReply);
    world.store.faults.always(Operation::Head, Fault::Refused(403, "AccessDenied"));
    let SessionOutcome::Failed { error, .. } = world.upload() else { panic!("nobody can know") };
    assert_eq!(error.kind(), ErrorKind::CompletionUnknown);
    let SessionOutcome::Failed { error, .. } = world.settle() else { panic!("nobody can know") };
    assert_eq!(error.kind(), ErrorKind::CompletionUnknown);
    world.store.faults.clear();
    assert!(matches!(world.settle(), SessionOutcome::Completed(_)));
    assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
}

#[test]
fn an_upload_that_is_gone_without_its_object_is_lost() {
    let mut world = World::of_known_length(LENGTH);
    world.store.faults.plan(Operation::Complete, 1, Fault::Forgets);
    let SessionOutcome::Lost(error) = world.upload() else { panic!("the parts are gone") };
    assert_eq!(error.kind(), ErrorKind::UploadLost);
    let SessionOutcome::Lost(error) = world.resume() else { panic!("still gone") };
    assert_eq!(error.kind(), ErrorKind::UploadLost);
}

#[test]
fn an_upload_that_is_gone_while_the_object_is_another_is_lost() {
    for other_len in [LENGTH, LENGTH + 1] {
        let mut world = World::of_known_length(LENGTH);
        world.put_other_object(other_len);
        world.store.faults.plan(Operation::Complete, 1, Fault::Forgets);
        let SessionOutcome::Lost(error) = world.upload() else { panic!("that is not our object") };
        assert_eq!(error.kind(), ErrorKind::UploadLost);
    }
}

#[test]
fn an_older_object_of_the_same_key_is_replaced_even_where_an_answer_is_lost() {
    for fault in [Fault::Broken, Fault::LostReply, Fault::Hang, Fault::HangAfter] {
        let mut world = World::of_known_length(LENGTH);
        world.options.retry = RetryPolicy { attempts_max: 1, ..RetryPolicy::default() };
        world.put_other_object(LENGTH);
        world.store.faults.plan(Operation::Complete, 1, fault);
        assert!(matches!(world.upload(), SessionOutcome::Completed(_)), "{fault:?}");
    }
}

#[test]
fn an_object_with_another_crc_is_an_error_that_names_both() {
    let mut world = World::of_known_length(LENGTH);
    world.store.faults.plan(Operation::Complete, 1, Fault::Corrupts);
    let SessionOutcome::Lost(error) = world.upload() else { panic!("the object is damaged") };
    assert_eq!(error.kind(), ErrorKind::ChecksumMismatch);
    let sent = Crc64::compute(world.content.bytes()).to_string();
    let stored = world.store.objects[OBJECT].crc64.to_string();
    assert!(error.message().contains(&sent) && error.message().contains(&stored), "{error}");
    assert!(matches!(world.resume(), SessionOutcome::Lost(_)));
}

#[test]
fn parts_that_the_store_does_not_join_end_the_upload() {
    let mut world = World::of_known_length(LENGTH);
    world.store.faults.always(Operation::Complete, Fault::Refused(400, "InvalidPart"));
    let SessionOutcome::Lost(error) = world.upload() else { panic!("the parts are refused") };
    assert_eq!(error.kind(), ErrorKind::StoreRejected);
}

#[test]
fn an_upload_that_was_completing_is_settled_before_it_is_aborted() {
    // Complete has worked, and its answer was lost with the writer: there is nothing to abort.
    let mut world = completing(Fault::HangAfter);
    assert!(matches!(world.abort(), SessionOutcome::Completed(_)));

    // Complete has never arrived.
    let mut world = completing(Fault::Hang);
    assert_eq!(world.abort(), SessionOutcome::Aborted);
    assert_eq!(world.store.uploads.len(), 0);

    // Nobody may look: the parts are dropped all the same.
    let mut world = completing(Fault::Hang);
    world.store.faults.always(Operation::Head, Fault::Refused(403, "AccessDenied"));
    assert_eq!(world.abort(), SessionOutcome::Aborted);
}

#[test]
fn an_abort_without_the_permission_still_ends_the_upload() {
    let mut world = World::of_known_length(LENGTH);
    let id = world.create(ClientRequest::new(0, 250_000));
    world.run(id);
    world.store.faults.always(Operation::Abort, Fault::Refused(403, "AccessDenied"));
    assert_eq!(world.abort(), SessionOutcome::Aborted);
    assert_eq!(world.resume(), SessionOutcome::Aborted);
}

/// The writer has sent Complete, which ends in `fault`, and is gone.
fn completing(fault: Fault) -> World {
    let mut world = World::of_known_length(LENGTH);
    world.store.faults.plan(Operation::Complete, 1, fault);
    let id = world.create(ClientRequest::new(0, LENGTH));
    while world.store.count(Operation::Complete) == 0 {
        world.step(id);
    }
    world.crash(id);
    world
}
