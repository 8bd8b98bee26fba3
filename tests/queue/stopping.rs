//! Files that are not uploaded: stopped, canceled, deleted, failed, past their deadline.

use std::time::Duration;

use vod_uploader::queue::{Event, FileId, FileState, QueueState, UploadingPhase};
use vod_uploader::units::ByteCount;
use vod_uploader_sim::{Content, Credentials, Fault, Operation, Simulation, Supply};

use crate::actions::{checkpoint, info, run_half_way, run_to, run_to_completion, supply};
use crate::event_queries::{all_events, count, events_of, name, resumed_from};
use crate::fixture::{LEN, next_file};

#[test]
fn a_canceled_file_leaves_nothing_and_the_next_file_starts_afterwards() {
    let (mut world, file) = half_way();
    let next = world.add(next_file("next.mp4")).unwrap();
    let seen = world.events.len();
    world.cancel(file).unwrap();
    world.run_until(|world| world.state(file) == FileState::Canceled);
    assert!(world.store.uploads.is_empty());
    assert!(world.store.count(Operation::Abort) >= 1);
    let later: Vec<_> = world.events[seen..].iter().map(name).collect();
    assert_eq!(later, ["canceled"]);
    world.run();
    assert_eq!(world.state(next), FileState::Success);
    assert_eq!(world.queue_state(), QueueState::End);
    assert!(world.kv.values.is_empty(), "{:?}", world.kv.values.keys());
}

#[test]
fn a_cancel_at_any_step_has_one_terminal_event() {
    for steps in 0.. {
        let mut world = Simulation::new();
        let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
        world.start();
        for _ in 0..steps {
            world.step();
        }
        if world.state(file) == FileState::Success {
            break;
        }
        world.cancel(file).unwrap();
        world.run();
        let context = format!("step {steps}: {:?}", all_events(&world));
        let ends: Vec<_> = world.events.iter().filter(|event| event.is_last_of_file()).collect();
        match (world.state(file), &ends[..]) {
            (FileState::Canceled, [Event::Canceled { leftover_error: None, .. }]) => {
                assert!(world.store.objects.is_empty(), "{context}");
            }
            (FileState::Success, [Event::Succeeded(_)]) => {}
            _ => panic!("{context}"),
        }
        // An upload whose id was never received may remain, without parts.
        assert!(world.store.uploads.values().all(|parts| parts.is_empty()), "{context}");
        assert!(world.kv.values.is_empty(), "{context}: {:?}", world.kv.values.keys());
        assert_eq!(world.events.last(), Some(&Event::UploadEnd), "{context}");
    }
}

#[test]
fn a_cancel_reports_why_parts_may_remain() {
    let (mut world, file) = half_way();
    world.store.faults.always(Operation::Abort, Fault::Broken);
    world.cancel(file).unwrap();
    world.run();
    assert_eq!(events_of(&world, file).last().unwrap(), "canceled left store-unavailable");
    assert!(world.kv.values.is_empty(), "{:?}", world.kv.values.keys());

    // The next uploader has no credential for it.
    let (mut world, _) = half_way();
    world.crash();
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.cancel(file).unwrap();
    world.run();
    assert_eq!(events_of(&world, file), ["file-added", "canceled left credential-required"]);
    assert!(world.kv.values.is_empty(), "{:?}", world.kv.values.keys());
}

#[test]
fn a_stopped_file_sends_nothing_and_keeps_its_stored_upload() {
    let (mut world, file) = half_way();
    let sent = world.store.seen.len();
    world.stop();
    world.run();
    assert_eq!(world.store.seen.len(), sent);
    let listed = info(&world, file);
    assert_eq!(listed.state, FileState::Stopped);
    let stored = checkpoint(&world, file).unwrap().upload.unwrap();
    assert_eq!(stored.checkpoint.durable(), listed.progress.durable);
    let expected = format!("stopped {}", listed.progress.durable.bytes());
    assert_eq!(events_of(&world, file).last(), Some(&expected));
    assert_eq!(world.store.uploads.len(), 1);
    assert_eq!(count(&world, "upload-end"), 0);
}

#[test]
fn a_resumed_file_does_not_send_a_recorded_part_again() {
    for resumes in [false, true] {
        let (mut world, file) = half_way();
        world.stop();
        world.run();
        let durable = info(&world, file).progress.durable.bytes();
        let sent = world.store.count(Operation::UploadPart);
        if resumes {
            world.resume(file).unwrap();
            assert_eq!(world.state(file), FileState::Ready);
        }
        world.start();
        world.run();
        assert_eq!(world.state(file), FileState::Success);
        assert_eq!(resumed_from(&world, file), Some(durable));
        let expected = (LEN - durable).div_ceil(102_400);
        assert_eq!((world.store.count(Operation::UploadPart) - sent) as u64, expected);
        assert_eq!(world.vod.media.len(), 1);
    }
}

