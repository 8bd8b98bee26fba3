//! The activity of a writer in its checkpoints, and requests that are stopped.

use vod_uploader::error::{Error, ErrorKind};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{Input, Lease, SessionOutcome, SourceStatus, UploadPhase};

use vod_uploader_sim::session::{ClientRequest, LateWrites, Simulation, upload_id};
use vod_uploader_sim::{Fault, Operation};

const LENGTH: u64 = 4 * 102_400;

#[test]
fn a_checkpoint_marks_its_writer_as_active_until_the_session_has_ended() {
    for (mut simulation, request) in [
        (Simulation::of_known_length(LENGTH), ClientRequest::new(0, LENGTH)),
        (Simulation::of_known_length(LENGTH), ClientRequest::new(0, 150_000)),
        (Simulation::of_known_length(LENGTH), ClientRequest::new(0, LENGTH).cut_at(250_000)),
        (Simulation::of_unknown_length(LENGTH), ClientRequest::new(0, 150_000).declaring(LENGTH)),
        (
            Simulation::of_unknown_length(LENGTH),
            ClientRequest::new(0, LENGTH).atomic().ending(SourceStatus::ChecksumMismatch),
        ),
    ] {
        let id = simulation.create(request);
        let mut seen = 0;
        while simulation.step(id) {
            if !simulation.is_created() || simulation.writers[id].has_ended() {
                continue;
            }
            let checkpoint = simulation.checkpoint();
            let acknowledges = matches!(checkpoint.phase, UploadPhase::Receiving);
            seen += u32::from(checkpoint.writer_active);
            assert!(!checkpoint.writer_active || acknowledges);
        }
        assert!(seen > 0, "{request:?}");
        assert!(!simulation.checkpoint().writer_active, "{request:?}");
    }
}

#[test]
fn the_first_writer_of_an_upload_is_marked_as_active_before_its_first_byte() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    let unheld = Lease::unheld().encode().unwrap();
    simulation.world.kv.write(&upload_id().lease_key(), &unheld).unwrap();
    let id = simulation.take_over(ClientRequest::new(0, LENGTH));
    while !simulation.checkpoint().writer_active {
        assert!(simulation.step(id), "the session ends without an active writer");
    }
    assert_eq!(simulation.world.store.count(Operation::Initiate), 0);
    assert!(matches!(simulation.run(id), SessionOutcome::Completed(_)));
}

#[test]
fn a_crashed_writer_is_marked_as_active_until_the_next_session_has_ended() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    let id = simulation.create(ClientRequest::new(0, LENGTH));
    while simulation.writers[id].durable.is_empty() {
        simulation.step(id);
    }
    simulation.crash(id);
    simulation.discard_late_writes();
    assert!(simulation.checkpoint().writer_active);
    let durable = ByteCount(simulation.stored_offset());
    assert_eq!(simulation.fence(), SessionOutcome::Suspended { durable, rejection: None });
    assert!(!simulation.checkpoint().writer_active);
}

#[test]
fn every_end_of_a_session_that_can_be_stored_marks_the_writer_as_inactive() {
    type End = fn(&mut Simulation, usize);
    let canceled: End = |simulation, id| {
        let error = Error::new(ErrorKind::UploadStopped, "stopped");
        simulation.handle(id, Input::Cancel(error));
    };
    let rejected: End = |simulation, _| {
        simulation
            .world
            .store
            .faults
            .always(Operation::UploadPart, Fault::Refused(400, "InvalidArgument"));
    };
    let forgotten: End = |simulation, _| {
        simulation.world.store.faults.plan(Operation::UploadPart, 1, Fault::Forgets);
    };
    for (name, end) in [("canceled", canceled), ("rejected", rejected), ("forgotten", forgotten)] {
        for step in 0..60 {
            let mut simulation = Simulation::of_known_length(LENGTH);
            let first = simulation.create(ClientRequest::new(0, 60_000));
            simulation.run(first);
            let id = simulation.take_over(ClientRequest::new(60_000, LENGTH));
            if !(0..step).all(|_| simulation.step(id)) || simulation.writers[id].has_ended() {
                break;
            }
            end(&mut simulation, id);
            let outcome = simulation.run(id);
            assert!(!simulation.checkpoint().writer_active, "{name} {step}: {outcome:?}");
        }
    }
}

#[test]
fn an_empty_request_leaves_no_active_writer() {
    for cut in [false, true] {
        let mut simulation = Simulation::of_known_length(LENGTH);
        for _ in 0..2 {
            let request = ClientRequest::new(0, LENGTH).cut_at(0);
            let request = if cut { request } else { ClientRequest::new(0, 0) };
            let id = simulation.open_request(request);
            simulation.run(id);
            assert!(!simulation.checkpoint().writer_active);
        }
    }
}

#[test]
fn a_request_that_is_stopped_keeps_every_byte_that_arrived() {
    for stop in [0, 1, 60_000, 102_400, 150_000, 307_201] {
        for mut simulation in
            [Simulation::of_known_length(LENGTH), Simulation::of_unknown_length(LENGTH)]
        {
            let request =
                ClientRequest::new(0, LENGTH).cut_at(stop).ending(SourceStatus::StopRequested);
            let id = simulation.create(request.completing());
            let SessionOutcome::Suspended { durable, rejection: rejected } = simulation.run(id)
            else {
                panic!("{stop}")
            };
            assert_eq!(durable, ByteCount(stop));
            assert_eq!(rejected.map(|error| error.kind()), Some(ErrorKind::TakenOver));
            assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
        }
    }
}

#[test]
fn a_streamed_part_that_is_stopped_leaves_the_upload_at_its_start() {
    const PART: u64 = 17 << 20;
    let mut simulation = Simulation::of_known_length(2 * PART);
    simulation.options.part_size = ByteCount(PART);
    let request =
        ClientRequest::new(0, 2 * PART).cut_at(PART + 5).ending(SourceStatus::StopRequested);
    let id = simulation.create(request);
    let SessionOutcome::Suspended { durable, rejection: rejected } = simulation.run(id) else {
        panic!("a stopped request is accepted")
    };
    assert_eq!(durable, ByteCount(PART));
    assert_eq!(rejected.map(|error| error.kind()), Some(ErrorKind::TakenOver));
}

#[test]
fn a_request_whose_bytes_have_all_arrived_is_not_stopped() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    let request = ClientRequest::new(0, LENGTH).ending(SourceStatus::StopRequested);
    let id = simulation.create(request.ending_with_last_byte());
    assert!(matches!(simulation.run(id), SessionOutcome::Completed(_)));
}

#[test]
fn after_a_crash_of_a_stopped_request_the_next_one_completes_the_object() {
    for late_writes in LateWrites::ALL {
        for step in 0.. {
            let mut simulation = Simulation::of_known_length(LENGTH);
            let request = ClientRequest::new(0, LENGTH).cut_at(150_000);
            let id = simulation.create(request.ending(SourceStatus::StopRequested));
            if !simulation.crash_at(id, step, late_writes) {
                break;
            }
            if simulation.is_created() {
                let outcome = simulation.resume();
                simulation.apply_late_writes();
                assert!(matches!(outcome, SessionOutcome::Completed(_)), "{step}: {outcome:?}");
            }
        }
    }
}
