//! Uploads in several requests, as tus clients send them.

use vod_uploader::error::ErrorKind;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{SessionOutcome, SourceStatus};

use vod_uploader_sim::Operation;
use vod_uploader_sim::session::{ClientRequest, OBJECT, Simulation};

#[test]
fn requests_of_any_size_are_durable_to_their_last_byte() {
    let cases = [(1, 60), (50 << 10, 700 << 10), (100 << 10, 450_000), (150 << 10, 1_000_000)];
    for (size, length) in cases.into_iter().chain([(3 << 20, (7 << 20) + 1)]) {
        for mut simulation in
            [Simulation::of_known_length(length), Simulation::of_unknown_length(length)]
        {
            simulation.options.part_size = ByteCount(1 << 20);
            let outcomes = send_in_requests(&mut simulation, size);
            let (last, before) = outcomes.split_last().unwrap();
            assert!(matches!(last, SessionOutcome::Completed(_)), "{size}: {last:?}");
            for (index, outcome) in before.iter().enumerate() {
                let durable = ByteCount((index as u64 + 1) * size);
                assert_eq!(*outcome, SessionOutcome::Suspended { durable, rejection: None });
            }
        }
    }
}

#[test]
fn a_file_below_100_kib_in_several_requests_is_one_put_object() {
    for mut simulation in
        [Simulation::of_known_length(90_000), Simulation::of_unknown_length(90_000)]
    {
        let outcomes = send_in_requests(&mut simulation, 40_000);
        assert_eq!(outcomes.len(), 3);
        assert!(matches!(outcomes[2], SessionOutcome::Completed(_)));
        assert_eq!(simulation.world.store.seen, [(Operation::PutObject, None)]);
        assert_eq!(simulation.world.kv.keys_with(".t."), [""; 0]);
    }
}

#[test]
fn at_most_one_tail_is_stored_and_none_after_the_end() {
    let mut simulation = Simulation::of_known_length(500_000);
    while simulation.stored_offset_or_zero() < 450_000 {
        let from = simulation.stored_offset_or_zero();
        let id = simulation.open_request(ClientRequest::new(from, from + 30_000));
        simulation.run(id);
        assert!(
            simulation.world.kv.keys_with(".t.").len() <= 1,
            "{:?}",
            simulation.world.kv.values.keys()
        );
    }
    simulation.resume();
    assert_eq!(simulation.world.kv.keys_with(".t."), [""; 0]);
}

#[test]
fn a_request_interrupted_anywhere_keeps_every_byte_that_arrived() {
    for cut in [0, 1, 102_399, 102_400, 102_401, 250_000, 399_999] {
        let mut simulation = Simulation::of_known_length(400_000);
        let id = simulation.create(ClientRequest::new(0, 400_000).cut_at(cut));
        let outcome = simulation.run(id);
        assert_eq!(outcome, SessionOutcome::Suspended { durable: ByteCount(cut), rejection: None });
        assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
    }
}

#[test]
fn a_tail_that_is_full_while_parts_are_in_flight_waits_for_them() {
    for seed in 0..100 {
        let mut simulation = Simulation::of_known_length(500_000).seeded(seed);
        let id = simulation.create(ClientRequest::new(0, 350_000));
        let outcome = simulation.run(id);
        assert_eq!(
            outcome,
            SessionOutcome::Suspended { durable: ByteCount(350_000), rejection: None }
        );
        // A tail has the bytes directly after the confirmed parts.
        assert!(
            simulation.writers[id]
                .durable
                .iter()
                .all(|durable| { durable % 102_400 == 0 || *durable == 350_000 })
        );
        assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)), "seed {seed}");
    }
}

#[test]
fn the_last_request_of_a_source_of_unknown_length_may_be_empty() {
    for length in [60_000, 150_000, 204_800] {
        let mut simulation = Simulation::of_unknown_length(length);
        let id = simulation.create(ClientRequest::new(0, length));
        simulation.run(id);
        let last = simulation.take_over(ClientRequest::new(length, length).completing());
        let outcome = simulation.run(last);
        assert!(matches!(outcome, SessionOutcome::Completed(_)), "{length}: {outcome:?}");
    }
}

#[test]
fn an_empty_request_in_the_middle_changes_nothing() {
    let mut simulation = Simulation::of_known_length(300_000);
    let id = simulation.create(ClientRequest::new(0, 150_000));
    simulation.run(id);
    let id = simulation.take_over(ClientRequest::new(150_000, 150_000));
    let outcome = simulation.run(id);
    assert_eq!(outcome, SessionOutcome::Suspended { durable: ByteCount(150_000), rejection: None });
    assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
}

#[test]
fn more_bytes_than_declared_are_rejected_and_those_before_are_durable() {
    let mut simulation = Simulation::of_known_length(300_000);
    let request = ClientRequest { end: SourceStatus::TooLong, ..ClientRequest::new(0, 250_000) };
    let id = simulation.create(request);
    let SessionOutcome::Suspended { durable, rejection: Some(rejected) } = simulation.run(id)
    else {
        panic!("too many bytes are accepted")
    };
    assert_eq!((durable, rejected.kind()), (ByteCount(250_000), ErrorKind::LengthMismatch));
    assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
}

#[test]
fn every_session_of_a_complete_upload_returns_its_object() {
    let mut simulation = Simulation::of_known_length(250_000);
    let completed = simulation.upload();
    let calls = simulation.world.store.seen.len();
    assert_eq!(simulation.resume(), completed);
    assert_eq!(simulation.reconcile(), completed);
    assert_eq!(simulation.abort(), completed);
    assert_eq!(simulation.world.store.seen.len(), calls);
    assert!(simulation.world.store.objects.contains_key(OBJECT));
}

#[test]
fn an_aborted_upload_leaves_no_parts_and_accepts_no_bytes() {
    let mut simulation = Simulation::of_known_length(400_000);
    let id = simulation.create(ClientRequest::new(0, 250_000));
    simulation.run(id);
    assert_eq!(simulation.abort(), SessionOutcome::Aborted);
    assert_eq!(simulation.world.store.uploads.len(), 0);
    assert_eq!(simulation.world.store.count(Operation::Abort), 2);
    assert_eq!(simulation.world.kv.keys_with(".t."), [""; 0]);
    assert_eq!(simulation.resume(), SessionOutcome::Aborted);
}

/// Sends the content in requests of `size` bytes.
fn send_in_requests(simulation: &mut Simulation, size: u64) -> Vec<SessionOutcome> {
    let length = simulation.content.len();
    let mut outcomes = Vec::new();
    while outcomes.len() as u64 * size < length {
        let from = simulation.stored_offset_or_zero();
        let to = length.min(from + size);
        let request = ClientRequest::new(from, to);
        let request = if to == length { request.completing() } else { request };
        let id = simulation.open_request(request);
        outcomes.push(simulation.run(id));
    }
    outcomes
}

#[test]
fn a_request_without_bytes_leaves_the_stored_tail_unchanged() {
    let mut simulation = Simulation::of_known_length(3 * 102_400);
    let first = simulation.create(ClientRequest::new(0, 60_000));
    simulation.run(first);
    let tail = simulation.checkpoint().tail;
    assert!(tail.is_some());
    let second = simulation.take_over(ClientRequest::new(60_000, 60_000));
    let durable = ByteCount(60_000);
    assert_eq!(simulation.run(second), SessionOutcome::Suspended { durable, rejection: None });
    assert_eq!(simulation.checkpoint().tail, tail);
}
