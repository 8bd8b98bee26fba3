//! Files that are not uploaded: stopped, canceled, deleted, failed, past their deadline.

use std::time::Duration;

use vod_uploader::queue::{Event, FileState, QueueState, UploadingPhase};
use vod_uploader::units::ByteCount;
use vod_uploader_sim::queue::{Credentials, Simulation, Supply};
use vod_uploader_sim::{Content, Fault, Operation};

use crate::actions::{
    LEN, assert_no_records, checkpoint, half_way, info, run_half_way, run_to, run_to_completion,
    supply, video, with_video,
};
use crate::event_queries::{all_events, count, events_of, name, resumed_from};
use crate::fixture::next_file;

#[test]
fn a_canceled_file_leaves_nothing_and_the_next_file_starts_afterwards() {
    let (mut sim, file) = half_way();
    let next = sim.add(next_file("next.mp4")).unwrap();
    let seen = sim.events.len();
    sim.cancel(file).unwrap();
    sim.run_until(|sim| sim.state(file) == FileState::Canceled);
    assert!(sim.world.store.uploads.is_empty());
    assert!(sim.world.store.count(Operation::Abort) >= 1);
    let later: Vec<_> = sim.events[seen..].iter().map(name).collect();
    assert_eq!(later, ["canceled"]);
    sim.run();
    assert_eq!(sim.state(next), FileState::Success);
    assert_eq!(sim.queue_state(), QueueState::End);
    assert_no_records(&sim);
}

#[test]
fn a_cancel_reports_why_parts_may_remain() {
    let (mut sim, file) = half_way();
    sim.world.store.faults.always(Operation::Abort, Fault::Broken);
    sim.cancel(file).unwrap();
    sim.run();
    assert_eq!(events_of(&sim, file).last().unwrap(), "canceled left store-unavailable");
    assert_no_records(&sim);

    // The next uploader has no credential for it.
    let (mut sim, _) = half_way();
    sim.crash();
    let file = sim.add(video()).unwrap();
    sim.cancel(file).unwrap();
    sim.run();
    assert_eq!(events_of(&sim, file), ["file-added", "canceled left credential-required"]);
    assert_no_records(&sim);
}

#[test]
fn a_stopped_file_sends_nothing_and_keeps_its_stored_upload() {
    let (mut sim, file) = half_way();
    let sent = sim.world.store.seen.len();
    sim.stop();
    sim.run();
    assert_eq!(sim.world.store.seen.len(), sent);
    let listed = info(&sim, file);
    assert_eq!(listed.state, FileState::Stopped);
    let stored = checkpoint(&sim, file).unwrap().upload.unwrap();
    assert_eq!(stored.checkpoint.durable(), listed.progress.durable);
    let expected = format!("stopped {}", listed.progress.durable.bytes());
    assert_eq!(events_of(&sim, file).last(), Some(&expected));
    assert_eq!(sim.world.store.uploads.len(), 1);
    assert_eq!(count(&sim, "upload-end"), 0);
}

#[test]
fn a_resumed_file_does_not_send_a_recorded_part_again() {
    for resumes in [false, true] {
        let (mut sim, file) = half_way();
        sim.stop();
        sim.run();
        let durable = info(&sim, file).progress.durable.bytes();
        let sent = sim.world.store.count(Operation::UploadPart);
        if resumes {
            sim.resume(file).unwrap();
            assert_eq!(sim.state(file), FileState::Ready);
        }
        sim.start();
        sim.run();
        assert_eq!(sim.state(file), FileState::Success);
        assert_eq!(resumed_from(&sim, file), Some(durable));
        let expected = (LEN - durable).div_ceil(102_400);
        assert_eq!((sim.world.store.count(Operation::UploadPart) - sent) as u64, expected);
        assert_eq!(sim.world.vod.media.len(), 1);
    }
}

#[test]
fn a_run_started_while_it_stops_resumes_after_the_stop() {
    let (mut sim, file) = half_way();
    sim.stop();
    assert_eq!(sim.state(file), FileState::Uploading(UploadingPhase::Stopping));
    sim.start();
    sim.run();
    assert_eq!(sim.state(file), FileState::Success);
    assert_eq!(count(&sim, "stopped"), 1);
    assert_eq!(count(&sim, "upload-end"), 1);
    assert_eq!(sim.world.vod.media.len(), 1);

    let (mut sim, file) = half_way();
    sim.stop();
    sim.start();
    sim.stop();
    sim.run();
    assert_eq!(sim.state(file), FileState::Stopped);
    assert_eq!(count(&sim, "stopped"), 1);
}

