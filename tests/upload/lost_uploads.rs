//! Multipart uploads that OSS loses: a replayable source restarts once.

use vod_uploader::error::ErrorKind;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{SessionOutcome, UploadPhase};

use vod_uploader_sim::session::{ClientRequest, OBJECT, Simulation};
use vod_uploader_sim::{Fault, Operation};

const PARTS: u32 = 5;
const LENGTH: u64 = PARTS as u64 * 102_400;

/// Every call with which a session can detect the loss.
fn points() -> Vec<(Operation, u32)> {
    let parts = (1..=PARTS).map(|nth| (Operation::UploadPart, nth));
    parts.chain([(Operation::Complete, 1)]).collect()
}

#[test]
fn a_replayable_source_restarts_once_and_completes() {
    for seed in 0..20 {
        for (operation, nth) in points() {
            let mut simulation = replayable().seeded(seed);
            simulation.world.store.faults.plan(operation, nth, Fault::Forgets);
            let outcome = simulation.upload();
            let case = format!("seed {seed} {operation:?} {nth}: {outcome:?}");
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "{case}");
            assert_eq!(simulation.writers[0].restarts, 1, "{case}");
            assert_eq!(simulation.world.store.objects.keys().collect::<Vec<_>>(), [OBJECT]);
            assert_eq!(simulation.world.store.uploads.len(), 0, "{case}");
        }
    }
}

#[test]
fn an_upload_that_oss_loses_twice_is_lost() {
    for (operation, nth) in points() {
        let mut simulation = replayable();
        simulation.world.store.faults.plan(operation, nth, Fault::Forgets);
        simulation.world.store.faults.plan(
            Operation::Complete,
            1 + u32::from(operation == Operation::Complete),
            Fault::Forgets,
        );
        let outcome = simulation.upload();
        let SessionOutcome::Lost(error) = &outcome else {
            panic!("{operation:?} {nth}: {outcome:?}")
        };
        assert_eq!(error.kind(), ErrorKind::UploadLost);
    }
}

#[test]
fn without_a_replayable_source_the_upload_is_lost_for_every_later_session() {
    for (operation, nth) in points() {
        let mut simulation = Simulation::of_known_length(LENGTH);
        simulation.world.store.faults.plan(operation, nth, Fault::Forgets);
        for outcome in [simulation.upload(), simulation.resume(), simulation.reconcile()] {
            let SessionOutcome::Lost(error) = &outcome else {
                panic!("{operation:?} {nth}: {outcome:?}")
            };
            assert_eq!(error.kind(), ErrorKind::UploadLost);
        }
        assert_eq!(simulation.world.store.count(Operation::Initiate), 1);
        assert_eq!(simulation.abort(), SessionOutcome::Aborted);
    }
}

#[test]
fn a_resumed_session_detects_the_loss_with_list_parts() {
    for replayable in [false, true] {
        let mut simulation = Simulation::of_known_length(LENGTH);
        simulation.options.replayable = replayable;
        let id = simulation.create(ClientRequest::new(0, LENGTH));
        while simulation.acknowledged() < 2 * 102_400 {
            simulation.step(id);
        }
        simulation.crash(id);
        simulation.world.store.uploads.clear();
        match simulation.resume() {
            SessionOutcome::Completed(_) => assert!(replayable),
            SessionOutcome::Lost(error) => {
                assert!(!replayable);
                assert_eq!(error.kind(), ErrorKind::UploadLost);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_upload_that_restarts_can_crash_at_any_step() {
    for step in 0.. {
        let mut simulation = replayable();
        simulation.world.store.faults.plan(Operation::UploadPart, 3, Fault::Forgets);
        let id = simulation.create(ClientRequest::new(0, LENGTH));
        for _ in 0..step {
            simulation.step(id);
        }
        if simulation.writers[id].has_ended() {
            break;
        }
        simulation.crash(id);
        simulation.apply_late_writes();
        if simulation.is_created() {
            let outcome = simulation.resume();
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "{step}: {outcome:?}");
        }
    }
}

#[test]
fn a_fenced_writer_creates_no_multipart_upload_when_its_own_is_gone() {
    // The first writer pauses with parts in flight. The second completes the upload.
    for stop in 10..40 {
        let mut simulation = replayable();
        let first = simulation.create(ClientRequest::new(0, LENGTH));
        for _ in 0..stop {
            simulation.step(first);
        }
        if matches!(simulation.checkpoint().phase, UploadPhase::Completed(_)) {
            break;
        }
        let second = simulation.take_over(simulation.rest());
        if !matches!(simulation.run(second), SessionOutcome::Completed(_)) {
            continue;
        }
        let started = simulation.world.store.count(Operation::Initiate);
        let outcome = simulation.run(first);
        let SessionOutcome::Failed { error, .. } = outcome else { panic!("{stop}: {outcome:?}") };
        assert_eq!(error.kind(), ErrorKind::TakenOver);
        assert!(simulation.world.store.count(Operation::Initiate) <= started + 1);
        assert_eq!(simulation.world.store.uploads.len(), 0, "{stop}");
    }
}

#[test]
fn a_later_request_for_the_rest_restarts_from_the_first_byte() {
    let mut simulation = replayable();
    let id = simulation.create(ClientRequest::new(0, 250_000));
    simulation.run(id);
    simulation.world.store.faults.plan(Operation::UploadPart, 1, Fault::Forgets);
    assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
    assert_eq!(simulation.writers[1].restarts, 1);
    assert_eq!(simulation.world.kv.keys_with(".t."), [""; 0]);
}

fn replayable() -> Simulation {
    let mut simulation = Simulation::of_known_length(LENGTH);
    simulation.options.replayable = true;
    simulation.options.part_size = ByteCount(102_400);
    simulation
}
