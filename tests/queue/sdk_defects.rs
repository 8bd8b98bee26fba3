//! Defects B1 to B14 of AliyunUpload.Vod 1.4.0 to 1.5.6, each in the situation in which the SDK
//! fails. This engine does not have them.

use std::time::Duration;

use vod_uploader::error::ErrorKind;
use vod_uploader::queue::{Event, FileState, QueueState, UploadingPhase};
use vod_uploader::units::ByteCount;
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::queue::{Credentials, Simulation};
use vod_uploader_sim::{Fault, Operation};

use crate::actions::{checkpoint, info, run_half_way, run_to, run_to_completion};
use crate::event_queries::{all_events, count, events_of, name, resumed_from};
use crate::fixture::{LEN, next_file};

#[test]
fn b1_a_token_that_expires_during_a_transfer_is_replaced_for_the_same_media_id() {
    let mut simulation = Simulation::new();
    simulation.app.credentials = Some(Credentials::Sts);
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    run_half_way(&mut simulation, file);
    let media_id = info(&simulation, file).media_id.unwrap();
    // Both the token and the UploadAuth that VOD issued to it expire.
    simulation.world.clock.advance(Duration::from_secs(3_600));
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Success, "{:?}", events_of(&simulation, file));
    assert_eq!(count(&simulation, "token-expired"), 1);
    assert_eq!(simulation.world.vod.count("CreateUploadVideo"), 1);
    let (_, refresh) = simulation.world.vod.seen.last().unwrap();
    assert_eq!(refresh["Action"], "RefreshUploadVideo");
    assert_eq!(refresh["VideoId"], media_id);
}

#[test]
fn b2_checkpoints_are_written_after_a_stop_and_after_a_failure() {
    let mut simulation = Simulation::new();
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    run_half_way(&mut simulation, file);
    simulation.stop();
    simulation.run();
    let at_stop = info(&simulation, file).progress.durable;
    simulation.world.store.faults.plan(
        Operation::UploadPart,
        3,
        Fault::Refused(400, "InvalidArgument"),
    );
    simulation.start();
    simulation.run();
    let at_failure = info(&simulation, file).progress.durable;
    assert_eq!(count(&simulation, "failed"), 1);
    assert!(at_failure > at_stop, "{at_failure} {at_stop}");
    simulation.start();
    simulation.run_until(|simulation| info(simulation, file).progress.durable > at_failure);
    let at_crash = info(&simulation, file).progress.durable;
    assert_eq!(
        checkpoint(&simulation, file).unwrap().upload.unwrap().checkpoint.durable(),
        at_crash
    );

    simulation.crash();
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    run_to_completion(&mut simulation);
    // Writes in flight at the crash may still have been applied.
    assert!(resumed_from(&simulation, file).unwrap() >= at_crash.bytes());
    assert_eq!(simulation.state(file), FileState::Success);
}

#[test]
fn b3_an_upload_interrupted_by_a_crash_resumes_with_the_same_media_id() {
    let mut simulation = Simulation::new();
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    run_half_way(&mut simulation, file);
    let before = info(&simulation, file);
    simulation.crash();
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    run_to_completion(&mut simulation);
    assert_eq!(simulation.state(file), FileState::Success);
    assert!(resumed_from(&simulation, file).unwrap() >= before.progress.durable.bytes());
    assert_eq!(info(&simulation, file).media_id, before.media_id);
    assert_eq!(simulation.world.vod.media.len(), 1);
}

#[test]
fn b4_a_file_is_added_immediately_and_a_failed_lookup_is_reported() {
    let mut simulation = Simulation::new();
    simulation.world.kv.fails_at = Some(1);
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    let next = simulation.add(next_file("next.mp4")).unwrap();
    assert_eq!(all_events(&simulation), ["1 file-added", "2 file-added"]);
    simulation.start();
    simulation.run();
    assert_eq!(events_of(&simulation, file), ["file-added", "failed key-value-unavailable"]);
    assert_eq!(simulation.state(next), FileState::Success);
    assert_eq!(count(&simulation, "upload-end"), 1);
}

