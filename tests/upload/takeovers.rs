//! Several writers of one upload: only the last one acknowledges bytes.

use vod_uploader::error::ErrorKind;
use vod_uploader::upload::{Lease, SessionOutcome, WriterEpoch};

use vod_uploader_sim::Operation;
use vod_uploader_sim::session::{ClientRequest, Simulation, WriterId, upload_id};

/// Two parts, of which the second is short, so that a run is fast.
const LENGTH: u64 = 102_400 + 7;

#[test]
fn a_fenced_writer_stores_no_small_object_after_the_upload_has_ended() {
    for seed in 0..40 {
        for steps in 0..60 {
            let mut simulation = Simulation::of_known_length(60_000).seeded(seed);
            simulation
                .world
                .kv
                .write(&upload_id().lease_key(), &Lease::unheld().encode().unwrap())
                .unwrap();
            let slow = simulation.take_over(ClientRequest::new(0, 60_000));
            for _ in 0..steps {
                simulation.step(slow);
            }
            // Before the second checkpoint, the writer checks the lease for the last time.
            if simulation.world.kv.writes_with(".c.") > 1 {
                break;
            }
            assert_eq!(simulation.abort(), SessionOutcome::Aborted);
            let outcome = simulation.run(slow);
            assert!(
                !matches!(outcome, SessionOutcome::Completed(_)),
                "{seed} {steps}: {outcome:?}"
            );
            assert_eq!(simulation.world.store.count(Operation::PutObject), 0, "{seed} {steps}");
        }
    }
}

#[test]
fn a_writer_whose_upload_was_aborted_and_deleted_leaves_no_bytes_in_oss() {
    // The deletion removes the candidate of the aborting session first, and its lease last.
    for is_complete in [false, true] {
        let mut stopped = 0;
        for steps in 0.. {
            let mut simulation = Simulation::of_known_length(LENGTH);
            let slow = simulation.create(ClientRequest::new(0, LENGTH));
            if !run_steps(&mut simulation, slow, steps) {
                break;
            }
            if !simulation.is_created() || simulation.abort() != SessionOutcome::Aborted {
                continue;
            }
            let lease = upload_id().lease_key();
            simulation.world.kv.values.retain(|key, _| !is_complete && *key == lease);
            let outcome = simulation.run(slow);
            assert!(!matches!(outcome, SessionOutcome::Completed(_)), "{steps}: {outcome:?}");
            let store = &simulation.world.store;
            assert!(store.objects.is_empty(), "{steps}");
            assert!(store.uploads.values().all(|parts| parts.is_empty()), "{steps}");
            stopped += usize::from(is_taken_over(&outcome));
        }
        assert!(stopped > 0, "no writer had anything to store");
    }
}

#[test]
fn a_late_writer_of_any_progress_never_affects_the_one_that_took_over() {
    // The first writer pauses after `stop` steps, and continues after `later` steps of the second.
    let mut fenced = 0;
    'stops: for stop in 0.. {
        for later in 0.. {
            let mut simulation = Simulation::of_known_length(LENGTH);
            let first = simulation.create(ClientRequest::new(0, LENGTH));
            if !run_steps(&mut simulation, first, stop) {
                break 'stops;
            }
            if !simulation.is_created() {
                continue 'stops;
            }
            let second = simulation.take_over(simulation.rest());
            let second_ended = !run_steps(&mut simulation, second, later);
            let first_outcome = simulation.run(first);
            let second_outcome = simulation.run(second);
            fenced += usize::from(is_taken_over(&first_outcome));
            assert_one_complete_object(&mut simulation, &[first_outcome, second_outcome]);
            if second_ended {
                break;
            }
        }
    }
    assert!(fenced > 100, "{fenced} first writers were fenced");
}

#[test]
fn calls_of_a_crashed_writer_can_take_effect_at_any_step_of_the_next() {
    // As above, but the first writer has crashed: its calls take effect in either order.
    for last_first in [false, true] {
        'stops: for stop in 0.. {
            for later in 0.. {
                let mut simulation = Simulation::of_known_length(LENGTH);
                let first = simulation.create(ClientRequest::new(0, LENGTH));
                if !run_steps(&mut simulation, first, stop) {
                    break 'stops;
                }
                if !simulation.is_created() {
                    continue 'stops;
                }
                simulation.crash(first);
                if last_first {
                    simulation.reverse_late_writes();
                }
                let second = simulation.take_over(simulation.rest());
                let ended = !run_steps(&mut simulation, second, later);
                simulation.apply_late_writes();
                let outcome = simulation.run(second);
                assert_one_complete_object(&mut simulation, &[outcome]);
                if ended {
                    break;
                }
            }
        }
    }
}

