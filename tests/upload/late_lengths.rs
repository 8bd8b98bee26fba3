//! A length that the client declares after it has created the upload.

use vod_uploader::error::ErrorKind;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{LeaseAcquisition, SessionOutcome};

use crate::harness::{ClientRequest, Operation, Strays, World};

const LENGTH: u64 = 3 * 102_400 + 40_000;

#[test]
fn a_length_that_any_request_declares_completes_the_upload_when_it_is_reached() {
    // The requests end here; each of them in turn declares the length, or all do from there on.
    let ends = [60_000, 150_000, LENGTH];
    for declaring in 0..ends.len() {
        for again in [false, true] {
            let mut world = World::of_unknown_length(LENGTH);
            let mut from = 0;
            let mut outcome = None;
            for (index, to) in ends.into_iter().enumerate() {
                let request = ClientRequest::new(from, to);
                let declares = index == declaring || again && index > declaring;
                let request = if declares { request.declaring(LENGTH) } else { request };
                let id = world.open_request(request);
                outcome = Some(world.run(id));
                assert!(index < declaring || is_noted(&world) || to == LENGTH);
                from = to;
            }
            assert!(
                matches!(outcome, Some(SessionOutcome::Completed(_))),
                "{declaring}: {outcome:?}"
            );
        }
    }
}

#[test]
fn a_length_that_is_all_there_already_completes_the_upload_with_its_tail() {
    for length in [60_000, 102_400, 204_800, LENGTH] {
        for says_length in [true, false] {
            let mut world = World::of_unknown_length(length);
            let first = world.create(ClientRequest::new(0, length));
            let durable = ByteCount(length);
            assert_eq!(world.run(first), SessionOutcome::Suspended { durable, rejection: None });
            let request = ClientRequest::new(length, length).declaring(length);
            let request = if says_length { request } else { request.without_length() };
            let second = world.take_over(request);
            let outcome = world.run(second);
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "{length}: {outcome:?}");
        }
    }
}

#[test]
fn an_empty_request_that_completes_a_source_of_unknown_length_ends_it_where_it_is() {
    for length in [60_000, 102_400, 204_800, LENGTH] {
        for says_length in [true, false] {
            let mut world = World::of_unknown_length(length);
            let first = world.create(ClientRequest::new(0, length));
            world.run(first);
            let request = ClientRequest::new(length, length).completing();
            let request = if says_length { request } else { request.without_length() };
            let second = world.take_over(request);
            let outcome = world.run(second);
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "{length}: {outcome:?}");
        }
    }
}

#[test]
fn another_length_than_the_known_one_is_refused_and_leaves_the_writer_alone() {
    for (mut world, first) in [
        (World::of_known_length(LENGTH), ClientRequest::new(0, LENGTH)),
        (World::of_unknown_length(LENGTH), ClientRequest::new(0, LENGTH).declaring(LENGTH)),
    ] {
        let writer = world.create(first);
        while world.writers[writer].durable.is_empty() {
            world.step(writer);
        }
        let from = world.stored();
        for length in [from, LENGTH - 1, LENGTH + 1, u64::MAX] {
            let id = world.take_over(ClientRequest::new(from, LENGTH).declaring(length));
            assert_inconsistent(&world.run(id));
        }
        assert!(matches!(world.run(writer), SessionOutcome::Completed(_)));
        // Also where the object is whole already.
        let id = world.take_over(ClientRequest::new(LENGTH, LENGTH).declaring(LENGTH + 1));
        assert_inconsistent(&world.run(id));
        let id = world.take_over(ClientRequest::new(LENGTH, LENGTH).declaring(LENGTH));
        assert!(matches!(world.run(id), SessionOutcome::Completed(_)));
    }
}

#[test]
fn a_length_below_the_durable_offset_is_refused_before_the_upload_is_taken_over() {
    let mut world = World::of_unknown_length(LENGTH);
    let first = world.create(ClientRequest::new(0, 150_000));
    world.run(first);
    let writes = world.kv.writes.clone();
    let id = world.take_over(ClientRequest::new(150_000, LENGTH).declaring(149_999));
    assert_inconsistent(&world.run(id));
    assert_eq!(world.kv.writes, writes);
    assert_eq!(world.checkpoint().length_bytes, None);
}

#[test]
fn a_length_that_no_object_can_have_is_refused_before_the_upload_is_taken_over() {
    let mut world = World::of_unknown_length(LENGTH);
    let first = world.create(ClientRequest::new(0, 150_000));
    world.run(first);
    let writes = world.kv.writes.clone();
    let request = ClientRequest::new(150_000, LENGTH).declaring(53_687_091_200_001);
    let id = world.take_over(request);
    let SessionOutcome::Failed { error, .. } = world.run(id) else { panic!("it is too large") };
    assert_eq!(error.kind(), ErrorKind::FileTooLarge);
    assert_eq!(world.kv.writes, writes);
}

