//! Files of all boundary sizes, of known and of unknown length.

use vod_uploader::error::ErrorKind;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{LeaseAcquisition, Purpose, SessionOutcome};

use vod_uploader_sim::Operation;
use vod_uploader_sim::session::{ClientRequest, LateWrites, OBJECT, Simulation};

const MIB: u64 = 1 << 20;
const SIZES: [u64; 8] = [1, 99_999, 102_399, 102_400, MIB - 1, MIB, MIB + 1, 5 * MIB + 3];

#[test]
fn a_file_of_any_known_length_becomes_one_complete_object() {
    for size in SIZES {
        for part_size in [102_400, MIB] {
            let mut simulation = Simulation::of_known_length(size);
            simulation.options.part_size = ByteCount(part_size);
            let outcome = simulation.upload();
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "{size}: {outcome:?}");
            assert_eq!(simulation.acknowledged(), size);
            let parts = if size < 102_400 { 0 } else { size.div_ceil(part_size) as usize };
            assert_eq!(simulation.world.store.count(Operation::UploadPart), parts, "{size}");
        }
    }
}

#[test]
fn a_file_of_unknown_length_becomes_one_complete_object() {
    for size in SIZES {
        let mut simulation = Simulation::of_unknown_length(size);
        simulation.options.part_size = ByteCount(MIB);
        let request = ClientRequest::new(0, size).completing().without_length();
        let id = simulation.create(request);
        let outcome = simulation.run(id);
        assert!(matches!(outcome, SessionOutcome::Completed(_)), "{size}: {outcome:?}");
    }
}

#[test]
fn a_file_below_100_kib_is_one_put_object() {
    for mut simulation in
        [Simulation::of_known_length(102_399), Simulation::of_unknown_length(102_399)]
    {
        simulation.upload();
        assert_eq!(simulation.world.store.count(Operation::PutObject), 1);
        assert_eq!(simulation.world.store.seen.len(), 1);
        // A new upload has no other writer, which only a checkpoint before it would detect.
        assert_eq!(simulation.world.kv.writes_with(".c."), 1);
    }
}

#[test]
fn an_empty_source_is_rejected_and_nothing_is_created_on_oss() {
    let mut known = Simulation::of_known_length(0);
    let rejected = known.try_open(LeaseAcquisition::New, Purpose::Continue).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::FileEmpty);

    let mut unknown = Simulation::of_unknown_length(0);
    let SessionOutcome::Failed { error, .. } = unknown.upload() else {
        panic!("an empty file is accepted")
    };
    assert_eq!(error.kind(), ErrorKind::FileEmpty);
    assert_eq!(unknown.world.store.seen, []);
}

#[test]
fn a_declared_length_of_zero_makes_an_empty_object() {
    let request = ClientRequest::new(0, 0);
    for (mut simulation, request) in [
        (Simulation::of_known_length(0), request),
        (Simulation::of_known_length(0), request.atomic()),
        (Simulation::of_unknown_length(0), request.declaring(0)),
        (Simulation::of_unknown_length(0), request.declaring(0).completing().atomic()),
    ] {
        let id = simulation.create(request);
        let SessionOutcome::Completed(object) = simulation.run(id) else { panic!("{request:?}") };
        assert_eq!((object.size_bytes, object.crc64), (0, 0));
        assert_eq!(simulation.world.store.objects[OBJECT].bytes, b"");
        assert_eq!(simulation.world.store.seen, [(Operation::PutObject, None)]);
        // A later request has the same outcome.
        let id = simulation.take_over(request);
        assert_eq!(simulation.run(id), SessionOutcome::Completed(object));
    }
}

#[test]
fn an_empty_object_is_created_after_a_crash_at_any_step() {
    for late_writes in LateWrites::ALL {
        for step in 0.. {
            let mut simulation = Simulation::of_unknown_length(0);
            let id = simulation.create(ClientRequest::new(0, 0).declaring(0));
            if !simulation.crash_at(id, step, late_writes) {
                break;
            }
            if simulation.is_created() {
                let id = simulation.take_over(ClientRequest::new(0, 0).declaring(0));
                let outcome = simulation.run(id);
                assert!(matches!(outcome, SessionOutcome::Completed(_)), "{step}: {outcome:?}");
            }
        }
    }
}

#[test]
fn an_empty_request_is_rejected_unless_a_length_of_zero_was_declared() {
    let mut simulation = Simulation::of_unknown_length(0);
    let id = simulation.create(ClientRequest::new(0, 0).completing().without_length());
    let SessionOutcome::Failed { error, .. } = simulation.run(id) else {
        panic!("an empty file is accepted")
    };
    assert_eq!(error.kind(), ErrorKind::FileEmpty);
}

#[test]
fn a_session_holds_at_most_one_buffer_more_than_parts_in_flight() {
    for seed in 0..20 {
        let mut simulation = Simulation::of_known_length(5 * MIB).seeded(seed);
        let outcome = simulation.upload();
        assert!(matches!(outcome, SessionOutcome::Completed(_)), "{outcome:?}");
        assert!(
            simulation.writers[0].buffers_max() <= 4,
            "{} buffers",
            simulation.writers[0].buffers_max()
        );
    }
}

#[test]
fn reconciling_an_upload_in_progress_leaves_it_unchanged() {
    let mut simulation = Simulation::of_known_length(MIB);
    let id = simulation.create(ClientRequest::new(0, 204_800));
    simulation.run(id);
    let before = simulation.world.kv.values.clone();
    let outcome = simulation.reconcile();
    assert_eq!(outcome, SessionOutcome::Suspended { durable: ByteCount(204_800), rejection: None });
    for (key, value) in before.iter().filter(|(key, _)| key.contains(".c.")) {
        assert_eq!(simulation.world.kv.values.get(key), Some(value));
    }
}