#[test]
fn b5_a_cancel_stops_the_transfer_at_every_step() {
    for len in [50_000, 150_000] {
        for steps in 0.. {
            let mut simulation = Simulation::new();
            let file = simulation.add(Simulation::file("a.mp4", len)).unwrap();
            simulation.start();
            for _ in 0..steps {
                simulation.step();
            }
            if simulation.state(file) == FileState::Success {
                break;
            }
            simulation.cancel(file).unwrap();
            let sent = simulation.world.store.count(Operation::PutObject);
            simulation.run();
            assert_eq!(simulation.world.store.count(Operation::PutObject), sent, "step {steps}");
            let ends: Vec<_> =
                simulation.events.iter().filter(|event| event.is_last_of_file()).collect();
            match (simulation.state(file), &ends[..]) {
                (FileState::Canceled, [Event::Canceled { leftover_error: None, .. }]) => {
                    assert!(simulation.world.kv.values.is_empty(), "step {steps}");
                }
                // The object was complete already.
                (FileState::Success, [Event::Succeeded(_)]) => {}
                end => panic!("step {steps}: {end:?}"),
            }
            // An upload whose id was never received may remain, without parts.
            assert!(
                simulation.world.store.uploads.values().all(|parts| parts.is_empty()),
                "step {steps}"
            );
            assert_eq!(simulation.events.last(), Some(&Event::UploadEnd));
        }
    }
}

#[test]
fn b6_canceling_a_file_that_waits_for_a_credential_starts_the_next_file() {
    let mut simulation = Simulation::new();
    simulation.app.credentials = None;
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    let next = simulation.add(Simulation::file("b.mp4", LEN)).unwrap();
    simulation.start();
    run_to(&mut simulation, file, UploadingPhase::AwaitingCredential);
    simulation.cancel(file).unwrap();
    run_to(&mut simulation, next, UploadingPhase::AwaitingCredential);
    let late = simulation.world.create_media(MediaKind::Video);
    assert_eq!(
        simulation.set_credential(file, &late).unwrap_err().kind(),
        ErrorKind::FileStateWrong
    );
    simulation.app.credentials = Some(Credentials::Server);
    run_to_completion(&mut simulation);
    assert_eq!(simulation.state(file), FileState::Canceled);
    assert_eq!(simulation.state(next), FileState::Success);
    assert_eq!(simulation.world.store.objects.len(), 1);
    assert_eq!(count(&simulation, "upload-end"), 1);
}

#[test]
fn b7_deleting_a_file_does_not_affect_other_files() {
    let mut simulation = Simulation::new();
    let done = simulation.add(next_file("done.mp4")).unwrap();
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    let last = simulation.add(Simulation::file("b.mp4", LEN)).unwrap();
    simulation.start();
    run_half_way(&mut simulation, file);
    simulation.delete(done).unwrap();
    simulation.stop();
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Stopped);
    assert_eq!(simulation.state(last), FileState::Ready);
    let left: Vec<_> = simulation.queue().list_files().into_iter().map(|info| info.id).collect();
    assert_eq!(left, [file, last]);
}

#[test]
fn b8_a_list_cleaned_with_an_expired_token_accepts_files_again() {
    let mut simulation = Simulation::new();
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    run_half_way(&mut simulation, file);
    simulation.app.credentials = None;
    simulation.world.store.keys.clear();
    simulation.run();
    assert_eq!(simulation.queue_state(), QueueState::Expire);
    simulation.clean();
    assert_eq!(simulation.queue_state(), QueueState::Init);
    simulation.app.credentials = Some(Credentials::Server);
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    run_to_completion(&mut simulation);
    assert_eq!(simulation.state(file), FileState::Success);
    assert_eq!(simulation.queue_state(), QueueState::End);
}

#[test]
fn b9_a_canceled_and_resumed_file_is_uploaded_to_its_new_address() {
    let mut simulation = Simulation::new();
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    run_half_way(&mut simulation, file);
    let before = info(&simulation, file);
    simulation.cancel(file).unwrap();
    simulation.run();
    assert!(simulation.world.store.uploads.is_empty());
    simulation.resume(file).unwrap();
    let grant = simulation.world.create_media(MediaKind::Video);
    simulation.set_credential(file, &grant).unwrap();
    simulation.app.credentials = None;
    run_to_completion(&mut simulation);
    assert_eq!(simulation.state(file), FileState::Success);
    let after = info(&simulation, file);
    assert_eq!(after.media_id, Some(grant.media_id.clone()));
    assert_eq!(after.object, Some(simulation.world.vod.media[&grant.media_id].object.clone()));
    assert_ne!(after.object, before.object);
    let objects: Vec<_> = simulation.world.store.objects.keys().cloned().collect();
    assert_eq!(objects, [after.object.unwrap()]);
}

