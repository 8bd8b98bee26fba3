//! STS tokens for VOD or OSS that expire before, during and at the end of a transfer.

use std::time::Duration;

use vod_uploader::error::ErrorKind;
use vod_uploader::queue::{Event, FileId, FileState, UploadingPhase};
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::{Credentials, Fault, Operation, PlannedFile, Simulation};

use crate::actions::{info, run_half_way, run_to, run_to_completion};
use crate::event_queries::{all_events, count, events_of, resumed_from};
use crate::fixture::LEN;

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn vod_calls_follow_the_media_kind_and_include_param_data() {
    let param = r#"{"Vod":{"Title":"T","Tags":"x,y"}}"#;
    for (name, kind, action) in [
        ("a.mp4", MediaKind::Video, "CreateUploadVideo"),
        ("b.mp3", MediaKind::Audio, "CreateUploadVideo"),
        ("c.png", MediaKind::Image, "CreateUploadImage"),
        ("d.srt", MediaKind::Auxiliary, "CreateUploadAttachedMedia"),
    ] {
        let mut world = Simulation::new();
        world.app.credentials = Some(Credentials::Sts);
        let mut planned = Simulation::file(name, LEN);
        planned.new.kind = Some(kind);
        planned.new.param_data = Some(param.into());
        let file = world.add(planned).unwrap();
        world.start();
        world.run();
        assert_eq!(world.state(file), FileState::Success, "{name}");
        let [(called, parameters)] = &world.vod.seen[..] else { panic!("{:?}", world.vod.seen) };
        assert_eq!(called, action);
        assert_eq!(parameters["Title"], "T", "{name}");
        assert_eq!(parameters["Tags"], "x,y", "{name}");
        assert!(parameters.contains_key("Timestamp") && parameters.contains_key("SignatureNonce"));
        let media_id = world.vod.media.keys().next().cloned();
        assert_eq!(info(&world, file).media_id, media_id, "{name}");
    }
}

#[test]
fn a_parameter_that_the_vod_call_lacks_is_rejected_by_name() {
    let mut world = Simulation::new();
    world.app.credentials = None;
    let mut planned = Simulation::file("c.png", LEN);
    planned.new.param_data = Some(r#"{"Vod":{"TemplateGroupId":"t"}}"#.into());
    let file = world.add(planned).unwrap();
    let rejected = world.hand_in_token(file).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::RequestInvalid);
    assert!(rejected.field().unwrap().name.contains("TemplateGroupId"), "{rejected}");
    assert_eq!(world.state(file), FileState::Ready);
    // In credential mode, param-data is not sent.
    let grant = world.created(MediaKind::Image);
    world.hand_in(file, &grant).unwrap();
    run_to_completion(&mut world);
    assert_eq!(world.state(file), FileState::Success);
}

#[test]
fn a_video_with_a_checkpoint_is_refreshed_instead_of_created() {
    let (mut world, file) = sts_half_way(Simulation::file("a.mp4", LEN));
    let media_id = info(&world, file).media_id.unwrap();
    world.stop();
    world.run();
    world.start();
    world.run();
    assert_eq!(world.state(file), FileState::Success);
    assert_eq!(world.vod.count("CreateUploadVideo"), 1);
    assert_eq!(world.vod.count("RefreshUploadVideo"), 1);
    assert_eq!(world.vod.seen[1].1["VideoId"], media_id);
}

#[test]
fn an_upload_auth_that_expires_during_a_transfer_is_refreshed_without_the_app() {
    let (mut world, file) = sts_half_way(Simulation::file("a.mp4", LEN));
    world.app.credentials = None;
    // The token expires after an hour, the UploadAuth after 3,000 s.
    world.now = world.now + Duration::from_secs(3_100);
    world.run();
    assert_eq!(world.state(file), FileState::Success);
    assert_eq!(world.vod.count("RefreshUploadVideo"), 1);
    assert_eq!(count(&world, "token-expired") + count(&world, "token-expiring"), 0);
}

