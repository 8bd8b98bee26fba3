//! Several writers of one upload: only the last one acknowledges, whatever arrives late.

use vod_uploader::error::ErrorKind;
use vod_uploader::upload::{Lease, SessionOutcome};

use crate::harness::{ClientRequest, Operation, World, WriterId, key};

/// Two parts, the second of them short, so that many runs are quick.
const LENGTH: u64 = 102_400 + 7;

#[test]
fn who_was_taken_over_puts_no_small_object_after_the_upload_has_ended() {
    for seed in 0..40 {
        for steps in 0..60 {
            let mut world = World::of_known_length(60_000).seeded(seed);
            world.kv.write(&key().lease_key(), &Lease::unheld().encode().unwrap()).unwrap();
            let slow = world.take_over(ClientRequest::new(0, 60_000));
            for _ in 0..steps {
                world.step(slow);
            }
            // The second checkpoint is its last look at who writes before it puts the object.
            if world.kv.writes_with(".c.") > 1 {
                break;
            }
            assert_eq!(world.abort(), SessionOutcome::Aborted);
            let outcome = world.run(slow);
            assert!(
                !matches!(outcome, SessionOutcome::Completed(_)),
                "{seed} {steps}: {outcome:?}"
            );
            assert_eq!(world.store.count(Operation::PutObject), 0, "{seed} {steps}");
        }
    }
}

#[test]
fn a_late_writer_of_any_progress_never_disturbs_the_one_that_took_over() {
    // The first writer stops after `stop` steps, and goes on when the second has done `later`.
    let mut fenced = 0;
    'stops: for stop in 0.. {
        for later in 0.. {
            let mut world = World::of_known_length(LENGTH);
            let first = world.create(ClientRequest::new(0, LENGTH));
            if !run_steps(&mut world, first, stop) {
                break 'stops;
            }
            if !world.is_known() {
                continue 'stops;
            }
            let second = world.take_over(world.rest());
            let second_ended = !run_steps(&mut world, second, later);
            let first_outcome = world.run(first);
            let second_outcome = world.run(second);
            fenced += usize::from(is_taken_over(&first_outcome));
            assert_one_whole_object(&mut world, &[first_outcome, second_outcome]);
            if second_ended {
                break;
            }
        }
    }
    assert!(fenced > 100, "{fenced} first writers were fenced");
}

#[test]
fn what_a_late_writer_has_begun_can_arrive_at_any_step_of_the_next() {
    // As above, but the first writer is gone: only what it has begun arrives, all of it or one by
    // one in either order.
    for last_first in [false, true] {
        'stops: for stop in 0.. {
            for later in 0.. {
                let mut world = World::of_known_length(LENGTH);
                let first = world.create(ClientRequest::new(0, LENGTH));
                if !run_steps(&mut world, first, stop) {
                    break 'stops;
                }
                if !world.is_known() {
                    continue 'stops;
                }
                world.crash(first);
                if last_first {
                    world.strays.reverse();
                }
                let second = world.take_over(world.rest());
                let ended = !run_steps(&mut world, second, later);
                world.land_strays();
                let outcome = world.run(second);
                assert_one_whole_object(&mut world, &[outcome]);
                if ended {
                    break;
                }
            }
        }
    }
}

#[test]
fn writers_that_all_run_at_once_make_one_whole_object() {
    for seed in 0..400 {
        let mut world = World::of_known_length(3 * 102_400 + seed).seeded(seed);
        let length = world.content.len();
        let first = world.create(ClientRequest::new(0, length));
        for _ in 0..seed % 50 {
            world.step(first);
        }
        if !world.is_known() {
            continue;
        }
        let rest = world.rest();
        world.take_over(rest);
        if seed % 2 == 0 {
            world.take_over(rest);
        }
        world.run_all();
        let outcomes: Vec<_> =
            world.writers.iter().map(|writer| writer.outcome.clone().unwrap()).collect();
        assert_one_whole_object(&mut world, &outcomes);
    }
}

#[test]
fn a_take_over_that_is_delayed_at_any_step_never_sends_the_offset_back() {
    // The first writer has acknowledged something and is gone. The second is stopped within its
    // claim, the third works and stops anywhere, and then the second goes on.
    'stops: for stop in 0.. {
        for later in 0.. {
            let mut world = World::of_known_length(LENGTH + 102_400);
            let length = world.content.len();
            let first = world.create(ClientRequest::new(0, length).cut_at(102_400));
            world.run(first);
            let second = world.take_over(world.rest());
            if !run_steps(&mut world, second, stop) || world.writers[second].ready.is_some() {
                break 'stops;
            }
            let third = world.take_over(world.rest());
            let third_ended = !run_steps(&mut world, third, later);
            let second_outcome = world.run(second);
            let third_outcome = world.run(third);
            assert_one_whole_object(&mut world, &[second_outcome, third_outcome]);
            if third_ended {
                break;
            }
        }
    }
}

#[test]
fn a_claim_that_crashed_at_any_step_and_arrives_late_never_sends_the_offset_back() {
    'stops: for stop in 0.. {
        for later in 0.. {
            let mut world = World::of_known_length(LENGTH + 102_400);
            let length = world.content.len();
            let first = world.create(ClientRequest::new(0, length).cut_at(102_400));
            world.run(first);
            let second = world.take_over(world.rest());
            if !run_steps(&mut world, second, stop) || world.writers[second].ready.is_some() {
                break 'stops;
            }
            world.crash(second);
            let third = world.take_over(world.rest());
            let third_ended = !run_steps(&mut world, third, later);
            world.land_strays();
            let outcome = world.run(third);
            assert_one_whole_object(&mut world, &[outcome]);
            if third_ended {
                break;
            }
        }
    }
}