#[test]
fn b10_a_canceling_file_emits_only_its_terminal_event() {
    let mut simulation = Simulation::new();
    // OSS does not respond to the abort.
    simulation.world.store.faults.plan(Operation::Abort, 1, Fault::Hang);
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    run_half_way(&mut simulation, file);
    let seen = simulation.events.len();
    simulation.cancel(file).unwrap();
    simulation.run();
    let later: Vec<_> = simulation.events[seen..].iter().map(name).collect();
    assert_eq!(later, ["canceled", "upload-end"]);
    assert_eq!(simulation.state(file), FileState::Canceled);
    assert!(simulation.world.store.objects.is_empty());
}

#[test]
fn b11_a_file_with_an_expired_credential_fails_at_its_deadline() {
    let mut simulation =
        Simulation::new().with_options(|options| options.deadline_secs = Some(600));
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    let next = simulation.add(next_file("next.mp4")).unwrap();
    let grant = simulation.world.create_media(MediaKind::Video);
    simulation.set_credential(next, &grant).unwrap();
    let keys: Vec<_> = simulation.world.store.keys.keys().cloned().collect();
    simulation.start();
    run_half_way(&mut simulation, file);
    simulation.app.credentials = None;
    simulation.world.store.keys.retain(|key, _| keys.contains(key));
    simulation.run_until(|simulation| simulation.queue_state() == QueueState::Expire);
    assert_eq!(simulation.state(file), FileState::Uploading(UploadingPhase::TokenExpired));
    let rejected = simulation.events.iter().find_map(|event| match event {
        Event::TokenExpired(expiry) => expiry.error.clone(),
        _ => None,
    });
    assert_eq!(rejected.unwrap().kind(), ErrorKind::CredentialRejected);
    simulation.run();
    assert_eq!(events_of(&simulation, file).last().unwrap(), "failed deadline-exceeded");
    assert_eq!(simulation.state(next), FileState::Success);
    assert_eq!(simulation.queue_state(), QueueState::Failure);
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
            let mut simulation = Simulation::new();
            simulation.world.store.faults.always(operation, fault);
            let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
            let next = simulation.add(next_file("next.mp4")).unwrap();
            simulation.start();
            simulation.run();
            let context = format!("{fault:?} of {operation:?}: {:?}", all_events(&simulation));
            let FileState::Failure(error) = simulation.state(file) else { panic!("{context}") };
            assert!(!error.kind().code().is_empty() && !error.message().is_empty(), "{context}");
            assert_eq!(count(&simulation, "failed"), 1, "{context}");
            assert_eq!(simulation.state(next), FileState::Success, "{context}");
            assert_eq!(simulation.events.last(), Some(&Event::UploadEnd), "{context}");
            assert_eq!(simulation.queue_state(), QueueState::Failure, "{context}");
        }
    }
}

#[test]
fn b13_a_scheduled_retry_is_dropped_after_a_stop_or_a_cancel() {
    for cancels in [false, true] {
        let mut simulation = Simulation::new();
        let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
        simulation.start();
        run_half_way(&mut simulation, file);
        let fault = Fault::Refused(503, "ServiceUnavailable");
        simulation.world.store.faults.always(Operation::UploadPart, fault);
        let sent = simulation.world.store.count(Operation::UploadPart);
        simulation.run_until(|simulation| {
            simulation.world.store.count(Operation::UploadPart) == sent + 2
        });
        if cancels {
            simulation.cancel(file).unwrap();
        } else {
            simulation.stop();
        }
        simulation.world.store.faults.clear();
        simulation.run();
        simulation.world.clock.advance(Duration::from_secs(60));
        simulation.run();
        assert_eq!(simulation.world.store.count(Operation::UploadPart), sent + 2);
        let state = if cancels { FileState::Canceled } else { FileState::Stopped };
        assert_eq!(simulation.state(file), state);
    }
}

#[test]
fn b14_param_data_is_optional_and_invalid_param_data_is_rejected() {
    let mut simulation = Simulation::new();
    simulation.app.credentials = Some(Credentials::Sts);
    let mut wrong = Simulation::file("a.mp4", LEN);
    wrong.new.param_data = Some("{".into());
    let rejected = simulation.add(wrong).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::RequestInvalid);
    assert!(simulation.queue().list_files().is_empty() && simulation.events.is_empty());

    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Success);
    let (action, parameters) = &simulation.world.vod.seen[0];
    assert_eq!(action, "CreateUploadVideo");
    assert_eq!(parameters["FileName"], "a.mp4");
    assert!(!parameters["Title"].is_empty());
    assert_eq!(info(&simulation, file).progress.durable, ByteCount(LEN));
}
