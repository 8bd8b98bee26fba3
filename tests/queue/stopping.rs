//! Files that are not uploaded: stopped, canceled, deleted, failed, past their deadline.

use std::time::Duration;

use vod_uploader::queue::{Event, FileId, FileState, QueueState, UploadingPhase};
use vod_uploader::units::ByteCount;
use vod_uploader_sim::queue::{Credentials, Simulation, Supply};
use vod_uploader_sim::{Content, Fault, Operation};

use crate::actions::{checkpoint, info, run_half_way, run_to, run_to_completion, supply};
use crate::event_queries::{all_events, count, events_of, name, resumed_from};
use crate::fixture::{LEN, next_file};

#[test]
fn a_canceled_file_leaves_nothing_and_the_next_file_starts_afterwards() {
    let (mut simulation, file) = half_way();
    let next = simulation.add(next_file("next.mp4")).unwrap();
    let seen = simulation.events.len();
    simulation.cancel(file).unwrap();
    simulation.run_until(|simulation| simulation.state(file) == FileState::Canceled);
    assert!(simulation.world.store.uploads.is_empty());
    assert!(simulation.world.store.count(Operation::Abort) >= 1);
    let later: Vec<_> = simulation.events[seen..].iter().map(name).collect();
    assert_eq!(later, ["canceled"]);
    simulation.run();
    assert_eq!(simulation.state(next), FileState::Success);
    assert_eq!(simulation.queue_state(), QueueState::End);
    assert!(simulation.world.kv.values.is_empty(), "{:?}", simulation.world.kv.values.keys());
}

#[test]
fn a_cancel_at_any_step_has_one_terminal_event() {
    for steps in 0.. {
        let mut simulation = Simulation::new();
        let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
        simulation.start();
        for _ in 0..steps {
            simulation.step();
        }
        if simulation.state(file) == FileState::Success {
            break;
        }
        simulation.cancel(file).unwrap();
        simulation.run();
        let context = format!("step {steps}: {:?}", all_events(&simulation));
        let ends: Vec<_> =
            simulation.events.iter().filter(|event| event.is_last_of_file()).collect();
        match (simulation.state(file), &ends[..]) {
            (FileState::Canceled, [Event::Canceled { leftover_error: None, .. }]) => {
                assert!(simulation.world.store.objects.is_empty(), "{context}");
            }
            (FileState::Success, [Event::Succeeded(_)]) => {}
            _ => panic!("{context}"),
        }
        // An upload whose id was never received may remain, without parts.
        assert!(simulation.world.store.uploads.values().all(|parts| parts.is_empty()), "{context}");
        assert!(
            simulation.world.kv.values.is_empty(),
            "{context}: {:?}",
            simulation.world.kv.values.keys()
        );
        assert_eq!(simulation.events.last(), Some(&Event::UploadEnd), "{context}");
    }
}

#[test]
fn a_cancel_reports_why_parts_may_remain() {
    let (mut simulation, file) = half_way();
    simulation.world.store.faults.always(Operation::Abort, Fault::Broken);
    simulation.cancel(file).unwrap();
    simulation.run();
    assert_eq!(events_of(&simulation, file).last().unwrap(), "canceled left store-unavailable");
    assert!(simulation.world.kv.values.is_empty(), "{:?}", simulation.world.kv.values.keys());

    // The next uploader has no credential for it.
    let (mut simulation, _) = half_way();
    simulation.crash();
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.cancel(file).unwrap();
    simulation.run();
    assert_eq!(events_of(&simulation, file), ["file-added", "canceled left credential-required"]);
    assert!(simulation.world.kv.values.is_empty(), "{:?}", simulation.world.kv.values.keys());
}

#[test]
fn a_stopped_file_sends_nothing_and_keeps_its_stored_upload() {
    let (mut simulation, file) = half_way();
    let sent = simulation.world.store.seen.len();
    simulation.stop();
    simulation.run();
    assert_eq!(simulation.world.store.seen.len(), sent);
    let listed = info(&simulation, file);
    assert_eq!(listed.state, FileState::Stopped);
    let stored = checkpoint(&simulation, file).unwrap().upload.unwrap();
    assert_eq!(stored.checkpoint.durable(), listed.progress.durable);
    let expected = format!("stopped {}", listed.progress.durable.bytes());
    assert_eq!(events_of(&simulation, file).last(), Some(&expected));
    assert_eq!(simulation.world.store.uploads.len(), 1);
    assert_eq!(count(&simulation, "upload-end"), 0);
}

