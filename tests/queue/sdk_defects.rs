//! Defects of AliyunUpload.Vod 1.4.0 to 1.5.6 that are not repeated: B1 to B14, each in the
//! situation in which the SDK goes wrong.

use std::time::Duration;

use vod_uploader::error::ErrorKind;
use vod_uploader::queue::{Event, FileState, QueueState, UploadingPhase};
use vod_uploader::units::ByteCount;
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::{Credentials, Fault, Operation, World};

use crate::actions::{checkpoint, go_on, info, run_half_way, run_to};
use crate::event_queries::{all_events, continued_at, count, events_of, name};
use crate::fixture::{LEN, next_file};

#[test]
fn b1_a_token_that_ends_in_mid_transfer_is_replaced_and_vod_is_asked_for_the_video_s_id() {
    let mut world = World::new();
    world.app.credentials = Some(Credentials::Sts);
    let file = world.add(World::file("a.mp4", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    let media_id = info(&world, file).media_id.unwrap();
    // Both the token and the UploadAuth that VOD returned for it.
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
fn b2_after_a_stop_and_a_failure_what_is_stored_is_noted_as_before() {
    let mut world = World::new();
    let file = world.add(World::file("a.mp4", LEN)).unwrap();
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
    let file = world.add(World::file("a.mp4", LEN)).unwrap();
    go_on(&mut world);
    // What was on its way when it crashed may still be noted.
    assert!(continued_at(&world, file).unwrap() >= at_crash.bytes());
    assert_eq!(world.state(file), FileState::Success);
}

#[test]
fn b3_an_upload_that_a_crash_cut_off_is_continued_with_the_same_media_id() {
    let mut world = World::new();
    let file = world.add(World::file("a.mp4", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    let before = info(&world, file);
    world.crash();
    let file = world.add(World::file("a.mp4", LEN)).unwrap();
    go_on(&mut world);
    assert_eq!(world.state(file), FileState::Success);
    assert!(continued_at(&world, file).unwrap() >= before.progress.durable.bytes());
    assert_eq!(info(&world, file).media_id, before.media_id);
    assert_eq!(world.vod.media.len(), 1);
}

#[test]
fn b4_a_file_is_added_at_once_and_a_lookup_that_fails_is_told() {
    let mut world = World::new();
    world.kv.fails_at = Some(1);
    let file = world.add(World::file("a.mp4", LEN)).unwrap();
    let next = world.add(next_file("next.mp4")).unwrap();
    assert_eq!(all_events(&world), ["1 file-added", "2 file-added"]);
    world.start();
    world.run();
    assert_eq!(events_of(&world, file), ["file-added", "failed key-value-unavailable"]);
    assert_eq!(world.state(next), FileState::Success);
    assert_eq!(count(&world, "upload-end"), 1);
}

#[test]
fn b5_a_cancel_before_there_is_a_checkpoint_stops_the_transfer_at_every_step() {
    for len in [50_000, 150_000] {
        for steps in 0.. {
            let mut world = World::new();
            let file = world.add(World::file("a.mp4", len)).unwrap();
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
                (FileState::Canceled, [Event::Canceled { left_over: None, .. }]) => {
                    assert!(world.kv.values.is_empty(), "step {steps}");
                }
                // It was whole already.
                (FileState::Success, [Event::Succeeded(_)]) => {}
                end => panic!("step {steps}: {end:?}"),
            }
            // One whose id never came back may be left, without a part.
            assert!(world.store.uploads.values().all(|parts| parts.is_empty()), "step {steps}");
            assert_eq!(world.events.last(), Some(&Event::UploadEnd));
        }
    }
}

#[test]
fn b6_a_cancel_while_a_credential_is_waited_for_gives_the_next_file_its_turn() {
    let mut world = World::new();
    world.app.credentials = None;
    let file = world.add(World::file("a.mp4", LEN)).unwrap();
    let next = world.add(World::file("b.mp4", LEN)).unwrap();
    world.start();
    run_to(&mut world, file, UploadingPhase::CredentialWanted);
    world.cancel(file).unwrap();
    run_to(&mut world, next, UploadingPhase::CredentialWanted);
    let late = world.created(MediaKind::Video);
    assert_eq!(world.hand_in(file, &late).unwrap_err().kind(), ErrorKind::FileStateWrong);
    world.app.credentials = Some(Credentials::Server);
    go_on(&mut world);
    assert_eq!(world.state(file), FileState::Canceled);
    assert_eq!(world.state(next), FileState::Success);
    assert_eq!(world.store.objects.len(), 1);
    assert_eq!(count(&world, "upload-end"), 1);
}

#[test]
fn b7_a_file_that_is_deleted_leaves_every_other_as_it_is() {
    let mut world = World::new();
    let done = world.add(next_file("done.mp4")).unwrap();
    let file = world.add(World::file("a.mp4", LEN)).unwrap();
    let last = world.add(World::file("b.mp4", LEN)).unwrap();
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
fn b8_a_list_that_is_cleaned_while_a_token_has_expired_takes_files_again() {
    let mut world = World::new();
    let file = world.add(World::file("a.mp4", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    world.app.credentials = None;
    world.store.keys.clear();
    world.run();
    assert_eq!(world.queue_state(), QueueState::Expire);
    world.clean();
    assert_eq!(world.queue_state(), QueueState::Init);
    world.app.credentials = Some(Credentials::Server);
    let file = world.add(World::file("a.mp4", LEN)).unwrap();
    go_on(&mut world);
    assert_eq!(world.state(file), FileState::Success);
    assert_eq!(world.queue_state(), QueueState::End);
}

#[test]
fn b9_a_file_that_is_canceled_and_resumed_goes_where_its_new_address_says() {
    let mut world = World::new();
    let file = world.add(World::file("a.mp4", LEN)).unwrap();
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
    go_on(&mut world);
    assert_eq!(world.state(file), FileState::Success);
    let after = info(&world, file);
    assert_eq!(after.media_id, Some(grant.media_id.clone()));
    assert_eq!(after.object, Some(world.vod.media[&grant.media_id].object.clone()));
    assert_ne!(after.object, before.object);
    let objects: Vec<_> = world.store.objects.keys().cloned().collect();
    assert_eq!(objects, [after.object.unwrap()]);
}

#[test]
fn b10_a_file_that_is_being_canceled_tells_of_nothing_but_its_end() {
    let mut world = World::new();
    // The store takes its time to drop the parts.
    world.store.faults.plan(Operation::Abort, 1, Fault::Hang);
    let file = world.add(World::file("a.mp4", LEN)).unwrap();
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
fn b11_an_expired_credential_that_nobody_replaces_is_seen_and_ends_with_the_deadline() {
    let mut world = World::new().with_options(|options| options.deadline_secs = Some(600));
    let file = world.add(World::file("a.mp4", LEN)).unwrap();
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
    let refused = world.events.iter().find_map(|event| match event {
        Event::TokenExpired(expiry) => expiry.error.clone(),
        _ => None,
    });
    assert_eq!(refused.unwrap().kind(), ErrorKind::CredentialRejected);
    world.run();
    assert_eq!(events_of(&world, file).last().unwrap(), "failed deadline-exceeded");
    assert_eq!(world.state(next), FileState::Success);
    assert_eq!(world.queue_state(), QueueState::Failure);
}

#[test]
fn b12_every_failure_is_told_with_a_code_and_a_reason() {
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
            let mut world = World::new();
            world.store.faults.always(operation, fault);
            let file = world.add(World::file("a.mp4", LEN)).unwrap();
            let next = world.add(next_file("next.mp4")).unwrap();
            world.start();
            world.run();
            let told = format!("{fault:?} of {operation:?}: {:?}", all_events(&world));
            let FileState::Failure(error) = world.state(file) else { panic!("{told}") };
            assert!(!error.kind().code().is_empty() && !error.message().is_empty(), "{told}");
            assert_eq!(count(&world, "failed"), 1, "{told}");
            assert_eq!(world.state(next), FileState::Success, "{told}");
            assert_eq!(world.events.last(), Some(&Event::UploadEnd), "{told}");
            assert_eq!(world.queue_state(), QueueState::Failure, "{told}");
        }
    }
}

#[test]
fn b13_a_retry_that_was_waited_for_is_not_made_after_a_stop_or_a_cancel() {
    for cancels in [false, true] {
        let mut world = World::new();
        let file = world.add(World::file("a.mp4", LEN)).unwrap();
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
fn b14_a_token_does_without_param_data_and_wrong_param_data_adds_nothing() {
    let mut world = World::new();
    world.app.credentials = Some(Credentials::Sts);
    let mut wrong = World::file("a.mp4", LEN);
    wrong.new.param_data = Some("{".into());
    let refused = world.add(wrong).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::RequestInvalid);
    assert!(world.queue.list_files().is_empty() && world.events.is_empty());

    let file = world.add(World::file("a.mp4", LEN)).unwrap();
    world.start();
    world.run();
    assert_eq!(world.state(file), FileState::Success);
    let (action, parameters) = &world.vod.seen[0];
    assert_eq!(action, "CreateUploadVideo");
    assert_eq!(parameters["FileName"], "a.mp4");
    assert!(!parameters["Title"].is_empty());
    assert_eq!(info(&world, file).progress.durable, ByteCount(LEN));
}
