//! What a session neither reads nor writes nor sends without a need.

use std::time::Duration;

use vod_uploader::upload::{LeaseAcquisition, Purpose, SessionOutcome};

use vod_uploader_sim::session::{ClientRequest, Simulation};
use vod_uploader_sim::{Fault, Operation};

const LENGTH: u64 = 5 * 102_400 + 7;

/// A simulation whose client has sent `bytes` in a request that has ended.
fn after_request(bytes: u64) -> Simulation {
    let mut simulation = Simulation::of_known_length(LENGTH);
    let id = simulation.create(ClientRequest::new(0, bytes));
    let outcome = simulation.run(id);
    assert!(matches!(outcome, SessionOutcome::Suspended { .. }), "{outcome:?}");
    simulation
}

/// The number of writes to the key-value store.
fn writes(simulation: &Simulation) -> u32 {
    simulation.world.kv.writes_with("")
}

#[test]
fn a_request_to_an_upload_that_has_ended_writes_nothing() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    assert!(matches!(simulation.upload(), SessionOutcome::Completed(_)));
    let before = writes(&simulation);
    assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
    assert_eq!(writes(&simulation), before);
}

#[test]
fn after_a_request_that_has_ended_no_parts_are_listed() {
    let mut simulation = after_request(250_000);
    assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
    assert_eq!(simulation.world.store.count(Operation::ListParts), 0);
}

#[test]
fn an_abort_does_not_need_the_tail() {
    let mut simulation = after_request(50_000);
    let tails = simulation.world.kv.keys_with(".t.");
    assert_eq!(tails.len(), 1);
    simulation.world.kv.values.remove(&tails[0]);
    assert_eq!(simulation.abort(), SessionOutcome::Aborted);
}

#[test]
fn keys_of_old_epochs_are_deleted_while_writers_take_over() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    let id = simulation.create(ClientRequest::new(0, 10));
    simulation.run(id);
    for offset in 10..60 {
        simulation.world.clock.advance(Duration::from_secs(15 * 60));
        let id = simulation.take_over(ClientRequest::new(offset, offset + 1));
        simulation.run(id);
    }
    for part in [".b.", ".d.", ".c."] {
        let keys = simulation.world.kv.keys_with(part);
        assert!(keys.len() < 16, "{keys:?}");
    }
}

#[test]
fn an_abort_that_is_denied_reports_that_parts_are_left() {
    let mut simulation = after_request(250_000);
    simulation.world.store.faults.always(Operation::Abort, Fault::Refused(403, "AccessDenied"));
    let id = simulation.try_open(LeaseAcquisition::TakeOver, Purpose::Abort).unwrap();
    assert_eq!(simulation.run(id), SessionOutcome::Aborted);
    assert!(!simulation.world.store.uploads.is_empty());
}

#[test]
fn an_upload_with_one_part_in_flight_completes() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    simulation.options.parallel = 1;
    assert!(matches!(simulation.upload(), SessionOutcome::Completed(_)));
    assert!(simulation.world.kv.writes_with(".c.") < 12);
}