#[test]
fn a_resumed_file_does_not_send_a_recorded_part_again() {
    for resumes in [false, true] {
        let (mut simulation, file) = half_way();
        simulation.stop();
        simulation.run();
        let durable = info(&simulation, file).progress.durable.bytes();
        let sent = simulation.world.store.count(Operation::UploadPart);
        if resumes {
            simulation.resume(file).unwrap();
            assert_eq!(simulation.state(file), FileState::Ready);
        }
        simulation.start();
        simulation.run();
        assert_eq!(simulation.state(file), FileState::Success);
        assert_eq!(resumed_from(&simulation, file), Some(durable));
        let expected = (LEN - durable).div_ceil(102_400);
        assert_eq!((simulation.world.store.count(Operation::UploadPart) - sent) as u64, expected);
        assert_eq!(simulation.world.vod.media.len(), 1);
    }
}

#[test]
fn a_run_started_while_it_stops_resumes_after_the_stop() {
    let (mut simulation, file) = half_way();
    simulation.stop();
    assert_eq!(simulation.state(file), FileState::Uploading(UploadingPhase::Stopping));
    simulation.start();
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Success);
    assert_eq!(count(&simulation, "stopped"), 1);
    assert_eq!(count(&simulation, "upload-end"), 1);
    assert_eq!(simulation.world.vod.media.len(), 1);

    let (mut simulation, file) = half_way();
    simulation.stop();
    simulation.start();
    simulation.stop();
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Stopped);
    assert_eq!(count(&simulation, "stopped"), 1);
}

#[test]
fn a_run_can_be_stopped_and_resumed_at_any_step() {
    for steps in 0.. {
        let mut simulation = Simulation::new();
        let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
        simulation.start();
        for _ in 0..steps {
            simulation.step();
        }
        if simulation.queue_state() == QueueState::End {
            break;
        }
        simulation.stop();
        simulation.run();
        let context = format!("step {steps}: {:?}", all_events(&simulation));
        let state = simulation.state(file);
        assert!(matches!(state, FileState::Stopped | FileState::Success), "{context}");
        run_to_completion(&mut simulation);
        assert_eq!(simulation.state(file), FileState::Success, "{context}");
        assert!(
            simulation.world.kv.values.is_empty(),
            "{context}: {:?}",
            simulation.world.kv.values.keys()
        );
        assert_eq!(simulation.events.last(), Some(&Event::UploadEnd), "{context}");
    }
}

#[test]
fn a_deleted_file_leaves_the_list_with_its_terminal_event() {
    let (mut simulation, file) = half_way();
    simulation.delete(file).unwrap();
    assert_eq!(simulation.state(file), FileState::Uploading(UploadingPhase::Canceling));
    simulation.run();
    assert_eq!(events_of(&simulation, file).last().unwrap(), "canceled");
    assert!(simulation.queue().list_files().is_empty());
    assert!(simulation.world.store.uploads.is_empty() && simulation.world.kv.values.is_empty());
    assert_eq!(simulation.events.last(), Some(&Event::UploadEnd));
    // The same file can be added again, and starts from the beginning.
    let again = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    assert_ne!(again, file);
    run_to_completion(&mut simulation);
    assert_eq!(simulation.state(again), FileState::Success);
    assert_eq!(resumed_from(&simulation, again), None);
}