#[test]
fn a_run_can_be_stopped_and_resumed_at_any_step() {
    for steps in 0.. {
        let (mut sim, file) = with_video();
        sim.start();
        for _ in 0..steps {
            sim.step();
        }
        if sim.queue_state() == QueueState::End {
            break;
        }
        sim.stop();
        sim.run();
        let context = format!("step {steps}: {:?}", all_events(&sim));
        let state = sim.state(file);
        assert!(matches!(state, FileState::Stopped | FileState::Success), "{context}");
        run_to_completion(&mut sim);
        assert_eq!(sim.state(file), FileState::Success, "{context}");
        assert!(sim.world.kv.values.is_empty(), "{context}: {:?}", sim.world.kv.values.keys());
        assert_eq!(sim.events.last(), Some(&Event::UploadEnd), "{context}");
    }
}

#[test]
fn a_deleted_file_leaves_the_list_with_its_terminal_event() {
    let (mut sim, file) = half_way();
    sim.delete(file).unwrap();
    assert_eq!(sim.state(file), FileState::Uploading(UploadingPhase::Canceling));
    sim.run();
    assert_eq!(events_of(&sim, file).last().unwrap(), "canceled");
    assert!(sim.queue().list_files().is_empty());
    assert!(sim.world.store.uploads.is_empty() && sim.world.kv.values.is_empty());
    assert_eq!(sim.events.last(), Some(&Event::UploadEnd));
    // The same file can be added again, and starts from the beginning.
    let again = sim.add(video()).unwrap();
    assert_ne!(again, file);
    run_to_completion(&mut sim);
    assert_eq!(sim.state(again), FileState::Success);
    assert_eq!(resumed_from(&sim, again), None);
}

#[test]
fn a_cleaned_list_keeps_stored_uploads_and_accepts_the_same_file_again() {
    for steps in 0.. {
        let (mut sim, file) = with_video();
        sim.start();
        for _ in 0..steps {
            sim.step();
        }
        if sim.state(file) == FileState::Success {
            break;
        }
        let durable = info(&sim, file).progress.durable;
        sim.clean();
        assert_eq!(count(&sim, "upload-end"), 1);
        // Immediately: operations in flight for the first may still be applied.
        let again = sim.add(video()).unwrap();
        run_to_completion(&mut sim);
        let context = format!("step {steps}: {:?}", all_events(&sim));
        assert_eq!(sim.state(again), FileState::Success, "{context}");
        assert_eq!(count(&sim, "stopped"), 1, "{context}");
        if durable > ByteCount::ZERO && durable < ByteCount(LEN) {
            assert!(resumed_from(&sim, again).unwrap() >= durable.bytes(), "{context}");
            assert_eq!(sim.world.vod.media.len(), 1, "{context}");
        }
    }
}

#[test]
fn a_file_added_again_waits_until_its_cancellation_has_completed() {
    let (mut sim, file) = half_way();
    sim.cancel(file).unwrap();
    sim.clean();
    assert_eq!(events_of(&sim, file).last().unwrap(), "canceled left upload-stopped");
    let again = sim.add(video()).unwrap();
    run_to_completion(&mut sim);
    assert_eq!(sim.state(again), FileState::Success, "{:?}", all_events(&sim));
    assert_eq!(resumed_from(&sim, again), None);
    assert!(sim.world.store.uploads.is_empty());
    assert_no_records(&sim);
}

#[test]
fn a_file_that_misses_its_deadline_fails_and_keeps_its_checkpoint() {
    for waits in [
        UploadingPhase::AwaitingCredential,
        UploadingPhase::AwaitingSource,
        UploadingPhase::Transferring,
        UploadingPhase::TokenExpired,
    ] {
        let mut sim = Simulation::new().with_options(|options| options.deadline_secs = Some(600));
        let file = sim.add(video()).unwrap();
        sim.start();
        match waits {
            UploadingPhase::AwaitingCredential => sim.app.credentials = None,
            UploadingPhase::AwaitingSource => sim.app.supplies = false,
            UploadingPhase::Transferring => {
                run_half_way(&mut sim, file);
                sim.world.store.faults.always(Operation::UploadPart, Fault::Hang);
            }
            _ => {
                run_half_way(&mut sim, file);
                sim.app.credentials = None;
                sim.world.store.keys.clear();
            }
        }
        run_to(&mut sim, file, waits);
        let started = sim.world.now();
        if waits == UploadingPhase::Transferring {
            sim.world.clock.advance(Duration::from_secs(600));
        }
        sim.run();
        assert_eq!(events_of(&sim, file).last().unwrap(), "failed deadline-exceeded", "{waits:?}");
        assert!(sim.world.now().since(started) <= Duration::from_secs(601), "{waits:?}");
        let durable = info(&sim, file).progress.durable;
        sim.world.store.faults.clear();
        sim.app.credentials = Some(Credentials::Server);
        sim.app.supplies = true;
        run_to_completion(&mut sim);
        assert_eq!(sim.state(file), FileState::Success, "{waits:?}");
        if durable > ByteCount::ZERO {
            assert_eq!(resumed_from(&sim, file), Some(durable.bytes()), "{waits:?}");
        }
    }
}

