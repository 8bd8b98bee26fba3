//! Inputs that the loop contract does not allow: they are rejected without effect.

use vod_uploader::crc64::Crc64;
use vod_uploader::error::{Error, ErrorKind};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::state::State;
use vod_uploader::upload::{
    CallId, Event, FillId, Input, KvId, Output, SessionOutcome, SourceStatus,
};

use vod_uploader_sim::session::{ClientRequest, Simulation, WriterId};
use vod_uploader_sim::{Fault, Operation};

const LENGTH: u64 = 3 * 102_400;

#[test]
fn an_unrequested_input_is_rejected_without_effect() {
    for step in 0.. {
        let mut simulation = Simulation::of_known_length(LENGTH);
        let id = simulation.create(ClientRequest::new(0, LENGTH));
        for _ in 0..step {
            simulation.step(id);
        }
        if simulation.writers[id].has_ended() {
            break;
        }
        for input in [
            Input::Kv { id: KvId(9_999), result: Ok(None) },
            Input::StoreResponse { call: CallId(9_999), result: Err("late".into()) },
            Input::StreamOpened { fill: FillId(9_999) },
            filled(9_999, 1, SourceStatus::Eof),
        ] {
            assert_rejected(&mut simulation, id, input);
        }
        assert!(matches!(simulation.run(id), SessionOutcome::Completed(_)));
    }
}

#[test]
fn a_response_to_a_call_that_was_not_sent_is_rejected() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    let id = simulation.create(ClientRequest::new(0, LENGTH));
    let response = Input::StoreResponse { call: CallId(0), result: Err("early".into()) };
    assert_rejected(&mut simulation, id, response);
}

#[test]
fn every_input_after_the_end_is_rejected() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    simulation.upload();
    for input in [Input::Tick, filled(0, 1, SourceStatus::Eof)] {
        assert_rejected(&mut simulation, 0, input);
    }
    assert_eq!(simulation.writers[0].session.pending_fill(), None);
    assert_eq!(simulation.writers[0].session.next_wakeup(), None);
}

#[test]
fn a_fill_of_wrong_length_is_rejected_without_effect() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    let first = simulation.create(ClientRequest::new(0, 1_000));
    simulation.run(first);
    let id = simulation.take_over(simulation.rest());
    while simulation.writers[id].session.pending_fill().is_none() {
        simulation.step(id);
    }
    let pending = simulation.writers[id].session.pending_fill().unwrap();
    let fill = pending.fill.0;
    for input in [
        filled(fill, pending.size.bytes() + 1, SourceStatus::Eof),
        filled(fill, pending.size.bytes() - 1, SourceStatus::More),
        filled(fill, 999, SourceStatus::Interrupted),
        Input::StreamOpened { fill: pending.fill },
    ] {
        assert_rejected(&mut simulation, id, input);
    }
    assert!(matches!(simulation.run(id), SessionOutcome::Completed(_)));
}

#[test]
fn the_end_of_a_canceled_fill_is_ignored() {
    // The upload is lost while the driver fills a buffer. The seed selects an order in which a fill
    // is open at that time.
    let mut simulation = Simulation::of_known_length(12 * 102_400).seeded(2);
    simulation.world.store.faults.plan(Operation::UploadPart, 4, Fault::Forgets);
    let id = simulation.create(ClientRequest::new(0, 12 * 102_400));
    let mut last = None;
    while simulation.writers[id].session.state() != State::Lost {
        last = simulation.writers[id].session.pending_fill();
        simulation.step(id);
    }
    let pending = last.expect("a buffer is being filled when the upload is lost");
    let session = &mut simulation.writers[id].session;
    assert_eq!(session.pending_fill(), None);
    let ended = || filled(pending.fill.0, pending.size.bytes(), SourceStatus::More);
    session.handle(simulation.world.now(), ended()).unwrap();
    let released = session.poll();
    assert!(
        matches!(released, Some(Output::Event(Event::BufferReleased(fill))) if fill == pending.fill)
    );
    assert_rejected(&mut simulation, id, ended());
    assert!(matches!(simulation.run(id), SessionOutcome::Lost(_)));
}

fn filled(fill: u32, len: u64, end: SourceStatus) -> Input {
    Input::Filled { fill: FillId(fill), len: ByteCount(len), crc64: Crc64(0), end }
}

fn assert_rejected(simulation: &mut Simulation, id: WriterId, input: Input) {
    let session = &mut simulation.writers[id].session;
    let before = format!("{session:?}");
    let rejected = session.handle(simulation.world.now(), input).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::Internal);
    assert_eq!(format!("{session:?}"), before);
    assert!(session.poll().is_none());
}

#[test]
fn a_cancellation_ends_the_session_unless_its_end_is_already_determined() {
    for (state, is_completed) in [(State::Receiving, false), (State::Completed, true)] {
        let mut simulation = Simulation::of_known_length(LENGTH);
        let id = simulation.create(ClientRequest::new(0, LENGTH));
        while simulation.writers[id].session.state() != state {
            simulation.step(id);
        }
        let error = Error::new(ErrorKind::TakenOver, "canceled");
        simulation.handle(id, Input::Cancel(error));
        let outcome = simulation.run(id);
        assert_eq!(matches!(outcome, SessionOutcome::Completed(_)), is_completed, "{outcome:?}");
    }
}