#[test]
fn a_cleaned_list_keeps_stored_uploads_and_accepts_the_same_file_again() {
    for steps in 0.. {
        let mut simulation = Simulation::new();
        let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
        simulation.start();
        for _ in 0..steps {
            simulation.step();
        }
        if simulation.state(file) == FileState::Success {
            break;
        }
        let durable = info(&simulation, file).progress.durable;
        simulation.clean();
        assert_eq!(count(&simulation, "upload-end"), 1);
        // Immediately: operations in flight for the first may still be applied.
        let again = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
        run_to_completion(&mut simulation);
        let context = format!("step {steps}: {:?}", all_events(&simulation));
        assert_eq!(simulation.state(again), FileState::Success, "{context}");
        assert_eq!(count(&simulation, "stopped"), 1, "{context}");
        if durable > ByteCount::ZERO && durable < ByteCount(LEN) {
            assert!(resumed_from(&simulation, again).unwrap() >= durable.bytes(), "{context}");
            assert_eq!(simulation.world.vod.media.len(), 1, "{context}");
        }
    }
}

#[test]
fn a_file_added_again_waits_until_its_cancellation_has_completed() {
    let (mut simulation, file) = half_way();
    simulation.cancel(file).unwrap();
    simulation.clean();
    assert_eq!(events_of(&simulation, file).last().unwrap(), "canceled left upload-stopped");
    let again = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    run_to_completion(&mut simulation);
    assert_eq!(simulation.state(again), FileState::Success, "{:?}", all_events(&simulation));
    assert_eq!(resumed_from(&simulation, again), None);
    assert!(simulation.world.store.uploads.is_empty());
    assert!(simulation.world.kv.values.is_empty(), "{:?}", simulation.world.kv.values.keys());
}

#[test]
fn a_file_that_misses_its_deadline_fails_and_keeps_its_checkpoint() {
    for waits in [
        UploadingPhase::AwaitingCredential,
        UploadingPhase::AwaitingSource,
        UploadingPhase::Transferring,
        UploadingPhase::TokenExpired,
    ] {
        let mut simulation =
            Simulation::new().with_options(|options| options.deadline_secs = Some(600));
        let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
        simulation.start();
        match waits {
            UploadingPhase::AwaitingCredential => simulation.app.credentials = None,
            UploadingPhase::AwaitingSource => simulation.app.supplies = false,
            UploadingPhase::Transferring => {
                run_half_way(&mut simulation, file);
                simulation.world.store.faults.always(Operation::UploadPart, Fault::Hang);
            }
            _ => {
                run_half_way(&mut simulation, file);
                simulation.app.credentials = None;
                simulation.world.store.keys.clear();
            }
        }
        run_to(&mut simulation, file, waits);
        let started = simulation.world.now();
        if waits == UploadingPhase::Transferring {
            simulation.world.clock.advance(Duration::from_secs(600));
        }
        simulation.run();
        assert_eq!(
            events_of(&simulation, file).last().unwrap(),
            "failed deadline-exceeded",
            "{waits:?}"
        );
        assert!(simulation.world.now().since(started) <= Duration::from_secs(601), "{waits:?}");
        let durable = info(&simulation, file).progress.durable;
        simulation.world.store.faults.clear();
        simulation.app.credentials = Some(Credentials::Server);
        simulation.app.supplies = true;
        run_to_completion(&mut simulation);
        assert_eq!(simulation.state(file), FileState::Success, "{waits:?}");
        if durable > ByteCount::ZERO {
            assert_eq!(resumed_from(&simulation, file), Some(durable.bytes()), "{waits:?}");
        }
    }
}

#[test]
fn a_passed_deadline_does_not_wake_the_driver_again() {
    let mut simulation =
        Simulation::new().with_options(|options| options.deadline_secs = Some(600));
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    run_half_way(&mut simulation, file);
    simulation.world.clock.advance(Duration::from_secs(600));
    simulation.handle(vod_uploader::queue::Input::Tick);
    // Confirmed parts are being recorded, and no timer is due.
    assert!(simulation.queue().next_wakeup().is_none_or(|at| at > simulation.world.now()));
    simulation.run();
    assert_eq!(events_of(&simulation, file).last().unwrap(), "failed deadline-exceeded");
}

