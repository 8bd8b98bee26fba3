//! Requests of which nothing counts unless all of it arrives and is what its checksum says.

use vod_uploader::error::ErrorKind;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{SessionOutcome, SourceStatus};

use crate::harness::{ClientRequest, Fault, Operation, Strays, World};

const LENGTH: u64 = 6 * 102_400;

/// Every way to end but the right one, and the kind of error that the client is told.
const BAD_ENDS: [(SourceStatus, ErrorKind); 4] = [
    (SourceStatus::Interrupted, ErrorKind::LengthMismatch),
    (SourceStatus::TooLong, ErrorKind::LengthMismatch),
    (SourceStatus::ChecksumMismatch, ErrorKind::DigestMismatch),
    (SourceStatus::StopRequested, ErrorKind::TakenOver),
];

/// Where a request starts (with a tail, or without) and ends: a tail, parts and a tail, all.
const REQUESTS: [(u64, u64); 8] = [
    (0, 50_000),
    (0, 102_400),
    (0, 250_000),
    (0, LENGTH),
    (51_200, 60_000),
    (51_200, 204_900),
    (102_400, LENGTH),
    (51_200, LENGTH),
];

#[test]
fn a_request_that_ends_as_it_should_counts_to_its_last_byte() {
    for (from, to) in REQUESTS {
        for world in worlds() {
            for with_last_byte in [false, true] {
                let request = atomic(from, to, SourceStatus::Eof, with_last_byte);
                let mut world = begun(&world, from);
                let id = world.open_request(request);
                let outcome = world.run(id);
                if to == LENGTH {
                    assert!(
                        matches!(outcome, SessionOutcome::Completed(_)),
                        "{from}-{to} {outcome:?}"
                    );
                } else {
                    let durable = ByteCount(to);
                    assert_eq!(outcome, SessionOutcome::Suspended { durable, rejection: None });
                    assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
                }
            }
        }
    }
}

#[test]
fn a_multipart_upload_that_was_being_begun_when_a_request_is_refused_is_gone_on_with() {
    for seed in 0..60 {
        let mut world = World::of_known_length(2 * 102_400).seeded(seed);
        let id = world.create(atomic(0, 2 * 102_400, SourceStatus::ChecksumMismatch, true));
        let outcome = world.run(id);
        assert!(
            matches!(outcome, SessionOutcome::Suspended { rejection: Some(_), .. }),
            "{outcome:?}"
        );
        assert!(matches!(world.resume(), SessionOutcome::Completed(_)), "seed {seed}");
        assert_eq!(world.store.count(Operation::Initiate), 1, "seed {seed}");
    }
}

#[test]
fn why_a_request_is_refused_is_told_also_where_the_upload_cannot_be_begun() {
    for seed in 0..20 {
        let mut world = World::of_known_length(2 * 102_400).seeded(seed);
        world.store.faults.plan(Operation::Initiate, 1, Fault::Refused(403, "AccessDenied"));
        let id = world.create(atomic(0, 2 * 102_400, SourceStatus::ChecksumMismatch, true));
        match world.run(id) {
            SessionOutcome::Suspended { rejection: Some(error), .. } => {
                assert_eq!(error.kind(), ErrorKind::DigestMismatch, "seed {seed}");
            }
            // The store's answer came first.
            SessionOutcome::Failed { error, .. } => {
                assert_eq!(error.kind(), ErrorKind::AccessDenied)
            }
            other => panic!("seed {seed}: {other:?}"),
        }
    }
}

#[test]
fn a_request_that_ends_in_any_other_way_leaves_the_upload_as_it_was() {
    for (end, kind) in BAD_ENDS {
        for (from, to) in REQUESTS {
            for world in worlds() {
                for with_last_byte in [false, true] {
                    let mut world = begun(&world, from);
                    let tails = world.kv.keys_with(".t.");
                    let id = world.open_request(atomic(from, to, end, with_last_byte));
                    let case = format!("{end:?} {from}-{to} {with_last_byte}");
                    let outcome = world.run(id);
                    let SessionOutcome::Suspended { durable, rejection: Some(refused) } = &outcome
                    else {
                        panic!("{case}: {outcome:?}")
                    };
                    assert_eq!((durable.bytes(), refused.kind()), (from, kind), "{case}");
                    assert_eq!(world.writers[id].durable, [0; 0], "{case}");
                    assert_eq!(world.kv.keys_with(".t."), tails, "{case}");
                    assert_eq!(world.store.count(Operation::PutObject), 0, "{case}");
                    assert_eq!(world.store.count(Operation::Complete), 0, "{case}");
                    assert_eq!(world.stored_offset(), from, "{case}");
                    // The same bytes again, as they should be.
                    let again = world.take_over(atomic(from, to, SourceStatus::Eof, false));
                    let outcome = world.run(again);
                    assert!(
                        !matches!(outcome, SessionOutcome::Failed { .. }),
                        "{case}: {outcome:?}"
                    );
                    let whole = world.resume();
                    assert!(matches!(whole, SessionOutcome::Completed(_)), "{case}: {whole:?}");
                }
            }
        }
    }
}

