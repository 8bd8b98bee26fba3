//! Defects B1 to B14 of AliyunUpload.Vod 1.4.0 to 1.5.6, each in the situation in which the SDK
//! fails. This engine does not have them.

use std::time::Duration;

use vod_uploader::error::ErrorKind;
use vod_uploader::queue::{Event, FileState, QueueState, UploadingPhase};
use vod_uploader::units::ByteCount;
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::queue::{Credentials, Simulation};
use vod_uploader_sim::{Fault, Operation};

use crate::actions::{
    LEN, checkpoint, half_way, half_way_of, info, run_half_way, run_to, run_to_completion, video,
};
use crate::event_queries::{all_events, count, events_of, name, resumed_from};
use crate::fixture::next_file;

#[test]
fn b1_a_token_that_expires_during_a_transfer_is_replaced_for_the_same_media_id() {
    let (mut sim, file) = half_way_of(video(), Credentials::Sts);
    let media_id = info(&sim, file).media_id.unwrap();
    // Both the token and the UploadAuth that VOD issued to it expire.
    sim.world.clock.advance(Duration::from_secs(3_600));
    sim.run();
    assert_eq!(sim.state(file), FileState::Success, "{:?}", events_of(&sim, file));
    assert_eq!(count(&sim, "token-expired"), 1);
    assert_eq!(sim.world.vod.count("CreateUploadVideo"), 1);
    let (_, refresh) = sim.world.vod.seen.last().unwrap();
    assert_eq!(refresh["Action"], "RefreshUploadVideo");
    assert_eq!(refresh["VideoId"], media_id);
}

#[test]
fn b2_checkpoints_are_written_after_a_stop_and_after_a_failure() {
    let (mut sim, file) = half_way();
    sim.stop();
    sim.run();
    let at_stop = info(&sim, file).progress.durable;
    sim.world.store.faults.plan(Operation::UploadPart, 2, Fault::Refused(400, "InvalidArgument"));
    sim.start();
    sim.run();
    let at_failure = info(&sim, file).progress.durable;
    assert_eq!(count(&sim, "failed"), 1);
    assert!(at_failure > at_stop, "{at_failure} {at_stop}");
    sim.start();
    sim.run_until(|sim| info(sim, file).progress.durable > at_failure);
    let at_crash = info(&sim, file).progress.durable;
    assert_eq!(checkpoint(&sim, file).unwrap().upload.unwrap().checkpoint.durable(), at_crash);

    sim.crash();
    let file = sim.add(video()).unwrap();
    run_to_completion(&mut sim);
    // Writes in flight at the crash may still have been applied.
    assert!(resumed_from(&sim, file).unwrap() >= at_crash.bytes());
    assert_eq!(sim.state(file), FileState::Success);
}

#[test]
fn b3_an_upload_interrupted_by_a_crash_resumes_with_the_same_media_id() {
    let (mut sim, file) = half_way();
    let before = info(&sim, file);
    sim.crash();
    let file = sim.add(video()).unwrap();
    run_to_completion(&mut sim);
    assert_eq!(sim.state(file), FileState::Success);
    assert!(resumed_from(&sim, file).unwrap() >= before.progress.durable.bytes());
    assert_eq!(info(&sim, file).media_id, before.media_id);
    assert_eq!(sim.world.vod.media.len(), 1);
}

#[test]
fn b4_a_file_is_added_immediately_and_a_failed_lookup_is_reported() {
    let mut sim = Simulation::new();
    sim.world.kv.fails_at = Some(1);
    let file = sim.add(video()).unwrap();
    let next = sim.add(next_file("next.mp4")).unwrap();
    assert_eq!(all_events(&sim), ["1 file-added", "2 file-added"]);
    sim.start();
    sim.run();
    assert_eq!(events_of(&sim, file), ["file-added", "failed key-value-unavailable"]);
    assert_eq!(sim.state(next), FileState::Success);
    assert_eq!(count(&sim, "upload-end"), 1);
}