#[test]
fn without_retries_the_first_failure_is_final() {
    for (retries, fails) in [(0, true), (1, false)] {
        let mut simulation =
            Simulation::new().with_options(|options| options.retry_count = Some(retries));
        let fault = Fault::Refused(503, "ServiceUnavailable");
        simulation.world.store.faults.plan(Operation::UploadPart, 1, fault);
        let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
        simulation.start();
        simulation.run();
        let last = events_of(&simulation, file).pop().unwrap();
        let expected = if fails { "failed store-unavailable" } else { "succeeded" };
        assert_eq!(last, expected);
    }
    let mut simulation = Simulation::new().with_options(|options| options.retry_count = Some(0));
    simulation.app.credentials = Some(Credentials::Sts);
    simulation.world.vod.faults = vec![Some(Fault::Broken)];
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    simulation.run();
    assert_eq!(events_of(&simulation, file).last().unwrap(), "failed vod-unavailable");
    assert_eq!(simulation.world.vod.seen.len(), 1);
}

#[test]
fn a_file_resumes_with_a_valid_source_after_an_invalid_one() {
    let content = Content::of_len(LEN);
    for (what, content, to, broken, error) in [
        ("short", content.clone(), 450_000, None, "length-mismatch"),
        ("long", Content::of_len(LEN + 1), LEN + 1, None, "length-mismatch"),
        ("broken", content, 450_000, Some("the disk is gone".to_owned()), "source-broken"),
    ] {
        let mut simulation = Simulation::new();
        simulation.app.supplies = false;
        let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
        let next = simulation.add(next_file("next.mp4")).unwrap();
        simulation.start();
        simulation.run();
        simulation.supply(file, 0, Supply { content: content.clone(), to, broken }).unwrap();
        simulation.run();
        if what == "short" {
            // The bytes are accepted and the rest is requested. An empty stream ends the file.
            assert_eq!(events_of(&simulation, file).last().unwrap(), "progress 409600");
            let listed = info(&simulation, file);
            assert_eq!(listed.state, FileState::Uploading(UploadingPhase::AwaitingSource));
            let empty = Supply { content, to: 450_000, broken: None };
            simulation.supply(file, 450_000, empty).unwrap();
            simulation.run();
        }
        let FileState::Failure(failure) = simulation.state(file) else { panic!("{what}") };
        assert_eq!(failure.kind().code(), error, "{what}");
        assert_eq!(failure.message().contains("the disk is gone"), what == "broken");
        assert_eq!(simulation.state(next), FileState::Uploading(UploadingPhase::AwaitingSource));
        let durable = info(&simulation, file).progress.durable;
        assert!(durable >= ByteCount(409_600), "{what}: {durable}");
        supply(&mut simulation, next, 0).unwrap();
        simulation.app.supplies = true;
        simulation.run();
        run_to_completion(&mut simulation);
        assert_eq!(
            simulation.state(file),
            FileState::Success,
            "{what}: {:?}",
            all_events(&simulation)
        );
        assert_eq!(resumed_from(&simulation, file), Some(durable.bytes()), "{what}");
    }
}

#[test]
fn a_source_at_another_offset_is_rejected() {
    let mut simulation = Simulation::new();
    simulation.app.supplies = false;
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    simulation.run();
    let rejected = supply(&mut simulation, file, 1).unwrap_err();
    assert_eq!(rejected.kind().code(), "offset-mismatch");
    supply(&mut simulation, file, 0).unwrap();
    let rejected = supply(&mut simulation, file, 0).unwrap_err();
    assert_eq!(rejected.kind().code(), "file-state-wrong");
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Success);
}

#[test]
fn an_uploaded_file_leaves_the_list_immediately_when_deleted() {
    let (mut simulation, file) = half_way();
    simulation.run_until(|simulation| simulation.state(file) == FileState::Success);
    simulation.delete(file).unwrap();
    assert!(simulation.queue().list_files().is_empty());
    let again = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    run_to_completion(&mut simulation);
    assert_eq!(simulation.state(again), FileState::Success, "{:?}", all_events(&simulation));
    assert!(simulation.world.kv.values.is_empty(), "{:?}", simulation.world.kv.values.keys());
}

fn half_way() -> (Simulation, FileId) {
    let mut simulation = Simulation::new();
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    run_half_way(&mut simulation, file);
    (simulation, file)
}