#[test]
fn a_run_started_while_it_stops_resumes_after_the_stop() {
    let (mut world, file) = half_way();
    world.stop();
    assert_eq!(world.state(file), FileState::Uploading(UploadingPhase::Stopping));
    world.start();
    world.run();
    assert_eq!(world.state(file), FileState::Success);
    assert_eq!(count(&world, "stopped"), 1);
    assert_eq!(count(&world, "upload-end"), 1);
    assert_eq!(world.vod.media.len(), 1);

    let (mut world, file) = half_way();
    world.stop();
    world.start();
    world.stop();
    world.run();
    assert_eq!(world.state(file), FileState::Stopped);
    assert_eq!(count(&world, "stopped"), 1);
}

#[test]
fn a_run_can_be_stopped_and_resumed_at_any_step() {
    for steps in 0.. {
        let mut world = Simulation::new();
        let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
        world.start();
        for _ in 0..steps {
            world.step();
        }
        if world.queue_state() == QueueState::End {
            break;
        }
        world.stop();
        world.run();
        let context = format!("step {steps}: {:?}", all_events(&world));
        let state = world.state(file);
        assert!(matches!(state, FileState::Stopped | FileState::Success), "{context}");
        run_to_completion(&mut world);
        assert_eq!(world.state(file), FileState::Success, "{context}");
        assert!(world.kv.values.is_empty(), "{context}: {:?}", world.kv.values.keys());
        assert_eq!(world.events.last(), Some(&Event::UploadEnd), "{context}");
    }
}

#[test]
fn a_deleted_file_leaves_the_list_with_its_terminal_event() {
    let (mut world, file) = half_way();
    world.delete(file).unwrap();
    assert_eq!(world.state(file), FileState::Uploading(UploadingPhase::Canceling));
    world.run();
    assert_eq!(events_of(&world, file).last().unwrap(), "canceled");
    assert!(world.queue.list_files().is_empty());
    assert!(world.store.uploads.is_empty() && world.kv.values.is_empty());
    assert_eq!(world.events.last(), Some(&Event::UploadEnd));
    // The same file can be added again, and starts from the beginning.
    let again = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    assert_ne!(again, file);
    run_to_completion(&mut world);
    assert_eq!(world.state(again), FileState::Success);
    assert_eq!(resumed_from(&world, again), None);
}

#[test]
fn a_cleaned_list_keeps_stored_uploads_and_accepts_the_same_file_again() {
    for steps in 0.. {
        let mut world = Simulation::new();
        let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
        world.start();
        for _ in 0..steps {
            world.step();
        }
        if world.state(file) == FileState::Success {
            break;
        }
        let durable = info(&world, file).progress.durable;
        world.clean();
        assert_eq!(count(&world, "upload-end"), 1);
        // Immediately: operations in flight for the first may still be applied.
        let again = world.add(Simulation::file("a.mp4", LEN)).unwrap();
        run_to_completion(&mut world);
        let context = format!("step {steps}: {:?}", all_events(&world));
        assert_eq!(world.state(again), FileState::Success, "{context}");
        assert_eq!(count(&world, "stopped"), 1, "{context}");
        if durable > ByteCount::ZERO && durable < ByteCount(LEN) {
            assert!(resumed_from(&world, again).unwrap() >= durable.bytes(), "{context}");
            assert_eq!(world.vod.media.len(), 1, "{context}");
        }
    }
}

#[test]
fn a_file_added_again_waits_until_its_cancellation_has_completed() {
    let (mut world, file) = half_way();
    world.cancel(file).unwrap();
    world.clean();
    assert_eq!(events_of(&world, file).last().unwrap(), "canceled left upload-stopped");
    let again = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    run_to_completion(&mut world);
    assert_eq!(world.state(again), FileState::Success, "{:?}", all_events(&world));
    assert_eq!(resumed_from(&world, again), None);
    assert!(world.store.uploads.is_empty());
    assert!(world.kv.values.is_empty(), "{:?}", world.kv.values.keys());
}

#[test]
fn a_file_that_misses_its_deadline_fails_and_keeps_its_checkpoint() {
    for waits in [
        UploadingPhase::AwaitingCredential,
        UploadingPhase::AwaitingSource,
        UploadingPhase::Transferring,
        UploadingPhase::TokenExpired,
    ] {
        let mut world = Simulation::new().with_options(|options| options.deadline_secs = Some(600));
        let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
        world.start();
        match waits {
            UploadingPhase::AwaitingCredential => world.app.credentials = None,
            UploadingPhase::AwaitingSource => world.app.supplies = false,
            UploadingPhase::Transferring => {
                run_half_way(&mut world, file);
                world.store.faults.always(Operation::UploadPart, Fault::Hang);
            }
            _ => {
                run_half_way(&mut world, file);
                world.app.credentials = None;
                world.store.keys.clear();
            }
        }
        run_to(&mut world, file, waits);
        let started = world.now;
        if waits == UploadingPhase::Transferring {
            world.now = world.now + Duration::from_secs(600);
        }
        world.run();
        assert_eq!(
            events_of(&world, file).last().unwrap(),
            "failed deadline-exceeded",
            "{waits:?}"
        );
        assert!(world.now.since(started) <= Duration::from_secs(601), "{waits:?}");
        let durable = info(&world, file).progress.durable;
        world.store.faults.clear();
        world.app.credentials = Some(Credentials::Server);
        world.app.supplies = true;
        run_to_completion(&mut world);
        assert_eq!(world.state(file), FileState::Success, "{waits:?}");
        if durable > ByteCount::ZERO {
            assert_eq!(resumed_from(&world, file), Some(durable.bytes()), "{waits:?}");
        }
    }
}

