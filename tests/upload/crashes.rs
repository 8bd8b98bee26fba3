//! A crash between any two steps: what the session has begun may arrive at once, late or never.

use vod_uploader::upload::SessionOutcome;

use crate::harness::{ClientRequest, Operation, Random, Strays, World};

const PARTS: u64 = 6;
const LENGTH: u64 = PARTS * 102_400;

#[test]
fn after_a_crash_at_any_step_the_next_session_makes_the_object_whole() {
    for seed in [None, Some(1), Some(2)] {
        for strays in Strays::ALL {
            for step in 0.. {
                let mut world = world(LENGTH, seed);
                let id = world.create(ClientRequest::new(0, LENGTH));
                if !world.crash_at(id, step, strays) {
                    break;
                }
                assert_resumes(&mut world, &format!("{seed:?} {strays:?} {step}"));
            }
        }
    }
}

#[test]
fn after_a_crash_at_any_step_of_a_small_file_the_next_session_makes_the_object_whole() {
    for length in [1, 102_399, 102_400, 102_401] {
        for strays in Strays::ALL {
            for step in 0.. {
                let mut world = world(length, None);
                let id = world.create(ClientRequest::new(0, length));
                if !world.crash_at(id, step, strays) {
                    break;
                }
                assert_resumes(&mut world, &format!("{length} {strays:?} {step}"));
            }
        }
    }
}

#[test]
fn after_a_crash_at_any_step_of_a_request_with_a_tail_nothing_acknowledged_is_lost() {
    // 50 KiB are stored as a tail; the second request makes a part and another tail.
    for strays in Strays::ALL {
        for step in 0.. {
            let mut world = world(400_000, None);
            let first = world.create(ClientRequest::new(0, 51_200));
            world.run(first);
            let second = world.take_over(ClientRequest::new(51_200, 204_900));
            if !world.crash_at(second, step, strays) {
                break;
            }
            assert_resumes(&mut world, &format!("{strays:?} {step}"));
        }
    }
}

#[test]
fn after_two_crashes_at_any_steps_the_third_session_makes_the_object_whole() {
    let mut random = Random::seeded(11);
    for seed in 0..400 {
        let mut world = world(LENGTH - random.below(100_000), Some(seed));
        let length = world.content.len();
        let id = world.create(ClientRequest::new(0, length));
        let strays = Strays::ALL[random.index(3)];
        if !world.crash_at(id, random.below(80), strays) || !world.is_known() {
            continue;
        }
        let id = world.take_over(world.rest());
        let strays = Strays::ALL[random.index(3)];
        if world.crash_at(id, random.below(80), strays) {
            assert_resumes(&mut world, &format!("seed {seed}"));
        }
    }
}

#[test]
fn only_parts_that_were_not_acknowledged_are_sent_again() {
    for step in 0.. {
        let mut world = world(LENGTH, None);
        let id = world.create(ClientRequest::new(0, LENGTH));
        if !world.crash_at(id, step, Strays::NeverArrive) {
            break;
        }
        if !world.is_known() {
            continue;
        }
        let acknowledged = world.stored_offset() / 102_400;
        let before = world.store.count(Operation::UploadPart) as u64;
        world.resume();
        let again = world.store.count(Operation::UploadPart) as u64 - before;
        assert_eq!(again, PARTS - acknowledged, "step {step}");
    }
}

#[test]
fn a_session_that_only_settles_finishes_an_upload_that_crashed_while_completing() {
    let mut settled = 0;
    for step in 0.. {
        let mut world = world(LENGTH, None);
        let id = world.create(ClientRequest::new(0, LENGTH));
        if !world.crash_at(id, step, Strays::ArriveAtOnce) {
            break;
        }
        if !world.is_known() {
            continue;
        }
        let all_acknowledged = world.stored_offset() == LENGTH;
        let outcome = world.settle();
        if all_acknowledged {
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "step {step}: {outcome:?}");
            settled += 1;
        }
    }
    assert!(settled > 4, "{settled} steps were settled");
}

#[test]
fn crashes_leave_no_more_than_a_bounded_number_of_keys() {
    let mut world = world(LENGTH, None);
    let id = world.create(ClientRequest::new(0, LENGTH));
    world.crash_at(id, 30, Strays::NeverArrive);
    for round in 0..60 {
        let id = world.take_over(world.rest());
        world.crash_at(id, 18 + round % 5, Strays::NeverArrive);
    }
    let outcome = world.resume();
    assert!(matches!(outcome, SessionOutcome::Completed(_)), "{outcome:?}");
    assert!(world.kv.values.len() < 64, "{:#?}", world.kv.values.keys());
}

fn world(length: u64, seed: Option<u64>) -> World {
    let world = World::of_known_length(length);
    match seed {
        Some(seed) => world.seeded(seed),
        None => world,
    }
}

fn assert_resumes(world: &mut World, case: &str) {
    if !world.is_known() {
        return;
    }
    let outcome = world.resume();
    world.land_strays();
    assert!(matches!(outcome, SessionOutcome::Completed(_)), "{case}: {outcome:?}");
    let again = world.resume();
    assert_eq!(again, outcome, "{case}");
}