#[test]
fn a_token_that_expires_before_the_transfer_is_requested_again() {
    let mut world = Simulation::new();
    world.app.credentials = Some(Credentials::Sts);
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.start();
    run_to(&mut world, file, UploadingPhase::RequestingMedia);
    world.vod.tokens.clear();
    world.run();
    assert_eq!(world.state(file), FileState::Success, "{:?}", events_of(&world, file));
    assert_eq!(count(&world, "token-expired"), 1);
    assert_eq!(world.vod.media.len(), 1);
}

#[test]
fn a_token_that_expires_during_completion_is_requested_again() {
    let mut world = Simulation::new();
    world.app.credentials = Some(Credentials::Sts);
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.start();
    world.run_until(|world| world.store.uploads.values().any(|parts| parts.len() == 10));
    world.store.keys.clear();
    world.vod.tokens.clear();
    world.run();
    assert_eq!(world.state(file), FileState::Success, "{:?}", events_of(&world, file));
    assert_eq!(count(&world, "token-expired"), 1);
    assert_eq!(world.vod.media.len(), 1);
    assert_eq!(world.store.count(Operation::UploadPart), 10);
}

#[test]
fn a_file_fails_after_repeated_token_rejections() {
    let expired = Some(Fault::Refused(403, "InvalidSecurityToken.Expired"));
    let mut world = Simulation::new();
    world.app.credentials = Some(Credentials::Sts);
    world.vod.faults = vec![expired; 100];
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.start();
    world.run();
    assert_eq!(events_of(&world, file).last().unwrap(), "failed credential-expired");
    assert_eq!(world.vod.seen.len(), 3);

    let (mut world, file) = sts_half_way(Simulation::file("a.mp4", LEN));
    world.vod.faults = vec![expired; 100];
    world.store.keys.clear();
    let called = world.vod.seen.len();
    world.run();
    assert_eq!(events_of(&world, file).last().unwrap(), "failed credential-expired");
    assert!(world.vod.seen.len() - called <= 4, "{:?}", all_events(&world));
    world.vod.faults.clear();
    run_to_completion(&mut world);
    assert_eq!(world.state(file), FileState::Success);
}

#[test]
fn a_rejected_token_does_not_block_while_the_upload_auth_is_valid() {
    let (mut world, file) = sts_half_way(Simulation::file("a.mp4", LEN));
    world.app.credentials = None;
    world.vod.tokens.clear();
    // The UploadAuth expires in 200 s: a refresh is due, and the rest takes less time.
    world.now = world.now + Duration::from_secs(2_800);
    world.run();
    assert_eq!(world.state(file), FileState::Success, "{:?}", events_of(&world, file));
    assert_eq!(count(&world, "token-expired"), 0);
    let context = world.events.iter().find_map(|event| match event {
        Event::TokenExpiring(expiry) => expiry.error.clone(),
        _ => None,
    });
    assert_eq!(context.unwrap().kind(), ErrorKind::CredentialRejected);
}

#[test]
fn a_media_id_deleted_at_vod_is_dropped_before_the_transfer() {
    let (mut world, file) = sts_half_way(Simulation::file("a.mp4", LEN));
    let deleted = info(&world, file).media_id;
    world.stop();
    world.run();
    world.vod.media.clear();
    world.start();
    world.run();
    assert_restarted(&world, file, deleted);
}

#[test]
fn a_media_id_deleted_at_vod_is_dropped_during_the_transfer() {
    let (mut world, file) = sts_half_way(Simulation::file("a.mp4", LEN));
    let deleted = info(&world, file).media_id;
    world.vod.media.clear();
    world.now = world.now + Duration::from_secs(3_100);
    world.run();
    assert_restarted(&world, file, deleted);
}