#[test]
fn a_take_over_with_a_wrong_offset_leaves_the_running_writer_alone() {
    for stop in 0..60 {
        let mut world = World::of_known_length(LENGTH);
        let first = world.create(ClientRequest::new(0, LENGTH));
        run_steps(&mut world, first, stop);
        if !world.is_known() {
            continue;
        }
        let wrong = world.take_over(ClientRequest::new(5, LENGTH));
        let before = world.kv.writes.clone();
        let outcome = world.run(wrong);
        assert_eq!(world.kv.writes, before);
        match outcome {
            SessionOutcome::Completed(_) => assert_eq!(world.store.uploads.len(), 0),
            SessionOutcome::Failed { error, .. } => {
                assert_eq!(error.kind(), ErrorKind::OffsetMismatch)
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(world.run(first), SessionOutcome::Completed(_)));
    }
}

#[test]
fn complete_names_only_the_parts_that_were_acknowledged() {
    // The first writer's parts 2 and 3 arrive after it was taken over: they are never named.
    let length = 4 * 102_400;
    let mut world = World::of_known_length(length);
    let first = world.create(ClientRequest::new(0, length));
    while world.store.count(Operation::UploadPart) == 0 {
        world.step(first);
    }
    world.crash(first);
    let outcome = world.resume();
    assert!(matches!(outcome, SessionOutcome::Completed(_)), "{outcome:?}");
    let numbers: Vec<_> = world.store.seen.iter().filter_map(|(_, number)| *number).collect();
    let second_s: Vec<_> = numbers.iter().skip(1).collect();
    assert!(second_s.iter().all(|number| **number > numbers[0]), "{numbers:?}");
}

#[test]
fn a_number_that_a_crashed_writer_may_have_used_is_not_used_again() {
    let length = 4 * 102_400;
    let mut world = World::of_known_length(length);
    let first = world.create(ClientRequest::new(0, length).cut_at(102_400));
    world.run(first);
    // Two writers, one after the other, send a part each and are gone before they store that.
    for sent in [2, 3] {
        let crashed = world.take_over(world.rest());
        while world.store.count(Operation::UploadPart) < sent {
            world.step(crashed);
        }
        world.crash(crashed);
        assert_eq!(world.stored_offset(), 102_400);
    }
    let outcome = world.resume();
    assert!(matches!(outcome, SessionOutcome::Completed(_)), "{outcome:?}");
    let mut numbers: Vec<_> = world.store.seen.iter().filter_map(|(_, number)| *number).collect();
    let sent = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), sent, "{:?}", world.store.seen);
}

#[test]
fn an_offset_that_is_told_during_a_take_over_never_goes_back() {
    // The first writer stops after `stop` steps, a second takes over and is stopped after `later`,
    // the first goes on, and everybody who asks in between is told at most what stays.
    let mut told_while_unsettled = 0;
    'stops: for stop in 0.. {
        for later in 0.. {
            let mut world = World::of_known_length(LENGTH + 102_400);
            let length = world.content.len();
            let first = world.create(ClientRequest::new(0, length));
            if !run_steps(&mut world, first, stop) {
                break 'stops;
            }
            if !world.is_known() {
                continue 'stops;
            }
            let mut told = world.told_offset().unwrap_or(0);
            let second = world.take_over(world.rest());
            let second_ended = !run_steps(&mut world, second, later);
            for writer in [first, second] {
                while !world.writers[writer].has_ended() {
                    world.step(writer);
                    match world.told_offset() {
                        Some(offset) => {
                            assert!(offset >= told, "{offset} after {told}: {stop} {later}");
                            told = offset;
                        }
                        None => told_while_unsettled += 1,
                    }
                }
            }
            if second_ended {
                break;
            }
        }
    }
    assert!(told_while_unsettled > 0, "some of these orders ask while the lease has no checkpoint");
}

#[test]
fn a_fence_keeps_the_offset_against_a_writer_that_is_still_at_work() {
    for stop in 0..80 {
        let mut world = World::of_known_length(LENGTH + 102_400);
        let length = world.content.len();
        let first = world.create(ClientRequest::new(0, length));
        if !run_steps(&mut world, first, stop) {
            break;
        }
        if !world.is_known() {
            continue;
        }
        let outcome = world.fence();
        let offset = world.told_offset();
        if let SessionOutcome::Suspended { durable, .. } = &outcome {
            assert!(offset == Some(durable.bytes()) || durable.is_zero(), "{offset:?} {outcome:?}");
        }
        world.run(first);
        assert!(world.told_offset() >= offset);
        assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
    }
}

fn run_steps(world: &mut World, id: WriterId, steps: usize) -> bool {
    for _ in 0..steps {
        world.step(id);
    }
    !world.writers[id].has_ended()
}

fn is_taken_over(outcome: &SessionOutcome) -> bool {
    matches!(outcome, SessionOutcome::Failed { error, .. } if error.kind() == ErrorKind::TakenOver)
}

/// Every writer has completed, was taken over or came with an offset that was no longer right; and
/// whoever comes next finds, or makes, the whole object.
fn assert_one_whole_object(world: &mut World, outcomes: &[SessionOutcome]) {
    for outcome in outcomes {
        let expected = match outcome {
            SessionOutcome::Completed(_) => true,
            SessionOutcome::Failed { error, .. } => {
                matches!(error.kind(), ErrorKind::TakenOver | ErrorKind::OffsetMismatch)
            }
            _ => false,
        };
        assert!(expected, "{outcome:?}");
    }
    let last = world.resume();
    assert!(matches!(last, SessionOutcome::Completed(_)), "{last:?} after {outcomes:?}");
}