#[test]
fn b5_a_cancel_at_any_step_stops_the_transfer_with_one_terminal_event() {
    for len in [50_000, 150_000, LEN] {
        for steps in 0.. {
            let mut sim = Simulation::new();
            let file = sim.add(Simulation::file("a.mp4", len)).unwrap();
            sim.start();
            for _ in 0..steps {
                sim.step();
            }
            if sim.state(file) == FileState::Success {
                break;
            }
            sim.cancel(file).unwrap();
            let sent = sim.world.store.count(Operation::PutObject);
            sim.run();
            let context = format!("{len} bytes, step {steps}: {:?}", all_events(&sim));
            assert_eq!(sim.world.store.count(Operation::PutObject), sent, "{context}");
            let ends: Vec<_> = sim.events.iter().filter(|event| event.is_last_of_file()).collect();
            match (sim.state(file), &ends[..]) {
                (FileState::Canceled, [Event::Canceled { leftover_error: None, .. }]) => {
                    // A PutObject in flight cannot be undone.
                    assert!(sim.world.store.objects.is_empty() || len == 50_000, "{context}");
                }
                // The object was already complete.
                (FileState::Success, [Event::Succeeded(_)]) => {}
                _ => panic!("{context}"),
            }
            // An upload whose ID was never received may remain, without parts.
            assert!(sim.world.store.uploads.values().all(|parts| parts.is_empty()), "{context}");
            assert!(sim.world.kv.values.is_empty(), "{context}: {:?}", sim.world.kv.values.keys());
            assert_eq!(sim.events.last(), Some(&Event::UploadEnd), "{context}");
        }
    }
}

#[test]
fn b6_canceling_a_file_that_waits_for_a_credential_starts_the_next_file() {
    let mut sim = Simulation::new();
    sim.app.credentials = None;
    let file = sim.add(video()).unwrap();
    let next = sim.add(Simulation::file("b.mp4", LEN)).unwrap();
    sim.start();
    run_to(&mut sim, file, UploadingPhase::AwaitingCredential);
    sim.cancel(file).unwrap();
    run_to(&mut sim, next, UploadingPhase::AwaitingCredential);
    let late = sim.world.create_media(MediaKind::Video);
    assert_eq!(sim.set_credential(file, &late).unwrap_err().kind(), ErrorKind::FileStateWrong);
    sim.app.credentials = Some(Credentials::Server);
    run_to_completion(&mut sim);
    assert_eq!(sim.state(file), FileState::Canceled);
    assert_eq!(sim.state(next), FileState::Success);
    assert_eq!(sim.world.store.objects.len(), 1);
    assert_eq!(count(&sim, "upload-end"), 1);
}

#[test]
fn b7_deleting_a_file_does_not_affect_other_files() {
    let mut sim = Simulation::new();
    let done = sim.add(next_file("done.mp4")).unwrap();
    let file = sim.add(video()).unwrap();
    let last = sim.add(Simulation::file("b.mp4", LEN)).unwrap();
    sim.start();
    run_half_way(&mut sim, file);
    sim.delete(done).unwrap();
    sim.stop();
    sim.run();
    assert_eq!(sim.state(file), FileState::Stopped);
    assert_eq!(sim.state(last), FileState::Ready);
    let left: Vec<_> = sim.queue().list_files().into_iter().map(|info| info.id).collect();
    assert_eq!(left, [file, last]);
}

#[test]
fn b8_a_list_cleaned_with_an_expired_token_accepts_files_again() {
    let (mut sim, _) = half_way();
    sim.app.credentials = None;
    sim.world.store.keys.clear();
    sim.run();
    assert_eq!(sim.queue_state(), QueueState::Expire);
    sim.clean();
    assert_eq!(sim.queue_state(), QueueState::Init);
    sim.app.credentials = Some(Credentials::Server);
    let file = sim.add(video()).unwrap();
    run_to_completion(&mut sim);
    assert_eq!(sim.state(file), FileState::Success);
    assert_eq!(sim.queue_state(), QueueState::End);
}

#[test]
fn b9_a_canceled_and_resumed_file_is_uploaded_to_its_new_address() {
    let (mut sim, file) = half_way();
    let before = info(&sim, file);
    sim.cancel(file).unwrap();
    sim.run();
    assert!(sim.world.store.uploads.is_empty());
    sim.resume(file).unwrap();
    let grant = sim.world.create_media(MediaKind::Video);
    sim.set_credential(file, &grant).unwrap();
    sim.app.credentials = None;
    run_to_completion(&mut sim);
    assert_eq!(sim.state(file), FileState::Success);
    let after = info(&sim, file);
    assert_eq!(after.media_id, Some(grant.media_id.clone()));
    assert_eq!(after.object, Some(sim.world.vod.media[&grant.media_id].object.clone()));
    assert_ne!(after.object, before.object);
    let objects: Vec<_> = sim.world.store.objects.keys().cloned().collect();
    assert_eq!(objects, [after.object.unwrap()]);
}

#[test]
fn b10_a_canceling_file_emits_only_its_terminal_event() {
    let mut sim = Simulation::new();
    // OSS does not respond to the abort.
    sim.world.store.faults.plan(Operation::Abort, 1, Fault::Hang);
    let file = sim.add(video()).unwrap();
    sim.start();
    run_half_way(&mut sim, file);
    let seen = sim.events.len();
    sim.cancel(file).unwrap();
    sim.run();
    let later: Vec<_> = sim.events[seen..].iter().map(name).collect();
    assert_eq!(later, ["canceled", "upload-end"]);
    assert_eq!(sim.state(file), FileState::Canceled);
    assert!(sim.world.store.objects.is_empty());
}