#[test]
fn a_token_for_the_apps_own_bucket_is_renewed_during_a_transfer() {
    let mut world = Simulation::new();
    world.app.credentials = Some(Credentials::Direct);
    let mut planned = Simulation::file("a.mp4", LEN);
    planned.new.endpoint = Some("https://oss-cn-shanghai.aliyuncs.com".into());
    planned.new.bucket = Some("my-bucket".into());
    let without_object = world.add(planned.clone()).unwrap();
    let rejected = world.hand_in_direct_token(without_object).unwrap_err();
    assert_eq!(rejected.field().unwrap().name, "object");
    planned.new.object = Some("mine/a.mp4".into());
    planned.new.name = "b.mp4".into();
    let file = world.add(planned).unwrap();
    world.cancel(without_object).unwrap();
    world.start();
    run_half_way(&mut world, file);
    world.now = world.now + HOUR;
    world.run();
    assert_eq!(world.state(file), FileState::Success, "{:?}", events_of(&world, file));
    assert_eq!(count(&world, "token-expired"), 1);
    assert_eq!(info(&world, file).media_id, None);
    assert!(world.vod.seen.is_empty() && world.vod.media.is_empty());
    assert!(world.store.objects.contains_key("mine/a.mp4"));
}

#[test]
fn a_token_creates_no_second_media_for_a_file_with_an_unknown_media_id() {
    let mut world = Simulation::new();
    world.app.credentials = None;
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    let grant = world.created(MediaKind::Video);
    world.start();
    let now = world.now;
    world.run();
    world
        .call(|queue| {
            queue.set_upload_auth_and_address(now, file, &grant.auth, &grant.address, None)
        })
        .unwrap();
    run_half_way(&mut world, file);
    world.stop();
    world.run();
    let rejected = world.hand_in_token(file).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::CredentialRequired);
    world.start();
    world.run();
    assert_eq!(world.hand_in_token(file).unwrap_err().kind(), ErrorKind::CredentialRequired);
    assert!(world.vod.seen.is_empty(), "{:?}", world.vod.seen);
    world.clear_checkpoint(file).unwrap();
    world.run();
    world.hand_in_token(file).unwrap();
    world.run();
    assert_eq!(world.state(file), FileState::Success, "{:?}", events_of(&world, file));
}

#[test]
fn a_file_fails_if_vod_keeps_issuing_expired_credentials() {
    for name in ["a.mp4", "a.png"] {
        let mut world = Simulation::new();
        world.app.credentials = Some(Credentials::Sts);
        world.vod.life = Duration::ZERO;
        let file = world.add(Simulation::file(name, LEN)).unwrap();
        world.start();
        world.run();
        let FileState::Failure(error) = world.state(file) else { panic!("{name}") };
        assert_eq!(error.kind(), ErrorKind::CredentialExpired, "{name}");
        assert_eq!(count(&world, "token-expired"), 2, "{name}");
    }
}

/// A half-uploaded file with an UploadAuth that VOD issued to the app's token.
fn sts_half_way(planned: PlannedFile) -> (Simulation, FileId) {
    let mut world = Simulation::new();
    world.app.credentials = Some(Credentials::Sts);
    let file = world.add(planned).unwrap();
    world.start();
    run_half_way(&mut world, file);
    (world, file)
}

/// Asserts that the file started again without its media id and is complete under another.
fn assert_restarted(world: &Simulation, file: FileId, deleted: Option<String>) {
    assert_eq!(world.state(file), FileState::Success, "{:?}", events_of(world, file));
    assert_eq!(world.events.iter().filter(|event| event.is_last_of_file()).count(), {
        1 + count(world, "stopped")
    });
    assert_eq!(resumed_from(world, file), None);
    let media_id = info(world, file).media_id;
    assert!(media_id.is_some() && media_id != deleted);
    assert_eq!(world.store.objects.len(), 1);
    assert!(world.kv.values.is_empty(), "{:?}", world.kv.values.keys());
}