#[test]
fn a_passed_deadline_does_not_wake_the_driver_again() {
    let mut world = Simulation::new().with_options(|options| options.deadline_secs = Some(600));
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    world.now = world.now + Duration::from_secs(600);
    let now = world.now;
    world.tell(now, vod_uploader::queue::Input::Tick);
    // Confirmed parts are being recorded, and no timer is due.
    assert!(world.queue.next_wakeup().is_none_or(|at| at > now));
    world.run();
    assert_eq!(events_of(&world, file).last().unwrap(), "failed deadline-exceeded");
}

#[test]
fn without_retries_the_first_failure_is_final() {
    for (retries, fails) in [(0, true), (1, false)] {
        let mut world =
            Simulation::new().with_options(|options| options.retry_count = Some(retries));
        let fault = Fault::Refused(503, "ServiceUnavailable");
        world.store.faults.plan(Operation::UploadPart, 1, fault);
        let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
        world.start();
        world.run();
        let last = events_of(&world, file).pop().unwrap();
        let expected = if fails { "failed store-unavailable" } else { "succeeded" };
        assert_eq!(last, expected);
    }
    let mut world = Simulation::new().with_options(|options| options.retry_count = Some(0));
    world.app.credentials = Some(Credentials::Sts);
    world.vod.faults = vec![Some(Fault::Broken)];
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.start();
    world.run();
    assert_eq!(events_of(&world, file).last().unwrap(), "failed vod-unavailable");
    assert_eq!(world.vod.seen.len(), 1);
}

#[test]
fn a_file_resumes_with_a_valid_source_after_an_invalid_one() {
    let content = Content::of_len(LEN);
    for (what, content, to, broken, error) in [
        ("short", content.clone(), 450_000, None, "length-mismatch"),
        ("long", Content::of_len(LEN + 1), LEN + 1, None, "length-mismatch"),
        ("broken", content, 450_000, Some("the disk is gone".to_owned()), "source-broken"),
    ] {
        let mut world = Simulation::new();
        world.app.supplies = false;
        let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
        let next = world.add(next_file("next.mp4")).unwrap();
        world.start();
        world.run();
        world.supply(file, 0, Supply { content: content.clone(), to, broken }).unwrap();
        world.run();
        if what == "short" {
            // The bytes are accepted and the rest is requested. An empty stream ends the file.
            assert_eq!(events_of(&world, file).last().unwrap(), "progress 409600");
            let listed = info(&world, file);
            assert_eq!(listed.state, FileState::Uploading(UploadingPhase::AwaitingSource));
            let empty = Supply { content, to: 450_000, broken: None };
            world.supply(file, 450_000, empty).unwrap();
            world.run();
        }
        let FileState::Failure(failure) = world.state(file) else { panic!("{what}") };
        assert_eq!(failure.kind().code(), error, "{what}");
        assert_eq!(failure.message().contains("the disk is gone"), what == "broken");
        assert_eq!(world.state(next), FileState::Uploading(UploadingPhase::AwaitingSource));
        let durable = info(&world, file).progress.durable;
        assert!(durable >= ByteCount(409_600), "{what}: {durable}");
        supply(&mut world, next, 0).unwrap();
        world.app.supplies = true;
        world.run();
        run_to_completion(&mut world);
        assert_eq!(world.state(file), FileState::Success, "{what}: {:?}", all_events(&world));
        assert_eq!(resumed_from(&world, file), Some(durable.bytes()), "{what}");
    }
}

#[test]
fn a_source_at_another_offset_is_rejected() {
    let mut world = Simulation::new();
    world.app.supplies = false;
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.start();
    world.run();
    let rejected = supply(&mut world, file, 1).unwrap_err();
    assert_eq!(rejected.kind().code(), "offset-mismatch");
    supply(&mut world, file, 0).unwrap();
    let rejected = supply(&mut world, file, 0).unwrap_err();
    assert_eq!(rejected.kind().code(), "file-state-wrong");
    world.run();
    assert_eq!(world.state(file), FileState::Success);
}

#[test]
fn an_uploaded_file_leaves_the_list_immediately_when_deleted() {
    let (mut world, file) = half_way();
    world.run_until(|world| world.state(file) == FileState::Success);
    world.delete(file).unwrap();
    assert!(world.queue.list_files().is_empty());
    let again = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    run_to_completion(&mut world);
    assert_eq!(world.state(again), FileState::Success, "{:?}", all_events(&world));
    assert!(world.kv.values.is_empty(), "{:?}", world.kv.values.keys());
}

fn half_way() -> (Simulation, FileId) {
    let mut world = Simulation::new();
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    (world, file)
}