#[test]
fn b11_a_file_with_an_expired_credential_fails_at_its_deadline() {
    let mut sim = Simulation::new().with_options(|options| options.deadline_secs = Some(600));
    let file = sim.add(video()).unwrap();
    let next = sim.add(next_file("next.mp4")).unwrap();
    let grant = sim.world.create_media(MediaKind::Video);
    sim.set_credential(next, &grant).unwrap();
    let keys: Vec<_> = sim.world.store.keys.keys().cloned().collect();
    sim.start();
    run_half_way(&mut sim, file);
    sim.app.credentials = None;
    sim.world.store.keys.retain(|key, _| keys.contains(key));
    sim.run_until(|sim| sim.queue_state() == QueueState::Expire);
    assert_eq!(sim.state(file), FileState::Uploading(UploadingPhase::TokenExpired));
    let rejected = sim.events.iter().find_map(|event| match event {
        Event::TokenExpired(expiry) => expiry.error.clone(),
        _ => None,
    });
    assert_eq!(rejected.unwrap().kind(), ErrorKind::CredentialRejected);
    sim.run();
    assert_eq!(events_of(&sim, file).last().unwrap(), "failed deadline-exceeded");
    assert_eq!(sim.state(next), FileState::Success);
    assert_eq!(sim.queue_state(), QueueState::Failure);
}

#[test]
fn b12_every_failure_has_a_code_and_a_message() {
    for fault in [
        Fault::Refused(400, ""),
        Fault::Refused(404, ""),
        Fault::Refused(204, ""),
        Fault::Refused(500, ""),
        Fault::Refused(418, "Unheard"),
        Fault::Broken,
        Fault::Hang,
        Fault::Corrupts,
    ] {
        for operation in [Operation::Initiate, Operation::UploadPart, Operation::Complete] {
            if fault == Fault::Corrupts && operation == Operation::Initiate {
                continue;
            }
            let mut sim = Simulation::new();
            sim.world.store.faults.always(operation, fault);
            let file = sim.add(video()).unwrap();
            let next = sim.add(next_file("next.mp4")).unwrap();
            sim.start();
            sim.run();
            let context = format!("{fault:?} of {operation:?}: {:?}", all_events(&sim));
            let FileState::Failure(error) = sim.state(file) else { panic!("{context}") };
            assert!(!error.kind().code().is_empty() && !error.message().is_empty(), "{context}");
            assert_eq!(count(&sim, "failed"), 1, "{context}");
            assert_eq!(sim.state(next), FileState::Success, "{context}");
            assert_eq!(sim.events.last(), Some(&Event::UploadEnd), "{context}");
            assert_eq!(sim.queue_state(), QueueState::Failure, "{context}");
        }
    }
}

#[test]
fn b13_a_scheduled_retry_is_dropped_after_a_stop_or_a_cancel() {
    for cancels in [false, true] {
        let (mut sim, file) = half_way();
        let fault = Fault::Refused(503, "ServiceUnavailable");
        sim.world.store.faults.always(Operation::UploadPart, fault);
        let sent = sim.world.store.count(Operation::UploadPart);
        sim.run_until(|sim| sim.world.store.count(Operation::UploadPart) == sent + 2);
        if cancels {
            sim.cancel(file).unwrap();
        } else {
            sim.stop();
        }
        sim.world.store.faults.clear();
        sim.run();
        sim.world.clock.advance(Duration::from_secs(60));
        sim.run();
        assert_eq!(sim.world.store.count(Operation::UploadPart), sent + 2);
        let state = if cancels { FileState::Canceled } else { FileState::Stopped };
        assert_eq!(sim.state(file), state);
    }
}

#[test]
fn b14_param_data_is_optional_and_invalid_param_data_is_rejected() {
    let mut sim = Simulation::new();
    sim.app.credentials = Some(Credentials::Sts);
    let mut wrong = video();
    wrong.new.param_data = Some("{".into());
    let rejected = sim.add(wrong).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::RequestInvalid);
    assert!(sim.queue().list_files().is_empty() && sim.events.is_empty());

    let file = sim.add(video()).unwrap();
    sim.start();
    sim.run();
    assert_eq!(sim.state(file), FileState::Success);
    let (action, parameters) = &sim.world.vod.seen[0];
    assert_eq!(action, "CreateUploadVideo");
    assert_eq!(parameters["FileName"], "a.mp4");
    assert!(!parameters["Title"].is_empty());
    assert_eq!(info(&sim, file).progress.durable, ByteCount(LEN));
}