#[test]
fn concurrent_writers_make_one_complete_object() {
    for seed in 0..400 {
        let mut simulation = Simulation::of_known_length(3 * 102_400 + seed).seeded(seed);
        let length = simulation.content.len();
        let first = simulation.create(ClientRequest::new(0, length));
        for _ in 0..seed % 50 {
            simulation.step(first);
        }
        if !simulation.is_created() {
            continue;
        }
        let rest = simulation.rest();
        simulation.take_over(rest);
        if seed % 2 == 0 {
            simulation.take_over(rest);
        }
        simulation.run_all();
        let outcomes: Vec<_> =
            simulation.writers.iter().map(|writer| writer.outcome.clone().unwrap()).collect();
        assert_one_complete_object(&mut simulation, &outcomes);
    }
}

#[test]
fn a_takeover_that_is_delayed_at_any_step_never_regresses_the_offset() {
    // The first writer has acknowledged bytes and ended. The second pauses while it acquires the
    // lease, the third pauses at any step, and then the second continues.
    'stops: for stop in 0.. {
        for later in 0.. {
            let mut simulation = Simulation::of_known_length(LENGTH + 102_400);
            let length = simulation.content.len();
            let first = simulation.create(ClientRequest::new(0, length).cut_at(102_400));
            simulation.run(first);
            let second = simulation.take_over(simulation.rest());
            if !run_steps(&mut simulation, second, stop)
                || simulation.writers[second].started_at.is_some()
            {
                break 'stops;
            }
            let third = simulation.take_over(simulation.rest());
            let third_ended = !run_steps(&mut simulation, third, later);
            let second_outcome = simulation.run(second);
            let third_outcome = simulation.run(third);
            assert_one_complete_object(&mut simulation, &[second_outcome, third_outcome]);
            if third_ended {
                break;
            }
        }
    }
}

#[test]
fn a_crashed_takeover_that_takes_effect_late_never_regresses_the_offset() {
    'stops: for stop in 0.. {
        for later in 0.. {
            let mut simulation = Simulation::of_known_length(LENGTH + 102_400);
            let length = simulation.content.len();
            let first = simulation.create(ClientRequest::new(0, length).cut_at(102_400));
            simulation.run(first);
            let second = simulation.take_over(simulation.rest());
            if !run_steps(&mut simulation, second, stop)
                || simulation.writers[second].started_at.is_some()
            {
                break 'stops;
            }
            simulation.crash(second);
            let third = simulation.take_over(simulation.rest());
            let third_ended = !run_steps(&mut simulation, third, later);
            simulation.apply_late_writes();
            let outcome = simulation.run(third);
            assert_one_complete_object(&mut simulation, &[outcome]);
            if third_ended {
                break;
            }
        }
    }
}

#[test]
fn a_takeover_with_a_wrong_offset_does_not_affect_the_running_writer() {
    for stop in 0..60 {
        let mut simulation = Simulation::of_known_length(LENGTH);
        let first = simulation.create(ClientRequest::new(0, LENGTH));
        run_steps(&mut simulation, first, stop);
        if !simulation.is_created() {
            continue;
        }
        let wrong = simulation.take_over(ClientRequest::new(5, LENGTH));
        let before = simulation.world.kv.writes.clone();
        let outcome = simulation.run(wrong);
        assert_eq!(simulation.world.kv.writes, before);
        match outcome {
            SessionOutcome::Completed(_) => assert_eq!(simulation.world.store.uploads.len(), 0),
            SessionOutcome::Failed { error, .. } => {
                assert_eq!(error.kind(), ErrorKind::OffsetMismatch)
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(simulation.run(first), SessionOutcome::Completed(_)));
    }
}

#[test]
fn complete_has_only_the_parts_that_were_acknowledged() {
    // Parts 2 and 3 of the first writer arrive after the takeover: Complete does not have them.
    let length = 4 * 102_400;
    let mut simulation = Simulation::of_known_length(length);
    let first = simulation.create(ClientRequest::new(0, length));
    while simulation.world.store.count(Operation::UploadPart) == 0 {
        simulation.step(first);
    }
    simulation.crash(first);
    let outcome = simulation.resume();
    assert!(matches!(outcome, SessionOutcome::Completed(_)), "{outcome:?}");
    let numbers: Vec<_> =
        simulation.world.store.seen.iter().filter_map(|(_, number)| *number).collect();
    let second_s: Vec<_> = numbers.iter().skip(1).collect();
    assert!(second_s.iter().all(|number| **number > numbers[0]), "{numbers:?}");
}

#[test]
fn a_part_number_that_a_crashed_writer_may_have_used_is_not_reused() {
    let length = 4 * 102_400;
    let mut simulation = Simulation::of_known_length(length);
    let first = simulation.create(ClientRequest::new(0, length).cut_at(102_400));
    simulation.run(first);
    // Two writers, one after the other, send a part each and crash before they store it.
    for sent in [2, 3] {
        let crashed = simulation.take_over(simulation.rest());
        while simulation.world.store.count(Operation::UploadPart) < sent {
            simulation.step(crashed);
        }
        simulation.crash(crashed);
        assert_eq!(simulation.stored_offset(), 102_400);
    }
    let outcome = simulation.resume();
    assert!(matches!(outcome, SessionOutcome::Completed(_)), "{outcome:?}");
    let mut numbers: Vec<_> =
        simulation.world.store.seen.iter().filter_map(|(_, number)| *number).collect();
    let sent = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), sent, "{:?}", simulation.world.store.seen);
}

