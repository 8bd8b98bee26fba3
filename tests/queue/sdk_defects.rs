//! Defects B1 to B14 of AliyunUpload.Vod 1.4.0 to 1.5.6, each in the situation in which the SDK
//! fails. This engine does not have them.

use std::time::Duration;

use vod_uploader::error::ErrorKind;
use vod_uploader::queue::{Event, FileState, QueueState, UploadingPhase};
use vod_uploader::units::ByteCount;
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::{Credentials, Fault, Operation, Simulation};

use crate::actions::{checkpoint, info, run_half_way, run_to, run_to_completion};
use crate::event_queries::{all_events, count, events_of, name, resumed_from};
use crate::fixture::{LEN, next_file};

#[test]
fn b1_a_token_that_expires_during_a_transfer_is_replaced_for_the_same_media_id() {
    let mut world = Simulation::new();
    world.app.credentials = Some(Credentials::Sts);
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    let media_id = info(&world, file).media_id.unwrap();
    // Both the token and the UploadAuth that VOD issued to it expire.
    world.now = world.now + Duration::from_secs(3_600);
    world.run();
    assert_eq!(world.state(file), FileState::Success, "{:?}", events_of(&world, file));
    assert_eq!(count(&world, "token-expired"), 1);
    assert_eq!(world.vod.count("CreateUploadVideo"), 1);
    let (_, refresh) = world.vod.seen.last().unwrap();
    assert_eq!(refresh["Action"], "RefreshUploadVideo");
    assert_eq!(refresh["VideoId"], media_id);
}

#[test]
fn b2_checkpoints_are_written_after_a_stop_and_after_a_failure() {
    let mut world = Simulation::new();
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    world.stop();
    world.run();
    let at_stop = info(&world, file).progress.durable;
    world.store.faults.plan(Operation::UploadPart, 3, Fault::Refused(400, "InvalidArgument"));
    world.start();
    world.run();
    let at_failure = info(&world, file).progress.durable;
    assert_eq!(count(&world, "failed"), 1);
    assert!(at_failure > at_stop, "{at_failure} {at_stop}");
    world.start();
    world.run_until(|world| info(world, file).progress.durable > at_failure);
    let at_crash = info(&world, file).progress.durable;
    assert_eq!(checkpoint(&world, file).unwrap().upload.unwrap().checkpoint.durable(), at_crash);

    world.crash();
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    run_to_completion(&mut world);
    // Writes in flight at the crash may still have been applied.
    assert!(resumed_from(&world, file).unwrap() >= at_crash.bytes());
    assert_eq!(world.state(file), FileState::Success);
}

#[test]
fn b3_an_upload_interrupted_by_a_crash_resumes_with_the_same_media_id() {
    let mut world = Simulation::new();
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    let before = info(&world, file);
    world.crash();
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    run_to_completion(&mut world);
    assert_eq!(world.state(file), FileState::Success);
    assert!(resumed_from(&world, file).unwrap() >= before.progress.durable.bytes());
    assert_eq!(info(&world, file).media_id, before.media_id);
    assert_eq!(world.vod.media.len(), 1);
}

#[test]
fn b4_a_file_is_added_immediately_and_a_failed_lookup_is_reported() {
    let mut world = Simulation::new();
    world.kv.fails_at = Some(1);
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    let next = world.add(next_file("next.mp4")).unwrap();
    assert_eq!(all_events(&world), ["1 file-added", "2 file-added"]);
    world.start();
    world.run();
    assert_eq!(events_of(&world, file), ["file-added", "failed key-value-unavailable"]);
    assert_eq!(world.state(next), FileState::Success);
    assert_eq!(count(&world, "upload-end"), 1);
}

