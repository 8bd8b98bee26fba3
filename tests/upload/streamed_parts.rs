//! Parts that are too large for a buffer: they are streamed to OSS, one at a time.

use vod_uploader::error::ErrorKind;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::SessionOutcome;

use vod_uploader_sim::session::{ClientRequest, Simulation};
use vod_uploader_sim::{Fault, Operation};

const PART: u64 = 17 << 20;
const LENGTH: u64 = 2 * PART + 102_400;

#[test]
fn streamed_parts_become_a_complete_object() {
    let mut simulation = simulation();
    assert!(matches!(simulation.upload(), SessionOutcome::Completed(_)));
    assert_eq!(simulation.world.store.count(Operation::UploadPart), 3);
    assert!(simulation.writers[0].buffers_max() <= 1);
}

#[test]
fn an_interrupted_streamed_part_is_not_stored_and_the_client_resumes_at_its_start() {
    let mut simulation = simulation();
    let id = simulation.create(ClientRequest::new(0, LENGTH).cut_at(PART + 5_000_000));
    let outcome = simulation.run(id);
    assert_eq!(outcome, SessionOutcome::Suspended { durable: ByteCount(PART), rejection: None });
    assert_eq!(simulation.world.store.count(Operation::UploadPart), 1);
    assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
}

#[test]
fn an_interrupted_first_streamed_part_leaves_the_upload_at_its_tail() {
    let mut simulation = simulation();
    let id = simulation.create(ClientRequest::new(0, 70_000));
    simulation.run(id);
    // The second request is interrupted before its first byte, and after 90,000 bytes.
    for arrived in [0, 90_000] {
        let cut = ClientRequest::new(70_000, LENGTH).cut_at(70_000 + arrived);
        let id = simulation.take_over(cut);
        let outcome = simulation.run(id);
        assert_eq!(
            outcome,
            SessionOutcome::Suspended { durable: ByteCount(70_000), rejection: None }
        );
    }
    assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
}

#[test]
fn a_failed_streamed_part_ends_the_session_because_its_bytes_are_gone() {
    let cases = [
        (Fault::Broken, ErrorKind::StoreUnavailable),
        (Fault::LostReply, ErrorKind::StoreUnavailable),
        (Fault::HangAfter, ErrorKind::StoreUnavailable),
        (Fault::Corrupts, ErrorKind::ChecksumMismatch),
        (Fault::Refused(403, "SecurityTokenExpired"), ErrorKind::CredentialExpired),
    ];
    for (fault, kind) in cases {
        let mut simulation = simulation();
        simulation.world.store.faults.plan(Operation::UploadPart, 2, fault);
        let SessionOutcome::Failed { error, durable } = simulation.upload() else {
            panic!("{fault:?}")
        };
        assert_eq!((error.kind(), durable), (kind, ByteCount(PART)), "{fault:?}");
        assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
    }
}

#[test]
fn a_damaged_streamed_part_is_detected_even_if_the_response_precedes_the_fill_end() {
    for seed in 0..6 {
        let mut simulation = simulation().seeded(seed);
        simulation.world.store.faults.plan(Operation::UploadPart, 1, Fault::Corrupts);
        let SessionOutcome::Failed { error, durable } = simulation.upload() else {
            panic!("a damaged part is accepted")
        };
        assert_eq!((error.kind(), durable.bytes()), (ErrorKind::ChecksumMismatch, 0));
    }
}

#[test]
fn a_streamed_part_that_oss_rejects_early_ends_the_session() {
    let mut simulation = simulation();
    simulation.world.store.answers_before_body = true;
    simulation.world.store.faults.plan(
        Operation::UploadPart,
        1,
        Fault::Refused(503, "ServiceUnavailable"),
    );
    let SessionOutcome::Failed { error, durable } = simulation.upload() else {
        panic!("a rejected part is no error")
    };
    assert_eq!((error.kind(), durable), (ErrorKind::StoreUnavailable, ByteCount::ZERO));
    simulation.world.store.answers_before_body = false;
    assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
}

fn simulation() -> Simulation {
    let mut simulation = Simulation::of_known_length(LENGTH);
    simulation.options.part_size = ByteCount(PART);
    simulation
}

#[test]
fn a_streamed_part_without_a_response_times_out_after_its_last_byte() {
    let mut simulation = simulation();
    simulation.world.store.faults.plan(Operation::UploadPart, 1, Fault::Hang);
    let started_at = simulation.world.now();
    let SessionOutcome::Failed { error, durable } = simulation.upload() else {
        panic!("the upload completes without its first part")
    };
    assert_eq!((error.kind(), durable), (ErrorKind::StoreUnavailable, ByteCount::ZERO));
    assert!(simulation.world.now().since(started_at) >= simulation.options.request_timeout);
}