#[test]
fn an_offset_that_is_reported_during_a_takeover_never_regresses() {
    // The first writer pauses after `stop` steps, the second after `later` steps. The offsets that
    // responses report in between never exceed what stays durable.
    let mut inconclusive = 0;
    'stops: for stop in 0.. {
        for later in 0.. {
            let mut simulation = Simulation::of_known_length(LENGTH + 102_400);
            let length = simulation.content.len();
            let first = simulation.create(ClientRequest::new(0, length));
            if !run_steps(&mut simulation, first, stop) {
                break 'stops;
            }
            if !simulation.is_created() {
                continue 'stops;
            }
            let mut reported = simulation.reported_offset().unwrap_or(0);
            let second = simulation.take_over(simulation.rest());
            let second_ended = !run_steps(&mut simulation, second, later);
            for writer in [first, second] {
                while !simulation.writers[writer].has_ended() {
                    simulation.step(writer);
                    match simulation.reported_offset() {
                        Some(offset) => {
                            assert!(
                                offset >= reported,
                                "{offset} after {reported}: {stop} {later}"
                            );
                            reported = offset;
                        }
                        None => inconclusive += 1,
                    }
                }
            }
            if second_ended {
                break;
            }
        }
    }
    assert!(inconclusive > 0, "no request was sent while the lease had no checkpoint");
}

#[test]
fn a_fence_keeps_the_offset_although_a_writer_is_still_active() {
    for stop in 0..80 {
        let mut simulation = Simulation::of_known_length(LENGTH + 102_400);
        let length = simulation.content.len();
        let first = simulation.create(ClientRequest::new(0, length));
        if !run_steps(&mut simulation, first, stop) {
            break;
        }
        if !simulation.is_created() {
            continue;
        }
        let outcome = simulation.fence();
        let offset = simulation.reported_offset();
        if let SessionOutcome::Suspended { durable, .. } = &outcome {
            assert!(offset == Some(durable.bytes()) || durable.is_zero(), "{offset:?} {outcome:?}");
        }
        simulation.run(first);
        assert!(simulation.reported_offset() >= offset);
        assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
    }
}

fn run_steps(simulation: &mut Simulation, id: WriterId, steps: usize) -> bool {
    for _ in 0..steps {
        simulation.step(id);
    }
    !simulation.writers[id].has_ended()
}

fn is_taken_over(outcome: &SessionOutcome) -> bool {
    matches!(outcome, SessionOutcome::Failed { error, .. } if error.kind() == ErrorKind::TakenOver)
}

/// Every writer has completed, was taken over, or had an outdated offset; and the next session
/// completes the object.
fn assert_one_complete_object(simulation: &mut Simulation, outcomes: &[SessionOutcome]) {
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
    let last = simulation.resume();
    assert!(matches!(last, SessionOutcome::Completed(_)), "{last:?} after {outcomes:?}");
}

#[test]
fn no_writer_takes_over_at_the_last_epoch() {
    for (epoch, is_acquired) in [(u32::MAX - 2, true), (u32::MAX - 1, false)] {
        let mut simulation = Simulation::of_known_length(LENGTH);
        let first = simulation.create(ClientRequest::new(0, 0));
        simulation.run(first);
        let lease = Lease { holder: WriterEpoch { epoch, writer: 1 }, ..Lease::unheld() };
        simulation.world.kv.write(&upload_id().lease_key(), &lease.encode().unwrap()).unwrap();
        let outcome = simulation.fence();
        assert_eq!(matches!(outcome, SessionOutcome::Suspended { .. }), is_acquired, "{outcome:?}");
    }
}
