//! Crashes between any two steps, with calls that take effect at once, late or never.

use vod_uploader::error::ErrorKind;
use vod_uploader::upload::SessionOutcome;

use vod_uploader_sim::session::{ClientRequest, LateWrites, Simulation};
use vod_uploader_sim::{Fault, Operation, Random};

const PARTS: u64 = 6;
const LENGTH: u64 = PARTS * 102_400;

#[test]
fn after_a_crash_at_any_step_the_next_session_completes_the_object() {
    for seed in [None, Some(1), Some(2)] {
        for late_writes in LateWrites::ALL {
            for step in 0.. {
                let mut simulation = simulation(LENGTH, seed);
                let id = simulation.create(ClientRequest::new(0, LENGTH));
                if !simulation.crash_at(id, step, late_writes) {
                    break;
                }
                assert_resumes(&mut simulation, &format!("{seed:?} {late_writes:?} {step}"));
            }
        }
    }
}

#[test]
fn after_a_crash_at_any_step_of_a_small_file_the_next_session_completes_it() {
    for length in [1, 102_399, 102_400, 102_401] {
        for late_writes in LateWrites::ALL {
            for step in 0.. {
                let mut simulation = simulation(length, None);
                let id = simulation.create(ClientRequest::new(0, length));
                if !simulation.crash_at(id, step, late_writes) {
                    break;
                }
                assert_resumes(&mut simulation, &format!("{length} {late_writes:?} {step}"));
            }
        }
    }
}

#[test]
fn a_crash_at_any_step_of_a_request_with_a_tail_loses_no_acknowledged_byte() {
    // 50 KiB are stored as a tail. The second request has a part and another tail.
    for late_writes in LateWrites::ALL {
        for step in 0.. {
            let mut simulation = simulation(400_000, None);
            let first = simulation.create(ClientRequest::new(0, 51_200));
            simulation.run(first);
            let second = simulation.take_over(ClientRequest::new(51_200, 204_900));
            if !simulation.crash_at(second, step, late_writes) {
                break;
            }
            assert_resumes(&mut simulation, &format!("{late_writes:?} {step}"));
        }
    }
}

#[test]
fn after_two_crashes_at_any_steps_the_third_session_completes_the_object() {
    let mut random = Random::seeded(11);
    for seed in 0..400 {
        let mut simulation = simulation(LENGTH - random.below(100_000), Some(seed));
        let length = simulation.content.len();
        let id = simulation.create(ClientRequest::new(0, length));
        let late_writes = LateWrites::ALL[random.index(3)];
        if !simulation.crash_at(id, random.below(80), late_writes) || !simulation.is_created() {
            continue;
        }
        let id = simulation.take_over(simulation.rest());
        let late_writes = LateWrites::ALL[random.index(3)];
        if simulation.crash_at(id, random.below(80), late_writes) {
            assert_resumes(&mut simulation, &format!("seed {seed}"));
        }
    }
}

#[test]
fn only_parts_that_were_not_acknowledged_are_sent_again() {
    for step in 0.. {
        let mut simulation = simulation(LENGTH, None);
        let id = simulation.create(ClientRequest::new(0, LENGTH));
        if !simulation.crash_at(id, step, LateWrites::NeverArrive) {
            break;
        }
        if !simulation.is_created() {
            continue;
        }
        let acknowledged = simulation.stored_offset() / 102_400;
        let before = simulation.world.store.count(Operation::UploadPart) as u64;
        simulation.resume();
        let again = simulation.world.store.count(Operation::UploadPart) as u64 - before;
        assert_eq!(again, PARTS - acknowledged, "step {step}");
    }
}

#[test]
fn reconciling_finishes_an_upload_that_crashed_while_completing() {
    let mut settled = 0;
    for step in 0.. {
        let mut simulation = simulation(LENGTH, None);
        let id = simulation.create(ClientRequest::new(0, LENGTH));
        if !simulation.crash_at(id, step, LateWrites::ArriveImmediately) {
            break;
        }
        if !simulation.is_created() {
            continue;
        }
        let all_acknowledged = simulation.stored_offset() == LENGTH;
        let outcome = simulation.reconcile();
        if all_acknowledged {
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "step {step}: {outcome:?}");
            settled += 1;
        }
    }
    assert!(settled > 4, "{settled} steps were settled");
}

#[test]
fn crashes_leave_a_bounded_number_of_keys() {
    let mut simulation = simulation(LENGTH, None);
    let id = simulation.create(ClientRequest::new(0, LENGTH));
    simulation.crash_at(id, 30, LateWrites::NeverArrive);
    for round in 0..60 {
        let id = simulation.take_over(simulation.rest());
        simulation.crash_at(id, 18 + round % 5, LateWrites::NeverArrive);
    }
    let outcome = simulation.resume();
    assert!(matches!(outcome, SessionOutcome::Completed(_)), "{outcome:?}");
    assert!(simulation.world.kv.values.len() < 64, "{:#?}", simulation.world.kv.values.keys());
}

fn simulation(length: u64, seed: Option<u64>) -> Simulation {
    let simulation = Simulation::of_known_length(length);
    match seed {
        Some(seed) => simulation.seeded(seed),
        None => simulation,
    }
}

fn assert_resumes(simulation: &mut Simulation, case: &str) {
    if !simulation.is_created() {
        return;
    }
    let outcome = simulation.resume();
    simulation.apply_late_writes();
    assert!(matches!(outcome, SessionOutcome::Completed(_)), "{case}: {outcome:?}");
    let again = simulation.resume();
    assert_eq!(again, outcome, "{case}");
}

#[test]
fn a_takeover_that_cannot_list_the_parts_for_now_changes_nothing() {
    let mut simulation = Simulation::of_known_length(12 * 102_400);
    let id = simulation.create(ClientRequest::new(0, 12 * 102_400));
    while simulation.acknowledged() < 2 * 102_400 {
        simulation.step(id);
    }
    simulation.crash(id);
    simulation.discard_late_writes();
    let stored = simulation.stored_offset();
    let sent = simulation.world.store.count(Operation::UploadPart);
    simulation.world.store.faults.always(Operation::ListParts, Fault::Broken);
    let outcome = simulation.resume();
    let SessionOutcome::Failed { error, durable } = outcome else { panic!("{outcome:?}") };
    assert_eq!((error.kind(), durable.bytes()), (ErrorKind::StoreUnavailable, stored));
    assert_eq!(simulation.world.store.count(Operation::UploadPart), sent);
    simulation.world.store.faults.clear();
    assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
}
