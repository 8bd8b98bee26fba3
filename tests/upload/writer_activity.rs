//! What a checkpoint says of the writer that stored it, and requests that are asked to end.

use vod_uploader::error::{Error, ErrorKind};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{Input, Lease, SessionOutcome, SourceStatus, UploadPhase};

use crate::harness::{ClientRequest, Fault, Operation, Strays, World, key};

const LENGTH: u64 = 4 * 102_400;

#[test]
fn a_checkpoint_says_that_a_writer_is_at_work_until_it_has_ended() {
    for (mut world, request) in [
        (World::of_known_length(LENGTH), ClientRequest::new(0, LENGTH)),
        (World::of_known_length(LENGTH), ClientRequest::new(0, 150_000)),
        (World::of_known_length(LENGTH), ClientRequest::new(0, LENGTH).cut_at(250_000)),
        (World::of_unknown_length(LENGTH), ClientRequest::new(0, 150_000).declaring(LENGTH)),
        (
            World::of_unknown_length(LENGTH),
            ClientRequest::new(0, LENGTH).atomic().ending(SourceStatus::ChecksumMismatch),
        ),
    ] {
        let id = world.create(request);
        let mut seen = 0;
        while world.step(id) {
            if !world.is_known() || world.writers[id].has_ended() {
                continue;
            }
            let checkpoint = world.checkpoint();
            let acknowledges = matches!(checkpoint.phase, UploadPhase::Receiving);
            seen += u32::from(checkpoint.writer_active);
            assert!(!checkpoint.writer_active || acknowledges);
        }
        assert!(seen > 0, "{request:?}");
        assert!(!world.checkpoint().writer_active, "{request:?}");
    }
}

#[test]
fn the_first_writer_of_an_upload_says_so_before_its_first_byte() {
    let mut world = World::of_known_length(LENGTH);
    let unheld = Lease::unheld().encode().unwrap();
    world.kv.write(&key().lease_key(), &unheld).unwrap();
    let id = world.take_over(ClientRequest::new(0, LENGTH));
    while !world.checkpoint().writer_active {
        assert!(world.step(id), "it ended before");
    }
    assert_eq!(world.store.count(Operation::Initiate), 0);
    assert!(matches!(world.run(id), SessionOutcome::Completed(_)));
}

#[test]
fn a_writer_that_crashed_is_still_at_work_until_the_next_has_ended() {
    let mut world = World::of_known_length(LENGTH);
    let id = world.create(ClientRequest::new(0, LENGTH));
    while world.writers[id].durable.is_empty() {
        world.step(id);
    }
    world.crash(id);
    world.strays.clear();
    assert!(world.checkpoint().writer_active);
    let durable = ByteCount(world.stored_offset());
    assert_eq!(world.fence(), SessionOutcome::Suspended { durable, rejection: None });
    assert!(!world.checkpoint().writer_active);
}

#[test]
fn however_a_session_ends_that_could_store_it_nobody_is_at_work_after_it() {
    type End = fn(&mut World, usize);
    let given_up: End = |world, id| {
        let error = Error::new(ErrorKind::UploadStopped, "stopped");
        world.writers[id].tell(world.now, Input::Cancel(error));
    };
    let refused: End = |world, _| {
        world.store.faults.always(Operation::UploadPart, Fault::Refused(400, "InvalidArgument"));
    };
    let forgotten: End = |world, _| {
        world.store.faults.plan(Operation::UploadPart, 1, Fault::Forgets);
    };
    for (name, end) in [("given up", given_up), ("refused", refused), ("forgotten", forgotten)] {
        for step in 0..60 {
            let mut world = World::of_known_length(LENGTH);
            let first = world.create(ClientRequest::new(0, 60_000));
            world.run(first);
            let id = world.take_over(ClientRequest::new(60_000, LENGTH));
            if !(0..step).all(|_| world.step(id)) || world.writers[id].has_ended() {
                break;
            }
            end(&mut world, id);
            let outcome = world.run(id);
            assert!(!world.checkpoint().writer_active, "{name} {step}: {outcome:?}");
        }
    }
}

#[test]
fn an_empty_request_leaves_nobody_at_work() {
    for cut in [false, true] {
        let mut world = World::of_known_length(LENGTH);
        for _ in 0..2 {
            let request = ClientRequest::new(0, LENGTH).cut_at(0);
            let request = if cut { request } else { ClientRequest::new(0, 0) };
            let id = world.open_request(request);
            world.run(id);
            assert!(!world.checkpoint().writer_active);
        }
    }
}

#[test]
fn a_request_that_is_asked_to_end_keeps_all_that_it_has_brought() {
    for stop in [0, 1, 60_000, 102_400, 150_000, 307_201] {
        for mut world in [World::of_known_length(LENGTH), World::of_unknown_length(LENGTH)] {
            let request =
                ClientRequest::new(0, LENGTH).cut_at(stop).ending(SourceStatus::StopRequested);
            let id = world.create(request.completing());
            let SessionOutcome::Suspended { durable, rejection: refused } = world.run(id) else {
                panic!("{stop}")
            };
            assert_eq!(durable, ByteCount(stop));
            assert_eq!(refused.map(|error| error.kind()), Some(ErrorKind::TakenOver));
            assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
        }
    }
}

#[test]
fn a_streamed_part_that_is_asked_to_end_leaves_the_upload_where_the_part_began() {
    const PART: u64 = 17 << 20;
    let mut world = World::of_known_length(2 * PART);
    world.options.part_size = ByteCount(PART);
    let request =
        ClientRequest::new(0, 2 * PART).cut_at(PART + 5).ending(SourceStatus::StopRequested);
    let id = world.create(request);
    let SessionOutcome::Suspended { durable, rejection: refused } = world.run(id) else {
        panic!("it is stopped")
    };
    assert_eq!(durable, ByteCount(PART));
    assert_eq!(refused.map(|error| error.kind()), Some(ErrorKind::TakenOver));
}

#[test]
fn a_request_that_has_brought_all_is_not_stopped() {
    let mut world = World::of_known_length(LENGTH);
    let request = ClientRequest::new(0, LENGTH).ending(SourceStatus::StopRequested);
    let id = world.create(request.ending_with_last_byte());
    assert!(matches!(world.run(id), SessionOutcome::Completed(_)));
}

#[test]
fn after_a_crash_of_a_request_that_was_asked_to_end_the_next_makes_the_object_whole() {
    for strays in Strays::ALL {
        for step in 0.. {
            let mut world = World::of_known_length(LENGTH);
            let request = ClientRequest::new(0, LENGTH).cut_at(150_000);
            let id = world.create(request.ending(SourceStatus::StopRequested));
            if !world.crash_at(id, step, strays) {
                break;
            }
            if world.is_known() {
                let outcome = world.resume();
                world.land_strays();
                assert!(matches!(outcome, SessionOutcome::Completed(_)), "{step}: {outcome:?}");
            }
        }
    }
}