#[test]
fn b5_a_cancel_stops_the_transfer_at_every_step() {
    for len in [50_000, 150_000] {
        for steps in 0.. {
            let mut world = Simulation::new();
            let file = world.add(Simulation::file("a.mp4", len)).unwrap();
            world.start();
            for _ in 0..steps {
                world.step();
            }
            if world.state(file) == FileState::Success {
                break;
            }
            world.cancel(file).unwrap();
            let sent = world.store.count(Operation::PutObject);
            world.run();
            assert_eq!(world.store.count(Operation::PutObject), sent, "step {steps}");
            let ends: Vec<_> =
                world.events.iter().filter(|event| event.is_last_of_file()).collect();
            match (world.state(file), &ends[..]) {
                (FileState::Canceled, [Event::Canceled { leftover_error: None, .. }]) => {
                    assert!(world.kv.values.is_empty(), "step {steps}");
                }
                // The object was complete already.
                (FileState::Success, [Event::Succeeded(_)]) => {}
                end => panic!("step {steps}: {end:?}"),
            }
            // An upload whose id was never received may remain, without parts.
            assert!(world.store.uploads.values().all(|parts| parts.is_empty()), "step {steps}");
            assert_eq!(world.events.last(), Some(&Event::UploadEnd));
        }
    }
}

#[test]
fn b6_canceling_a_file_that_waits_for_a_credential_starts_the_next_file() {
    let mut world = Simulation::new();
    world.app.credentials = None;
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    let next = world.add(Simulation::file("b.mp4", LEN)).unwrap();
    world.start();
    run_to(&mut world, file, UploadingPhase::AwaitingCredential);
    world.cancel(file).unwrap();
    run_to(&mut world, next, UploadingPhase::AwaitingCredential);
    let late = world.created(MediaKind::Video);
    assert_eq!(world.hand_in(file, &late).unwrap_err().kind(), ErrorKind::FileStateWrong);
    world.app.credentials = Some(Credentials::Server);
    run_to_completion(&mut world);
    assert_eq!(world.state(file), FileState::Canceled);
    assert_eq!(world.state(next), FileState::Success);
    assert_eq!(world.store.objects.len(), 1);
    assert_eq!(count(&world, "upload-end"), 1);
}

