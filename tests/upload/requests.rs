//! Uploads that arrive over many requests, as tus clients send them.

use vod_uploader::error::ErrorKind;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{SessionOutcome, SourceStatus};

use crate::harness::{ClientRequest, OBJECT, Operation, World};

#[test]
fn requests_of_any_size_are_made_durable_to_their_last_byte() {
    let cases = [(1, 60), (50 << 10, 700 << 10), (100 << 10, 450_000), (150 << 10, 1_000_000)];
    for (size, length) in cases.into_iter().chain([(3 << 20, (7 << 20) + 1)]) {
        for mut world in [World::of_known_length(length), World::of_unknown_length(length)] {
            world.options.part_size = ByteCount(1 << 20);
            let outcomes = send_in_requests(&mut world, size);
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
fn a_file_below_100_kib_in_several_requests_is_still_a_single_put_object() {
    for mut world in [World::of_known_length(90_000), World::of_unknown_length(90_000)] {
        let outcomes = send_in_requests(&mut world, 40_000);
        assert_eq!(outcomes.len(), 3);
        assert!(matches!(outcomes[2], SessionOutcome::Completed(_)));
        assert_eq!(world.store.seen, [(Operation::PutObject, None)]);
        assert_eq!(world.kv.keys_with(".t."), [""; 0]);
    }
}

#[test]
fn at_most_one_tail_is_kept_and_none_after_the_end() {
    let mut world = World::of_known_length(500_000);
    while world.stored() < 450_000 {
        let from = world.stored();
        let id = world.open_request(ClientRequest::new(from, from + 30_000));
        world.run(id);
        assert!(world.kv.keys_with(".t.").len() <= 1, "{:?}", world.kv.values.keys());
    }
    world.resume();
    assert_eq!(world.kv.keys_with(".t."), [""; 0]);
}

#[test]
fn a_request_that_is_cut_off_anywhere_keeps_every_byte_that_arrived() {
    for cut in [0, 1, 102_399, 102_400, 102_401, 250_000, 399_999] {
        let mut world = World::of_known_length(400_000);
        let id = world.create(ClientRequest::new(0, 400_000).cut_at(cut));
        let outcome = world.run(id);
        assert_eq!(outcome, SessionOutcome::Suspended { durable: ByteCount(cut), rejection: None });
        assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
    }
}

#[test]
fn a_tail_that_is_filled_while_parts_are_in_flight_waits_for_them() {
    for seed in 0..100 {
        let mut world = World::of_known_length(500_000).seeded(seed);
        let id = world.create(ClientRequest::new(0, 350_000));
        let outcome = world.run(id);
        assert_eq!(
            outcome,
            SessionOutcome::Suspended { durable: ByteCount(350_000), rejection: None }
        );
        // A tail stands for the bytes right after the parts that are confirmed.
        assert!(
            world.writers[id]
                .durable
                .iter()
                .all(|durable| { durable % 102_400 == 0 || *durable == 350_000 })
        );
        assert!(matches!(world.resume(), SessionOutcome::Completed(_)), "seed {seed}");
    }
}

#[test]
fn the_last_request_of_a_source_of_unknown_length_may_be_empty() {
    for length in [60_000, 150_000, 204_800] {
        let mut world = World::of_unknown_length(length);
        let id = world.create(ClientRequest::new(0, length));
        world.run(id);
        let last = world.take_over(ClientRequest::new(length, length).completing());
        let outcome = world.run(last);
        assert!(matches!(outcome, SessionOutcome::Completed(_)), "{length}: {outcome:?}");
    }
}

#[test]
fn an_empty_request_in_the_middle_changes_nothing() {
    let mut world = World::of_known_length(300_000);
    let id = world.create(ClientRequest::new(0, 150_000));
    world.run(id);
    let id = world.take_over(ClientRequest::new(150_000, 150_000));
    let outcome = world.run(id);
    assert_eq!(outcome, SessionOutcome::Suspended { durable: ByteCount(150_000), rejection: None });
    assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
}

#[test]
fn more_bytes_than_declared_are_refused_and_those_before_are_kept() {
    let mut world = World::of_known_length(300_000);
    let request = ClientRequest { end: SourceStatus::TooLong, ..ClientRequest::new(0, 250_000) };
    let id = world.create(request);
    let SessionOutcome::Suspended { durable, rejection: Some(refused) } = world.run(id) else {
        panic!("the request is refused")
    };
    assert_eq!((durable, refused.kind()), (ByteCount(250_000), ErrorKind::LengthMismatch));
    assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
}

#[test]
fn a_completed_upload_answers_every_later_session_with_its_object() {
    let mut world = World::of_known_length(250_000);
    let completed = world.upload();
    let calls = world.store.seen.len();
    assert_eq!(world.resume(), completed);
    assert_eq!(world.settle(), completed);
    assert_eq!(world.abort(), completed);
    assert_eq!(world.store.seen.len(), calls);
    assert!(world.store.objects.contains_key(OBJECT));
}

#[test]
fn an_aborted_upload_leaves_no_parts_and_takes_no_bytes() {
    let mut world = World::of_known_length(400_000);
    let id = world.create(ClientRequest::new(0, 250_000));
    world.run(id);
    assert_eq!(world.abort(), SessionOutcome::Aborted);
    assert_eq!(world.store.uploads.len(), 0);
    assert_eq!(world.store.count(Operation::Abort), 2);
    assert_eq!(world.kv.keys_with(".t."), [""; 0]);
    assert_eq!(world.resume(), SessionOutcome::Aborted);
}

/// Sends the content in requests of `size` bytes.
fn send_in_requests(world: &mut World, size: u64) -> Vec<SessionOutcome> {
    let length = world.content.len();
    let mut outcomes = Vec::new();
    while outcomes.len() as u64 * size < length {
        let from = world.stored();
        let to = length.min(from + size);
        let request = ClientRequest::new(from, to);
        let request = if to == length { request.completing() } else { request };
        let id = world.open_request(request);
        outcomes.push(world.run(id));
    }
    outcomes
}
