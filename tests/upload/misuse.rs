//! Inputs that the loop contract does not allow: an error, and nothing changes.

use vod_uploader::crc64::Crc64;
use vod_uploader::error::ErrorKind;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::state::State;
use vod_uploader::upload::{
    CallId, Event, FillId, Input, KvId, Output, SessionOutcome, SourceStatus,
};

use crate::harness::{ClientRequest, Fault, Operation, World, WriterId};

const LENGTH: u64 = 3 * 102_400;

#[test]
fn what_the_session_did_not_ask_for_is_refused_and_changes_nothing() {
    for step in 0.. {
        let mut world = World::of_known_length(LENGTH);
        let id = world.create(ClientRequest::new(0, LENGTH));
        for _ in 0..step {
            world.step(id);
        }
        if world.writers[id].has_ended() {
            break;
        }
        for input in [
            Input::Kv { id: KvId(9_999), result: Ok(None) },
            Input::StoreResponse { call: CallId(9_999), result: Err("late".into()) },
            Input::StreamOpened { fill: FillId(9_999) },
            filled(9_999, 1, SourceStatus::Eof),
        ] {
            assert_refused(&mut world, id, input);
        }
        assert!(matches!(world.run(id), SessionOutcome::Completed(_)));
    }
}

#[test]
fn nothing_is_taken_after_the_end() {
    let mut world = World::of_known_length(LENGTH);
    world.upload();
    for input in [Input::Tick, filled(0, 1, SourceStatus::Eof)] {
        assert_refused(&mut world, 0, input);
    }
    assert_eq!(world.writers[0].session.pending_fill(), None);
    assert_eq!(world.writers[0].session.next_wakeup(), None);
}

#[test]
fn a_fill_that_is_not_as_long_as_it_must_be_is_refused_and_changes_nothing() {
    let mut world = World::of_known_length(LENGTH);
    let first = world.create(ClientRequest::new(0, 1_000));
    world.run(first);
    let id = world.take_over(world.rest());
    while world.writers[id].session.pending_fill().is_none() {
        world.step(id);
    }
    let want = world.writers[id].session.pending_fill().unwrap();
    let fill = want.fill.0;
    for input in [
        filled(fill, want.size.bytes() + 1, SourceStatus::Eof),
        filled(fill, want.size.bytes() - 1, SourceStatus::More),
        filled(fill, 999, SourceStatus::Interrupted),
        Input::StreamOpened { fill: want.fill },
    ] {
        assert_refused(&mut world, id, input);
    }
    assert!(matches!(world.run(id), SessionOutcome::Completed(_)));
}

#[test]
fn the_end_of_a_fill_that_is_no_longer_wanted_is_taken_for_nothing() {
    // The upload is lost while the driver fills a buffer, and the session still stores that.
    // Seeded, because in the first order that comes to mind no buffer is open just then.
    let mut world = World::of_known_length(12 * 102_400).seeded(2);
    world.store.faults.plan(Operation::UploadPart, 4, Fault::Forgets);
    let id = world.create(ClientRequest::new(0, 12 * 102_400));
    let mut wanted = None;
    while world.writers[id].session.state() != State::Lost {
        wanted = world.writers[id].session.pending_fill();
        world.step(id);
    }
    let want = wanted.expect("a buffer is being filled when the upload is lost");
    let session = &mut world.writers[id].session;
    assert_eq!(session.pending_fill(), None);
    let ended = || filled(want.fill.0, want.size.bytes(), SourceStatus::More);
    session.handle(world.now, ended()).unwrap();
    let released = session.poll();
    assert!(
        matches!(released, Some(Output::Event(Event::BufferReleased(fill))) if fill == want.fill)
    );
    assert_refused(&mut world, id, ended());
    assert!(matches!(world.run(id), SessionOutcome::Lost(_)));
}

fn filled(fill: u32, len: u64, end: SourceStatus) -> Input {
    Input::Filled { fill: FillId(fill), len: ByteCount(len), crc64: Crc64(0), end }
}

fn assert_refused(world: &mut World, id: WriterId, input: Input) {
    let session = &mut world.writers[id].session;
    let before = format!("{session:?}");
    let refused = session.handle(world.now, input).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Internal);
    assert_eq!(format!("{session:?}"), before);
    assert!(session.poll().is_none());
}