#[test]
fn a_small_file_is_put_only_after_its_request_has_ended_well() {
    for known in [true, false] {
        let world = || {
            if known { World::of_known_length(5_000) } else { World::of_unknown_length(5_000) }
        };
        let request = ClientRequest::new(0, 5_000).completing().atomic();
        for (end, kind) in BAD_ENDS {
            let mut world = world();
            let id = world.create(request.ending(end));
            let SessionOutcome::Suspended { durable, rejection: refused } = world.run(id) else {
                panic!("{end:?}")
            };
            assert_eq!((durable, refused.unwrap().kind()), (ByteCount::ZERO, kind));
            assert_eq!(world.store.seen, []);
            assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
        }
        let mut world = world();
        let id = world.create(request);
        assert!(matches!(world.run(id), SessionOutcome::Completed(_)));
        assert_eq!(world.store.seen, [(Operation::PutObject, None)]);
    }
}

#[test]
fn one_byte_more_than_the_declared_length_discards_the_request() {
    let mut world = World::of_unknown_length(LENGTH + 1);
    let id = world.create(ClientRequest::new(0, LENGTH + 1).declaring(LENGTH).atomic());
    let SessionOutcome::Suspended { durable, rejection: Some(error) } = world.run(id) else {
        panic!("it is one byte too many")
    };
    assert_eq!((durable, error.kind()), (ByteCount::ZERO, ErrorKind::LengthMismatch));
}

#[test]
fn part_numbers_of_a_discarded_request_are_never_named() {
    let mut world = World::of_known_length(LENGTH);
    let id = world.create(atomic(0, LENGTH, SourceStatus::ChecksumMismatch, false));
    world.run(id);
    let spent = world.checkpoint().reserved_part_number;
    assert_eq!(spent, 6);
    assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
    let numbers = world.store.seen.iter().filter_map(|(_, number)| *number);
    assert_eq!(numbers.filter(|number| *number > spent).count(), 6);
}

#[test]
fn a_request_of_many_parts_enters_the_checkpoint_at_its_end() {
    // More than a page of ETags.
    const PARTS: u64 = 300;
    for end in [SourceStatus::Eof, SourceStatus::ChecksumMismatch] {
        let mut world = World::of_known_length(PARTS * 102_400);
        let id = world.create(atomic(0, PARTS * 102_400, end, false));
        let mut noted_before_end = 0;
        while world.step(id) {
            let sent = world.store.count(Operation::UploadPart) as u64;
            if world.is_known() && sent < PARTS {
                noted_before_end = noted_before_end.max(world.stored_offset());
            }
        }
        assert_eq!(noted_before_end, 0);
        assert!(world.writers[id].held_max <= 4, "{} buffers", world.writers[id].held_max);
        assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
    }
}

#[test]
fn a_failed_call_discards_what_has_not_ended_well() {
    let mut world = World::of_known_length(LENGTH);
    world.store.faults.plan(Operation::UploadPart, 4, Fault::Refused(400, "InvalidArgument"));
    let id = world.create(ClientRequest::new(0, LENGTH).atomic().cut_at(500_000));
    while world.store.count(Operation::UploadPart) < 4 {
        world.step(id);
    }
    let SessionOutcome::Failed { durable, .. } = world.run(id) else {
        panic!("a part was refused")
    };
    assert_eq!(durable, ByteCount::ZERO);
    assert_eq!(world.stored_offset(), 0);
    assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
}

#[test]
fn streamed_parts_count_only_after_their_request_has_ended_well() {
    const PART: u64 = 17 << 20;
    const LENGTH: u64 = 2 * PART + 102_400;
    let world = || {
        let mut world = World::of_known_length(LENGTH);
        world.options.part_size = ByteCount(PART);
        let tail = world.create(ClientRequest::new(0, 70_000));
        world.run(tail);
        world
    };
    let request = ClientRequest::new(70_000, LENGTH).atomic();
    for (end, kind) in BAD_ENDS {
        for arrived in [0, 90_000, PART, PART + 5_000_000, 2 * PART, LENGTH - 70_000] {
            let mut world = world();
            let cut = ClientRequest { to: 70_000 + arrived, ..request }.ending(end);
            let id = world.take_over(cut);
            let SessionOutcome::Suspended { durable, rejection: refused } = world.run(id) else {
                panic!("{end:?}")
            };
            let case = format!("{end:?} {arrived}");
            assert_eq!((durable.bytes(), refused.unwrap().kind()), (70_000, kind), "{case}");
            assert_eq!(world.kv.keys_with(".t.").len(), 1, "{case}");
        }
    }
    // A request that ends before its declared length is truncated, even if its end is reported.
    let mut short = world();
    let cut = ClientRequest { to: PART + 5_000_000, ..request };
    let id = short.take_over(cut);
    let SessionOutcome::Suspended { durable, rejection: refused } = short.run(id) else {
        panic!("it is short")
    };
    assert_eq!(durable, ByteCount(70_000));
    assert_eq!(refused.unwrap().kind(), ErrorKind::LengthMismatch);

    let mut whole = world();
    let id = whole.take_over(request);
    assert!(matches!(whole.run(id), SessionOutcome::Completed(_)));
}

