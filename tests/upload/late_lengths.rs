//! Lengths that a client declares after the creation of the upload.

use vod_uploader::error::ErrorKind;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{LeaseAcquisition, SessionOutcome};

use vod_uploader_sim::Operation;
use vod_uploader_sim::session::{ClientRequest, LateWrites, Simulation};

const LENGTH: u64 = 3 * 102_400 + 40_000;

#[test]
fn the_length_that_any_request_declares_completes_the_upload_when_reached() {
    // Ends of the requests. One of them declares the length, or all from that one on.
    let ends = [60_000, 150_000, LENGTH];
    for declaring in 0..ends.len() {
        for again in [false, true] {
            let mut simulation = Simulation::of_unknown_length(LENGTH);
            let mut from = 0;
            let mut outcome = None;
            for (index, to) in ends.into_iter().enumerate() {
                let request = ClientRequest::new(from, to);
                let declares = index == declaring || again && index > declaring;
                let request = if declares { request.declaring(LENGTH) } else { request };
                let id = simulation.open_request(request);
                outcome = Some(simulation.run(id));
                assert!(index < declaring || is_length_stored(&simulation) || to == LENGTH);
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
fn a_declared_length_that_is_already_durable_completes_the_upload_with_its_tail() {
    for length in [60_000, 102_400, 204_800, LENGTH] {
        for has_length in [true, false] {
            let mut simulation = Simulation::of_unknown_length(length);
            let first = simulation.create(ClientRequest::new(0, length));
            let durable = ByteCount(length);
            assert_eq!(
                simulation.run(first),
                SessionOutcome::Suspended { durable, rejection: None }
            );
            let request = ClientRequest::new(length, length).declaring(length);
            let request = if has_length { request } else { request.without_length() };
            let second = simulation.take_over(request);
            let outcome = simulation.run(second);
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "{length}: {outcome:?}");
        }
    }
}

#[test]
fn an_empty_request_completes_a_source_of_unknown_length_at_its_offset() {
    for length in [60_000, 102_400, 204_800, LENGTH] {
        for has_length in [true, false] {
            let mut simulation = Simulation::of_unknown_length(length);
            let first = simulation.create(ClientRequest::new(0, length));
            simulation.run(first);
            let request = ClientRequest::new(length, length).completing();
            let request = if has_length { request } else { request.without_length() };
            let second = simulation.take_over(request);
            let outcome = simulation.run(second);
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "{length}: {outcome:?}");
        }
    }
}

#[test]
fn a_length_that_contradicts_the_known_one_is_rejected_without_a_takeover() {
    for (mut simulation, first) in [
        (Simulation::of_known_length(LENGTH), ClientRequest::new(0, LENGTH)),
        (Simulation::of_unknown_length(LENGTH), ClientRequest::new(0, LENGTH).declaring(LENGTH)),
    ] {
        let writer = simulation.create(first);
        while simulation.writers[writer].durable.is_empty() {
            simulation.step(writer);
        }
        let from = simulation.stored_offset_or_zero();
        for length in [from, LENGTH - 1, LENGTH + 1, u64::MAX] {
            let id = simulation.take_over(ClientRequest::new(from, LENGTH).declaring(length));
            assert_inconsistent(&simulation.run(id));
        }
        assert!(matches!(simulation.run(writer), SessionOutcome::Completed(_)));
        // Also if the object is complete already.
        let id = simulation.take_over(ClientRequest::new(LENGTH, LENGTH).declaring(LENGTH + 1));
        assert_inconsistent(&simulation.run(id));
        let id = simulation.take_over(ClientRequest::new(LENGTH, LENGTH).declaring(LENGTH));
        assert!(matches!(simulation.run(id), SessionOutcome::Completed(_)));
    }
}

#[test]
fn a_length_below_the_durable_offset_is_rejected_before_a_takeover() {
    let mut simulation = Simulation::of_unknown_length(LENGTH);
    let first = simulation.create(ClientRequest::new(0, 150_000));
    simulation.run(first);
    let writes = simulation.world.kv.writes.clone();
    let id = simulation.take_over(ClientRequest::new(150_000, LENGTH).declaring(149_999));
    assert_inconsistent(&simulation.run(id));
    assert_eq!(simulation.world.kv.writes, writes);
    assert_eq!(simulation.checkpoint().length_bytes, None);
}

#[test]
fn a_length_that_no_object_can_have_is_rejected_before_a_takeover() {
    let mut simulation = Simulation::of_unknown_length(LENGTH);
    let first = simulation.create(ClientRequest::new(0, 150_000));
    simulation.run(first);
    let writes = simulation.world.kv.writes.clone();
    let request = ClientRequest::new(150_000, LENGTH).declaring(53_687_091_200_001);
    let id = simulation.take_over(request);
    let SessionOutcome::Failed { error, .. } = simulation.run(id) else {
        panic!("a length above the maximum is accepted")
    };
    assert_eq!(error.kind(), ErrorKind::FileTooLarge);
    assert_eq!(simulation.world.kv.writes, writes);
}

#[test]
fn a_length_is_stored_even_if_no_byte_of_its_request_arrives() {
    let mut simulation = Simulation::of_unknown_length(LENGTH);
    for declared in [None, Some(LENGTH)] {
        let request = ClientRequest::new(0, LENGTH).cut_at(0);
        let request = declared.map_or(request, |length| request.declaring(length));
        let id = simulation.open_request(request);
        simulation.run(id);
        assert_eq!(simulation.checkpoint().length_bytes, declared);
    }
    let id = simulation.take_over(ClientRequest::new(0, LENGTH).declaring(LENGTH + 1));
    assert_inconsistent(&simulation.run(id));
}

#[test]
fn a_length_declared_by_the_creating_request_is_stored() {
    let mut simulation = Simulation::of_unknown_length(LENGTH);
    let id = simulation.create(ClientRequest::new(0, LENGTH).cut_at(0).declaring(LENGTH));
    simulation.run(id);
    assert!(is_length_stored(&simulation));
}

#[test]
fn a_replayable_source_keeps_its_length_when_it_restarts() {
    use vod_uploader_sim::Fault;
    let mut simulation = Simulation::of_unknown_length(LENGTH);
    simulation.options.replayable = true;
    simulation.world.store.faults.plan(Operation::UploadPart, 2, Fault::Forgets);
    let id = simulation.create(ClientRequest::new(0, LENGTH).declaring(LENGTH));
    assert!(matches!(simulation.run(id), SessionOutcome::Completed(_)));
    assert_eq!(simulation.writers[id].restarts, 1);
    assert_eq!(simulation.checkpoint().length_bytes, Some(LENGTH));
}

#[test]
fn after_a_crash_at_any_step_no_byte_is_acknowledged_without_the_length() {
    for late_writes in LateWrites::ALL {
        for step in 0.. {
            let mut simulation = Simulation::of_unknown_length(LENGTH);
            let first = simulation.create(ClientRequest::new(0, 60_000));
            simulation.run(first);
            let second = simulation.take_over(ClientRequest::new(60_000, LENGTH).declaring(LENGTH));
            if !simulation.crash_at(second, step, late_writes) {
                break;
            }
            let case = format!("{late_writes:?} {step}");
            assert!(simulation.acknowledged() <= 60_000 || is_length_stored(&simulation), "{case}");
            let is_stored = is_length_stored(&simulation);
            let from = simulation.stored_offset_or_zero();
            let other =
                simulation.take_over(ClientRequest::new(from, LENGTH).declaring(LENGTH + 7));
            let outcome = if is_stored { Some(simulation.run(other)) } else { None };
            if let Some(outcome) = outcome {
                assert_inconsistent(&outcome);
            } else {
                simulation.crash(other);
                simulation.discard_late_writes();
            }
            let from = simulation.stored_offset_or_zero();
            // Since the length is known, the request does not declare that it completes the upload.
            let last = simulation.take_over(ClientRequest::new(from, LENGTH).declaring(LENGTH));
            let outcome = simulation.run(last);
            simulation.apply_late_writes();
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "{case}: {outcome:?}");
        }
    }
}

#[test]
fn a_crash_at_any_step_of_the_empty_request_with_the_length_is_overcome() {
    for length in [60_000, 204_800, LENGTH] {
        for late_writes in LateWrites::ALL {
            for step in 0.. {
                let mut simulation = Simulation::of_unknown_length(length);
                let first = simulation.create(ClientRequest::new(0, length));
                simulation.run(first);
                let request = ClientRequest::new(length, length).declaring(length);
                let second = simulation.take_over(request);
                if !simulation.crash_at(second, step, late_writes) {
                    break;
                }
                let third = simulation.take_over(request);
                let outcome = simulation.run(third);
                simulation.apply_late_writes();
                let case = format!("{length} {late_writes:?} {step}");
                assert!(matches!(outcome, SessionOutcome::Completed(_)), "{case}: {outcome:?}");
            }
        }
    }
}

#[test]
fn a_session_without_a_source_changes_no_length() {
    let mut simulation = Simulation::of_unknown_length(LENGTH);
    let id = simulation.create(ClientRequest::new(0, 150_000).declaring(LENGTH));
    simulation.run(id);
    let suspended = SessionOutcome::Suspended { durable: ByteCount(150_000), rejection: None };
    assert_eq!(simulation.fence(), suspended);
    assert!(is_length_stored(&simulation));
    let id = simulation
        .try_open(LeaseAcquisition::TakeOver, vod_uploader::upload::Purpose::Reconcile)
        .unwrap();
    assert_eq!(simulation.run(id), suspended);
    assert!(is_length_stored(&simulation));
    assert_eq!(simulation.abort(), SessionOutcome::Aborted);
}

fn is_length_stored(simulation: &Simulation) -> bool {
    simulation.checkpoint().length_bytes == Some(LENGTH)
}

#[track_caller]
fn assert_inconsistent(outcome: &SessionOutcome) {
    let SessionOutcome::Failed { error, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.kind(), ErrorKind::LengthInconsistent);
}

#[test]
fn a_length_other_than_that_of_the_completed_object_is_rejected() {
    let mut simulation = Simulation::of_unknown_length(LENGTH);
    assert!(matches!(simulation.upload(), SessionOutcome::Completed(_)));
    let id = simulation.take_over(ClientRequest::new(LENGTH, LENGTH).declaring(LENGTH + 1));
    let SessionOutcome::Failed { error, .. } = simulation.run(id) else {
        panic!("another length is accepted")
    };
    assert_eq!(error.kind(), ErrorKind::LengthInconsistent);
}