#[test]
fn a_passed_deadline_does_not_wake_the_driver_again() {
    let mut sim = Simulation::new().with_options(|options| options.deadline_secs = Some(600));
    let file = sim.add(video()).unwrap();
    sim.start();
    run_half_way(&mut sim, file);
    sim.world.clock.advance(Duration::from_secs(600));
    let now = sim.world.now();
    sim.handle(vod_uploader::queue::Input::Tick);
    // Confirmed parts are being recorded, and no timer is due.
    assert!(sim.queue().next_wakeup().is_none_or(|at| at > now));
    sim.run();
    assert_eq!(events_of(&sim, file).last().unwrap(), "failed deadline-exceeded");
}

#[test]
fn without_retries_the_first_failure_is_final() {
    for (retries, fails) in [(0, true), (1, false)] {
        let mut sim = Simulation::new().with_options(|options| options.retry_count = Some(retries));
        let fault = Fault::Refused(503, "ServiceUnavailable");
        sim.world.store.faults.plan(Operation::UploadPart, 1, fault);
        let file = sim.add(video()).unwrap();
        sim.start();
        sim.run();
        let last = events_of(&sim, file).pop().unwrap();
        let expected = if fails { "failed store-unavailable" } else { "succeeded" };
        assert_eq!(last, expected);
    }
    let mut sim = Simulation::new().with_options(|options| options.retry_count = Some(0));
    sim.app.credentials = Some(Credentials::Sts);
    sim.world.vod.faults = vec![Some(Fault::Broken)];
    let file = sim.add(video()).unwrap();
    sim.start();
    sim.run();
    assert_eq!(events_of(&sim, file).last().unwrap(), "failed vod-unavailable");
    assert_eq!(sim.world.vod.seen.len(), 1);
}

#[test]
fn a_file_resumes_with_a_valid_source_after_an_invalid_one() {
    let content = Content::of_len(LEN);
    for (what, content, to, broken, error) in [
        ("short", content.clone(), 450_000, None, "length-mismatch"),
        ("long", Content::of_len(LEN + 1), LEN + 1, None, "length-mismatch"),
        ("broken", content, 450_000, Some("the disk is gone".to_owned()), "source-broken"),
    ] {
        let mut sim = Simulation::new();
        sim.app.supplies = false;
        let file = sim.add(video()).unwrap();
        let next = sim.add(next_file("next.mp4")).unwrap();
        sim.start();
        sim.run();
        sim.supply(file, 0, Supply { content: content.clone(), to, broken }).unwrap();
        sim.run();
        if what == "short" {
            // The bytes are accepted and the rest is requested. An empty stream ends the file.
            assert_eq!(events_of(&sim, file).last().unwrap(), "progress 409600");
            let listed = info(&sim, file);
            assert_eq!(listed.state, FileState::Uploading(UploadingPhase::AwaitingSource));
            let empty = Supply { content, to: 450_000, broken: None };
            sim.supply(file, 450_000, empty).unwrap();
            sim.run();
        }
        let FileState::Failure(failure) = sim.state(file) else { panic!("{what}") };
        assert_eq!(failure.kind().code(), error, "{what}");
        assert_eq!(failure.message().contains("the disk is gone"), what == "broken");
        assert_eq!(sim.state(next), FileState::Uploading(UploadingPhase::AwaitingSource));
        let durable = info(&sim, file).progress.durable;
        assert!(durable >= ByteCount(409_600), "{what}: {durable}");
        supply(&mut sim, next, 0).unwrap();
        sim.app.supplies = true;
        sim.run();
        run_to_completion(&mut sim);
        assert_eq!(sim.state(file), FileState::Success, "{what}: {:?}", all_events(&sim));
        assert_eq!(resumed_from(&sim, file), Some(durable.bytes()), "{what}");
    }
}

#[test]
fn a_source_at_another_offset_is_rejected() {
    let mut sim = Simulation::new();
    sim.app.supplies = false;
    let file = sim.add(video()).unwrap();
    sim.start();
    sim.run();
    let rejected = supply(&mut sim, file, 1).unwrap_err();
    assert_eq!(rejected.kind().code(), "offset-mismatch");
    supply(&mut sim, file, 0).unwrap();
    let rejected = supply(&mut sim, file, 0).unwrap_err();
    assert_eq!(rejected.kind().code(), "file-state-wrong");
    sim.run();
    assert_eq!(sim.state(file), FileState::Success);
}

#[test]
fn an_uploaded_file_leaves_the_list_immediately_when_deleted() {
    let (mut sim, file) = half_way();
    sim.run_until(|sim| sim.state(file) == FileState::Success);
    sim.delete(file).unwrap();
    assert!(sim.queue().list_files().is_empty());
    let again = sim.add(video()).unwrap();
    run_to_completion(&mut sim);
    assert_eq!(sim.state(again), FileState::Success, "{:?}", all_events(&sim));
    assert_no_records(&sim);
}