#[test]
fn after_a_crash_at_any_step_of_a_streamed_part_the_request_counts_from_its_start() {
    const PART: u64 = 17 << 20;
    const LENGTH: u64 = PART + 102_400;
    for end in [SourceStatus::Eof, SourceStatus::ChecksumMismatch] {
        for step in 0.. {
            let mut world = World::of_known_length(LENGTH);
            world.options.part_size = ByteCount(PART);
            let tail = world.create(ClientRequest::new(0, 70_000));
            world.run(tail);
            let id = world.take_over(atomic(70_000, LENGTH, end, false));
            if !world.crash_at(id, step, Strays::ArriveAtOnce) {
                break;
            }
            let offset = world.stored_offset();
            assert!(end == SourceStatus::Eof || offset == 70_000, "{end:?} {step}: {offset}");
            let outcome = world.resume();
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "{end:?} {step}: {outcome:?}");
        }
    }
}

#[test]
fn a_late_length_and_the_end_of_the_file_count_with_their_request() {
    let mut world = World::of_unknown_length(150_000);
    let first = world.create(ClientRequest::new(0, 150_000));
    world.run(first);
    let empty = ClientRequest::new(150_000, 150_000).declaring(150_000).atomic();
    let id = world.take_over(empty.ending(SourceStatus::ChecksumMismatch));
    let SessionOutcome::Suspended { durable, rejection: refused } = world.run(id) else {
        panic!("it is refused")
    };
    assert_eq!((durable, refused.unwrap().kind()), (ByteCount(150_000), ErrorKind::DigestMismatch));
    let id = world.take_over(empty);
    assert!(matches!(world.run(id), SessionOutcome::Completed(_)));
}

#[test]
fn after_a_crash_at_any_step_all_of_the_request_counts_from_its_start() {
    for (from, to) in [(51_200, 204_900), (51_200, LENGTH), (0, 60_000)] {
        for end in [SourceStatus::Eof, SourceStatus::ChecksumMismatch] {
            for strays in Strays::ALL {
                for step in 0.. {
                    let mut world = begun(&World::of_known_length(LENGTH), from);
                    let id = world.open_request(atomic(from, to, end, false));
                    if !world.crash_at(id, step, strays) {
                        break;
                    }
                    let case = format!("{from}-{to} {end:?} {strays:?} {step}");
                    if !world.is_known() {
                        continue;
                    }
                    let offset = world.stored_offset();
                    assert!(end == SourceStatus::Eof || offset == from, "{case}: {offset}");
                    let outcome = world.resume();
                    world.land_strays();
                    assert!(matches!(outcome, SessionOutcome::Completed(_)), "{case}: {outcome:?}");
                }
            }
        }
    }
}

#[test]
fn a_writer_that_takes_over_before_the_end_begins_where_the_request_began() {
    for step in 0.. {
        let mut world = begun(&World::of_known_length(LENGTH), 51_200);
        let first = world.take_over(atomic(51_200, 400_000, SourceStatus::Eof, false));
        if !(0..step).all(|_| world.step(first)) {
            break;
        }
        let from = world.stored_offset();
        let second = world.take_over(atomic(from, LENGTH, SourceStatus::Eof, false));
        world.run_all();
        let outcomes = [first, second].map(|id| world.writers[id].outcome.clone().unwrap());
        let whole = matches!(world.resume(), SessionOutcome::Completed(_));
        assert!(whole, "{step}: {outcomes:?}");
    }
}

fn atomic(from: u64, to: u64, end: SourceStatus, with_last_byte: bool) -> ClientRequest {
    let request = ClientRequest::new(from, to).atomic().ending(end);
    let request = if to == LENGTH { request.completing() } else { request };
    if with_last_byte { request.ending_with_last_byte() } else { request }
}

fn worlds() -> [World; 2] {
    [World::of_known_length(LENGTH), World::of_unknown_length(LENGTH)]
}

/// A world like this one whose upload is at `offset`.
fn begun(like: &World, offset: u64) -> World {
    let mut world = like.fresh();
    if offset > 0 {
        let id = world.create(ClientRequest::new(0, offset));
        world.run(id);
    }
    world
}
