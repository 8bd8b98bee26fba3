//! Files of every size at which something changes, of known and of unknown length.

use vod_uploader::error::ErrorKind;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{LeaseAcquisition, Purpose, SessionOutcome};

use crate::harness::{ClientRequest, OBJECT, Operation, Strays, World};

const MIB: u64 = 1 << 20;
const SIZES: [u64; 8] = [1, 99_999, 102_399, 102_400, MIB - 1, MIB, MIB + 1, 5 * MIB + 3];

#[test]
fn a_file_of_any_known_length_becomes_one_whole_object() {
    for size in SIZES {
        for part_size in [102_400, MIB] {
            let mut world = World::of_known_length(size);
            world.options.part_size = ByteCount(part_size);
            let outcome = world.upload();
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "{size}: {outcome:?}");
            assert_eq!(world.acknowledged, size);
            let parts = if size < 102_400 { 0 } else { size.div_ceil(part_size) as usize };
            assert_eq!(world.store.count(Operation::UploadPart), parts, "{size}");
        }
    }
}

#[test]
fn a_file_of_unknown_length_becomes_one_whole_object() {
    for size in SIZES {
        let mut world = World::of_unknown_length(size);
        world.options.part_size = ByteCount(MIB);
        let request = ClientRequest::new(0, size).completing().without_length();
        let id = world.create(request);
        let outcome = world.run(id);
        assert!(matches!(outcome, SessionOutcome::Completed(_)), "{size}: {outcome:?}");
    }
}

#[test]
fn a_file_below_100_kib_is_a_single_put_object() {
    for mut world in [World::of_known_length(102_399), World::of_unknown_length(102_399)] {
        world.upload();
        assert_eq!(world.store.count(Operation::PutObject), 1);
        assert_eq!(world.store.seen.len(), 1);
    }
}

#[test]
fn an_empty_source_is_refused_by_name_and_nothing_is_created_on_the_store() {
    let mut known = World::of_known_length(0);
    let refused = known.try_open(LeaseAcquisition::New, Purpose::Continue, None).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::FileEmpty);

    let mut unknown = World::of_unknown_length(0);
    let SessionOutcome::Failed { error, .. } = unknown.upload() else {
        panic!("an empty file is refused")
    };
    assert_eq!(error.kind(), ErrorKind::FileEmpty);
    assert_eq!(unknown.store.seen, []);
}

#[test]
fn a_declared_length_of_zero_makes_an_empty_object() {
    let request = ClientRequest::new(0, 0);
    for (mut world, request) in [
        (World::of_known_length(0), request),
        (World::of_known_length(0), request.atomic()),
        (World::of_unknown_length(0), request.declaring(0)),
        (World::of_unknown_length(0), request.declaring(0).completing().atomic()),
    ] {
        let id = world.create(request);
        let SessionOutcome::Completed(object) = world.run(id) else { panic!("{request:?}") };
        assert_eq!((object.size_bytes, object.crc64), (0, 0));
        assert_eq!(world.store.objects[OBJECT].bytes, b"");
        assert_eq!(world.store.seen, [(Operation::PutObject, None)]);
        // Who comes later is told the same.
        let id = world.take_over(request);
        assert_eq!(world.run(id), SessionOutcome::Completed(object));
    }
}

#[test]
fn an_empty_object_is_made_after_a_crash_at_any_step() {
    for strays in Strays::ALL {
        for step in 0.. {
            let mut world = World::of_unknown_length(0);
            let id = world.create(ClientRequest::new(0, 0).declaring(0));
            if !world.crash_at(id, step, strays) {
                break;
            }
            if world.is_known() {
                let id = world.take_over(ClientRequest::new(0, 0).declaring(0));
                let outcome = world.run(id);
                assert!(matches!(outcome, SessionOutcome::Completed(_)), "{step}: {outcome:?}");
            }
        }
    }
}

#[test]
fn an_empty_request_is_refused_where_no_length_of_zero_was_declared() {
    let mut world = World::of_unknown_length(0);
    let id = world.create(ClientRequest::new(0, 0).completing().without_length());
    let SessionOutcome::Failed { error, .. } = world.run(id) else { panic!("it has no bytes") };
    assert_eq!(error.kind(), ErrorKind::FileEmpty);
}

#[test]
fn no_more_buffers_are_held_than_parts_may_be_in_flight_and_one() {
    for seed in 0..20 {
        let mut world = World::of_known_length(5 * MIB).seeded(seed);
        let outcome = world.upload();
        assert!(matches!(outcome, SessionOutcome::Completed(_)), "{outcome:?}");
        assert!(world.writers[0].held_max <= 4, "{} buffers", world.writers[0].held_max);
    }
}

#[test]
fn a_session_that_only_settles_an_upload_in_progress_leaves_it_as_it_is() {
    let mut world = World::of_known_length(MIB);
    let id = world.create(ClientRequest::new(0, 204_800));
    world.run(id);
    let before = world.kv.values.clone();
    let outcome = world.settle();
    assert_eq!(outcome, SessionOutcome::Suspended { durable: ByteCount(204_800), rejection: None });
    for (key, value) in before.iter().filter(|(key, _)| key.contains(".c.")) {
        assert_eq!(world.kv.values.get(key), Some(value));
    }
}
