//! The store forgets a multipart upload: a source that can be read again starts over, once.

use vod_uploader::error::ErrorKind;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::SessionOutcome;

use crate::harness::{ClientRequest, Fault, OBJECT, Operation, World};

const PARTS: u32 = 5;
const LENGTH: u64 = PARTS as u64 * 102_400;

/// Every call by which a session can learn that the upload is gone.
fn points() -> Vec<(Operation, u32)> {
    let parts = (1..=PARTS).map(|nth| (Operation::UploadPart, nth));
    parts.chain([(Operation::Complete, 1)]).collect()
}

#[test]
fn a_source_that_can_be_read_again_starts_over_once_and_ends_whole() {
    for seed in 0..20 {
        for (operation, nth) in points() {
            let mut world = replayable().seeded(seed);
            world.store.faults.plan(operation, nth, Fault::Forgets);
            let outcome = world.upload();
            let case = format!("seed {seed} {operation:?} {nth}: {outcome:?}");
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "{case}");
            assert_eq!(world.writers[0].rewinds, 1, "{case}");
            assert_eq!(world.store.objects.keys().collect::<Vec<_>>(), [OBJECT]);
            assert_eq!(world.store.uploads.len(), 0, "{case}");
        }
    }
}

#[test]
fn an_upload_that_is_forgotten_twice_is_lost() {
    for (operation, nth) in points() {
        let mut world = replayable();
        world.store.faults.plan(operation, nth, Fault::Forgets);
        world.store.faults.plan(
            Operation::Complete,
            1 + u32::from(operation == Operation::Complete),
            Fault::Forgets,
        );
        let outcome = world.upload();
        let SessionOutcome::Lost(error) = &outcome else {
            panic!("{operation:?} {nth}: {outcome:?}")
        };
        assert_eq!(error.kind(), ErrorKind::UploadLost);
    }
}

#[test]
fn without_a_source_to_read_again_the_upload_is_lost_for_every_later_session() {
    for (operation, nth) in points() {
        let mut world = World::of_known_length(LENGTH);
        world.store.faults.plan(operation, nth, Fault::Forgets);
        for outcome in [world.upload(), world.resume(), world.settle()] {
            let SessionOutcome::Lost(error) = &outcome else {
                panic!("{operation:?} {nth}: {outcome:?}")
            };
            assert_eq!(error.kind(), ErrorKind::UploadLost);
        }
        assert_eq!(world.store.count(Operation::Initiate), 1);
        assert_eq!(world.abort(), SessionOutcome::Aborted);
    }
}

#[test]
fn a_resumed_session_learns_of_it_from_the_list_of_parts() {
    for replayable in [false, true] {
        let mut world = World::of_known_length(LENGTH);
        world.options.replayable = replayable;
        let id = world.create(ClientRequest::new(0, LENGTH));
        while world.acknowledged < 2 * 102_400 {
            world.step(id);
        }
        world.crash(id);
        world.store.uploads.clear();
        match world.resume() {
            SessionOutcome::Completed(_) => assert!(replayable),
            SessionOutcome::Lost(error) => {
                assert!(!replayable);
                assert_eq!(error.kind(), ErrorKind::UploadLost);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_upload_that_starts_over_can_crash_at_any_step() {
    for step in 0.. {
        let mut world = replayable();
        world.store.faults.plan(Operation::UploadPart, 3, Fault::Forgets);
        let id = world.create(ClientRequest::new(0, LENGTH));
        for _ in 0..step {
            world.step(id);
        }
        if world.writers[id].has_ended() {
            break;
        }
        world.crash(id);
        world.land_strays();
        if world.is_known() {
            let outcome = world.resume();
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "{step}: {outcome:?}");
        }
    }
}

#[test]
fn a_writer_that_was_taken_over_begins_no_upload_when_its_own_is_gone() {
    // The first writer is stopped with parts on their way; the second completes the upload.
    for stop in 10..40 {
        let mut world = replayable();
        let first = world.create(ClientRequest::new(0, LENGTH));
        for _ in 0..stop {
            world.step(first);
        }
        let second = world.take_over(world.rest());
        if !matches!(world.run(second), SessionOutcome::Completed(_)) {
            continue;
        }
        let begun = world.store.count(Operation::Initiate);
        let outcome = world.run(first);
        let SessionOutcome::Failed { error, .. } = outcome else { panic!("{stop}: {outcome:?}") };
        assert_eq!(error.kind(), ErrorKind::TakenOver);
        assert!(world.store.count(Operation::Initiate) <= begun + 1);
        assert_eq!(world.store.uploads.len(), 0, "{stop}");
    }
}

#[test]
fn a_later_request_for_the_rest_starts_over_from_the_first_byte() {
    let mut world = replayable();
    let id = world.create(ClientRequest::new(0, 250_000));
    world.run(id);
    world.store.faults.plan(Operation::UploadPart, 1, Fault::Forgets);
    assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
    assert_eq!(world.writers[1].rewinds, 1);
    assert_eq!(world.kv.keys_with(".t."), [""; 0]);
}

fn replayable() -> World {
    let mut world = World::of_known_length(LENGTH);
    world.options.replayable = true;
    world.options.part_size = ByteCount(102_400);
    world
}
