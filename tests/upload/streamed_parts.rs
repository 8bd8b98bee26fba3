//! Parts that are too large to be held: passed through to the store, one at a time.

use vod_uploader::error::ErrorKind;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::SessionOutcome;

use crate::harness::{ClientRequest, Fault, Operation, World};

const PART: u64 = 17 << 20;
const LENGTH: u64 = 2 * PART + 102_400;

#[test]
fn streamed_parts_become_a_whole_object() {
    let mut world = world();
    assert!(matches!(world.upload(), SessionOutcome::Completed(_)));
    assert_eq!(world.store.count(Operation::UploadPart), 3);
    assert!(world.writers[0].held_max <= 1);
}

#[test]
fn a_streamed_part_that_is_cut_is_not_stored_and_the_client_continues_where_it_began() {
    let mut world = world();
    let id = world.create(ClientRequest::new(0, LENGTH).cut_at(PART + 5_000_000));
    let outcome = world.run(id);
    assert_eq!(outcome, SessionOutcome::Suspended { durable: ByteCount(PART), rejection: None });
    assert_eq!(world.store.count(Operation::UploadPart), 1);
    assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
}

#[test]
fn a_first_streamed_part_that_is_cut_leaves_the_upload_at_its_tail() {
    let mut world = world();
    let id = world.create(ClientRequest::new(0, 70_000));
    world.run(id);
    // The second request is cut off within the bytes of the tail, and then after them.
    for arrived in [0, 90_000] {
        let cut = ClientRequest::new(70_000, LENGTH).cut_at(70_000 + arrived);
        let id = world.take_over(cut);
        let outcome = world.run(id);
        assert_eq!(
            outcome,
            SessionOutcome::Suspended { durable: ByteCount(70_000), rejection: None }
        );
    }
    assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
}

#[test]
fn a_streamed_part_that_the_store_fails_ends_the_session_because_its_bytes_are_gone() {
    let cases = [
        (Fault::Broken, ErrorKind::StoreUnavailable),
        (Fault::LostReply, ErrorKind::StoreUnavailable),
        (Fault::HangAfter, ErrorKind::StoreUnavailable),
        (Fault::Corrupts, ErrorKind::ChecksumMismatch),
        (Fault::Refused(403, "SecurityTokenExpired"), ErrorKind::CredentialExpired),
    ];
    for (fault, kind) in cases {
        let mut world = world();
        world.store.faults.plan(Operation::UploadPart, 2, fault);
        let SessionOutcome::Failed { error, durable } = world.upload() else { panic!("{fault:?}") };
        assert_eq!((error.kind(), durable), (kind, ByteCount(PART)), "{fault:?}");
        assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
    }
}

#[test]
fn a_damaged_streamed_part_is_noticed_also_where_the_answer_comes_before_the_end_of_the_fill() {
    for seed in 0..6 {
        let mut world = world().seeded(seed);
        world.store.faults.plan(Operation::UploadPart, 1, Fault::Corrupts);
        let SessionOutcome::Failed { error, durable } = world.upload() else {
            panic!("it is damaged")
        };
        assert_eq!((error.kind(), durable.bytes()), (ErrorKind::ChecksumMismatch, 0));
    }
}

#[test]
fn a_streamed_part_that_the_store_refuses_at_once_ends_the_session_in_its_middle() {
    let mut world = world();
    world.store.answers_before_body = true;
    world.store.faults.plan(Operation::UploadPart, 1, Fault::Refused(503, "ServiceUnavailable"));
    let SessionOutcome::Failed { error, durable } = world.upload() else {
        panic!("it was refused")
    };
    assert_eq!((error.kind(), durable), (ErrorKind::StoreUnavailable, ByteCount::ZERO));
    world.store.answers_before_body = false;
    assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
}

fn world() -> World {
    let mut world = World::of_known_length(LENGTH);
    world.options.part_size = ByteCount(PART);
    world
}