#[test]
fn a_length_is_noted_though_nothing_of_its_request_arrives() {
    let mut world = World::of_unknown_length(LENGTH);
    for declared in [None, Some(LENGTH)] {
        let request = ClientRequest::new(0, LENGTH).cut_at(0);
        let request = declared.map_or(request, |length| request.declaring(length));
        let id = world.open_request(request);
        world.run(id);
        assert_eq!(world.checkpoint().length_bytes, declared);
    }
    let id = world.take_over(ClientRequest::new(0, LENGTH).declaring(LENGTH + 1));
    assert_inconsistent(&world.run(id));
}

#[test]
fn a_length_is_noted_that_the_request_declares_which_creates_the_upload() {
    let mut world = World::of_unknown_length(LENGTH);
    let id = world.create(ClientRequest::new(0, LENGTH).cut_at(0).declaring(LENGTH));
    world.run(id);
    assert!(is_noted(&world));
}

#[test]
fn a_source_that_can_be_read_again_keeps_its_length_when_it_starts_over() {
    use crate::harness::Fault;
    let mut world = World::of_unknown_length(LENGTH);
    world.options.replayable = true;
    world.store.faults.plan(Operation::UploadPart, 2, Fault::Forgets);
    let id = world.create(ClientRequest::new(0, LENGTH).declaring(LENGTH));
    assert!(matches!(world.run(id), SessionOutcome::Completed(_)));
    assert_eq!(world.writers[id].rewinds, 1);
    assert_eq!(world.checkpoint().length_bytes, Some(LENGTH));
}

#[test]
fn after_a_crash_at_any_step_nothing_is_acknowledged_without_the_length() {
    for strays in Strays::ALL {
        for step in 0.. {
            let mut world = World::of_unknown_length(LENGTH);
            let first = world.create(ClientRequest::new(0, 60_000));
            world.run(first);
            let second = world.take_over(ClientRequest::new(60_000, LENGTH).declaring(LENGTH));
            if !world.crash_at(second, step, strays) {
                break;
            }
            let case = format!("{strays:?} {step}");
            assert!(world.acknowledged <= 60_000 || is_noted(&world), "{case}");
            let noted = is_noted(&world);
            let from = world.stored();
            let other = world.take_over(ClientRequest::new(from, LENGTH).declaring(LENGTH + 7));
            let outcome = if noted { Some(world.run(other)) } else { None };
            if let Some(outcome) = outcome {
                assert_inconsistent(&outcome);
            } else {
                world.crash(other);
                world.strays.clear();
            }
            let from = world.stored();
            // With the length known, the request need not say that it completes the upload.
            let last = world.take_over(ClientRequest::new(from, LENGTH).declaring(LENGTH));
            let outcome = world.run(last);
            world.land_strays();
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "{case}: {outcome:?}");
        }
    }
}

#[test]
fn a_crash_at_any_step_of_the_empty_request_that_declares_the_length_is_got_over() {
    for length in [60_000, 204_800, LENGTH] {
        for strays in Strays::ALL {
            for step in 0.. {
                let mut world = World::of_unknown_length(length);
                let first = world.create(ClientRequest::new(0, length));
                world.run(first);
                let request = ClientRequest::new(length, length).declaring(length);
                let second = world.take_over(request);
                if !world.crash_at(second, step, strays) {
                    break;
                }
                let third = world.take_over(request);
                let outcome = world.run(third);
                world.land_strays();
                let case = format!("{length} {strays:?} {step}");
                assert!(matches!(outcome, SessionOutcome::Completed(_)), "{case}: {outcome:?}");
            }
        }
    }
}

#[test]
fn a_session_that_brings_no_bytes_changes_no_length() {
    let mut world = World::of_unknown_length(LENGTH);
    let id = world.create(ClientRequest::new(0, 150_000).declaring(LENGTH));
    world.run(id);
    let suspended = SessionOutcome::Suspended { durable: ByteCount(150_000), rejection: None };
    assert_eq!(world.fence(), suspended);
    assert!(is_noted(&world));
    let id = world
        .try_open(LeaseAcquisition::TakeOver, vod_uploader::upload::Purpose::Reconcile, None)
        .unwrap();
    assert_eq!(world.run(id), suspended);
    assert!(is_noted(&world));
    assert_eq!(world.abort(), SessionOutcome::Aborted);
}

fn is_noted(world: &World) -> bool {
    world.checkpoint().length_bytes == Some(LENGTH)
}

#[track_caller]
fn assert_inconsistent(outcome: &SessionOutcome) {
    let SessionOutcome::Failed { error, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.kind(), ErrorKind::LengthInconsistent);
}