#[test]
fn b7_deleting_a_file_does_not_affect_other_files() {
    let mut world = Simulation::new();
    let done = world.add(next_file("done.mp4")).unwrap();
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    let last = world.add(Simulation::file("b.mp4", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    world.delete(done).unwrap();
    world.stop();
    world.run();
    assert_eq!(world.state(file), FileState::Stopped);
    assert_eq!(world.state(last), FileState::Ready);
    let left: Vec<_> = world.queue.list_files().into_iter().map(|info| info.id).collect();
    assert_eq!(left, [file, last]);
}

#[test]
fn b8_a_list_cleaned_with_an_expired_token_accepts_files_again() {
    let mut world = Simulation::new();
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    world.app.credentials = None;
    world.store.keys.clear();
    world.run();
    assert_eq!(world.queue_state(), QueueState::Expire);
    world.clean();
    assert_eq!(world.queue_state(), QueueState::Init);
    world.app.credentials = Some(Credentials::Server);
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    run_to_completion(&mut world);
    assert_eq!(world.state(file), FileState::Success);
    assert_eq!(world.queue_state(), QueueState::End);
}

#[test]
fn b9_a_canceled_and_resumed_file_is_uploaded_to_its_new_address() {
    let mut world = Simulation::new();
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    let before = info(&world, file);
    world.cancel(file).unwrap();
    world.run();
    assert!(world.store.uploads.is_empty());
    world.resume(file).unwrap();
    let grant = world.created(MediaKind::Video);
    world.hand_in(file, &grant).unwrap();
    world.app.credentials = None;
    run_to_completion(&mut world);
    assert_eq!(world.state(file), FileState::Success);
    let after = info(&world, file);
    assert_eq!(after.media_id, Some(grant.media_id.clone()));
    assert_eq!(after.object, Some(world.vod.media[&grant.media_id].object.clone()));
    assert_ne!(after.object, before.object);
    let objects: Vec<_> = world.store.objects.keys().cloned().collect();
    assert_eq!(objects, [after.object.unwrap()]);
}

#[test]
fn b10_a_canceling_file_emits_only_its_terminal_event() {
    let mut world = Simulation::new();
    // OSS does not respond to the abort.
    world.store.faults.plan(Operation::Abort, 1, Fault::Hang);
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    let seen = world.events.len();
    world.cancel(file).unwrap();
    world.run();
    let later: Vec<_> = world.events[seen..].iter().map(name).collect();
    assert_eq!(later, ["canceled", "upload-end"]);
    assert_eq!(world.state(file), FileState::Canceled);
    assert!(world.store.objects.is_empty());
}

#[test]
fn b11_a_file_with_an_expired_credential_fails_at_its_deadline() {
    let mut world = Simulation::new().with_options(|options| options.deadline_secs = Some(600));
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    let next = world.add(next_file("next.mp4")).unwrap();
    let grant = world.created(MediaKind::Video);
    world.hand_in(next, &grant).unwrap();
    let keys: Vec<_> = world.store.keys.keys().cloned().collect();
    world.start();
    run_half_way(&mut world, file);
    world.app.credentials = None;
    world.store.keys.retain(|key, _| keys.contains(key));
    world.run_until(|world| world.queue_state() == QueueState::Expire);
    assert_eq!(world.state(file), FileState::Uploading(UploadingPhase::TokenExpired));
    let rejected = world.events.iter().find_map(|event| match event {
        Event::TokenExpired(expiry) => expiry.error.clone(),
        _ => None,
    });
    assert_eq!(rejected.unwrap().kind(), ErrorKind::CredentialRejected);
    world.run();
    assert_eq!(events_of(&world, file).last().unwrap(), "failed deadline-exceeded");
    assert_eq!(world.state(next), FileState::Success);
    assert_eq!(world.queue_state(), QueueState::Failure);
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
            let mut world = Simulation::new();
            world.store.faults.always(operation, fault);
            let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
            let next = world.add(next_file("next.mp4")).unwrap();
            world.start();
            world.run();
            let context = format!("{fault:?} of {operation:?}: {:?}", all_events(&world));
            let FileState::Failure(error) = world.state(file) else { panic!("{context}") };
            assert!(!error.kind().code().is_empty() && !error.message().is_empty(), "{context}");
            assert_eq!(count(&world, "failed"), 1, "{context}");
            assert_eq!(world.state(next), FileState::Success, "{context}");
            assert_eq!(world.events.last(), Some(&Event::UploadEnd), "{context}");
            assert_eq!(world.queue_state(), QueueState::Failure, "{context}");
        }
    }
}

#[test]
fn b13_a_scheduled_retry_is_dropped_after_a_stop_or_a_cancel() {
    for cancels in [false, true] {
        let mut world = Simulation::new();
        let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
        world.start();
        run_half_way(&mut world, file);
        let fault = Fault::Refused(503, "ServiceUnavailable");
        world.store.faults.always(Operation::UploadPart, fault);
        let sent = world.store.count(Operation::UploadPart);
        world.run_until(|world| world.store.count(Operation::UploadPart) == sent + 2);
        if cancels {
            world.cancel(file).unwrap();
        } else {
            world.stop();
        }
        world.store.faults.clear();
        world.run();
        world.now = world.now + Duration::from_secs(60);
        world.run();
        assert_eq!(world.store.count(Operation::UploadPart), sent + 2);
        let state = if cancels { FileState::Canceled } else { FileState::Stopped };
        assert_eq!(world.state(file), state);
    }
}

#[test]
fn b14_param_data_is_optional_and_invalid_param_data_is_rejected() {
    let mut world = Simulation::new();
    world.app.credentials = Some(Credentials::Sts);
    let mut wrong = Simulation::file("a.mp4", LEN);
    wrong.new.param_data = Some("{".into());
    let rejected = world.add(wrong).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::RequestInvalid);
    assert!(world.queue.list_files().is_empty() && world.events.is_empty());

    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.start();
    world.run();
    assert_eq!(world.state(file), FileState::Success);
    let (action, parameters) = &world.vod.seen[0];
    assert_eq!(action, "CreateUploadVideo");
    assert_eq!(parameters["FileName"], "a.mp4");
    assert!(!parameters["Title"].is_empty());
    assert_eq!(info(&world, file).progress.durable, ByteCount(LEN));
}
