//! Writes to the key-value store that fail, and take effect later or never.

use vod_uploader::error::ErrorKind;
use vod_uploader::upload::{Lease, SessionOutcome};

use vod_uploader_sim::session::{ClientRequest, Simulation, WriterId, upload_id};

/// Two parts and a tail that becomes a part.
const LENGTH: u64 = 2 * 102_400 + 7;

/// A request for the entire file of an existing upload. The write with this number fails.
fn with_failed_write(nth: u32) -> (Simulation, WriterId) {
    let mut simulation = Simulation::of_known_length(LENGTH);
    let unheld = Lease::unheld().encode().unwrap();
    simulation.world.kv.write(&upload_id().lease_key(), &unheld).unwrap();
    let id = simulation.take_over(ClientRequest::new(0, LENGTH));
    simulation.world.kv.fails_at = Some(nth);
    (simulation, id)
}

/// Runs `id` until a write has failed. `false` if another operation failed, or none.
fn run_to_failure(simulation: &mut Simulation, id: WriterId) -> bool {
    while simulation.world.kv.fails_at.is_some() {
        if !simulation.step(id) {
            return false;
        }
    }
    !simulation.world.kv.failed_writes.is_empty()
}

#[test]
fn a_failed_write_does_not_end_the_session_whenever_it_takes_effect() {
    let mut failed_keys = Vec::new();
    for nth in 1..40 {
        for later in 0..40 {
            let (mut simulation, id) = with_failed_write(nth);
            if !run_to_failure(&mut simulation, id) {
                break;
            }
            failed_keys.push(simulation.world.kv.failed_writes[0].0.clone());
            for _ in 0..later {
                simulation.step(id);
            }
            simulation.world.kv.apply_failed_writes();
            // A late write of the candidate may end this session, but not the upload.
            match simulation.run(id) {
                SessionOutcome::Completed(_) => {}
                SessionOutcome::Failed { error, .. } => {
                    assert_eq!(error.kind(), ErrorKind::TakenOver, "{nth} {later}");
                    assert!(failed_keys.last().unwrap().contains(".b."), "{failed_keys:?}");
                    let outcome = simulation.resume();
                    assert!(matches!(outcome, SessionOutcome::Completed(_)), "{outcome:?}");
                }
                outcome => panic!("{nth} {later}: {outcome:?}"),
            }
        }
    }
    for part in [".b.1", ".d.1", ".c.1", ".lease"] {
        assert!(failed_keys.iter().any(|key| key.ends_with(part)), "{part}: {failed_keys:?}");
    }
}

#[test]
fn a_session_that_crashes_after_a_failed_write_loses_no_acknowledged_byte() {
    let mut acknowledged = 0;
    for nth in 1..40 {
        for later in 0..40 {
            let (mut simulation, id) = with_failed_write(nth);
            if !run_to_failure(&mut simulation, id) {
                break;
            }
            for _ in 0..later {
                simulation.step(id);
            }
            if simulation.writers[id].has_ended() {
                break;
            }
            simulation.crash(id);
            simulation.world.kv.apply_failed_writes();
            acknowledged += u32::from(simulation.acknowledged() > 0);
            assert!(simulation.stored_offset() >= simulation.acknowledged(), "{nth} {later}");
            let outcome = simulation.resume();
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "{nth} {later}: {outcome:?}");
        }
    }
    assert!(acknowledged > 20, "{acknowledged}");
}

#[test]
fn a_session_ends_if_the_store_accepts_no_write_within_the_budget() {
    let (mut simulation, id) = with_failed_write(u32::MAX);
    simulation.world.kv.fails_writes = true;
    let outcome = simulation.run(id);
    let SessionOutcome::Failed { error, durable } = outcome else { panic!("{outcome:?}") };
    assert_eq!((error.kind(), durable.bytes()), (ErrorKind::KeyValueUnavailable, 0));
    let attempts = simulation.world.kv.failed_writes.len();
    assert_eq!(attempts, 5, "the number of attempts of the default policy");
}
