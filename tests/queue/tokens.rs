//! STS tokens for VOD or OSS that expire before, during and at the end of a transfer.

use std::time::Duration;

use vod_uploader::error::ErrorKind;
use vod_uploader::queue::{Event, FileId, FileState, UploadingPhase};
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::queue::{Credentials, PlannedFile, Simulation};
use vod_uploader_sim::{Fault, Operation};

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
        let mut simulation = Simulation::new();
        simulation.app.credentials = Some(Credentials::Sts);
        let mut planned = Simulation::file(name, LEN);
        planned.new.kind = Some(kind);
        planned.new.param_data = Some(param.into());
        let file = simulation.add(planned).unwrap();
        simulation.start();
        simulation.run();
        assert_eq!(simulation.state(file), FileState::Success, "{name}");
        let [(called, parameters)] = &simulation.world.vod.seen[..] else {
            panic!("{:?}", simulation.world.vod.seen)
        };
        assert_eq!(called, action);
        assert_eq!(parameters["Title"], "T", "{name}");
        assert_eq!(parameters["Tags"], "x,y", "{name}");
        assert!(parameters.contains_key("Timestamp") && parameters.contains_key("SignatureNonce"));
        let media_id = simulation.world.vod.media.keys().next().cloned();
        assert_eq!(info(&simulation, file).media_id, media_id, "{name}");
    }
}

#[test]
fn a_parameter_that_the_vod_call_lacks_is_rejected_by_name() {
    let mut simulation = Simulation::new();
    simulation.app.credentials = None;
    let mut planned = Simulation::file("c.png", LEN);
    planned.new.param_data = Some(r#"{"Vod":{"TemplateGroupId":"t"}}"#.into());
    let file = simulation.add(planned).unwrap();
    let rejected = simulation.set_token(file).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::RequestInvalid);
    assert!(rejected.field().unwrap().name.contains("TemplateGroupId"), "{rejected}");
    assert_eq!(simulation.state(file), FileState::Ready);
    // In credential mode, param-data is not sent.
    let grant = simulation.world.create_media(MediaKind::Image);
    simulation.set_credential(file, &grant).unwrap();
    run_to_completion(&mut simulation);
    assert_eq!(simulation.state(file), FileState::Success);
}

#[test]
fn a_video_with_a_checkpoint_is_refreshed_instead_of_created() {
    let (mut simulation, file) = sts_half_way(Simulation::file("a.mp4", LEN));
    let media_id = info(&simulation, file).media_id.unwrap();
    simulation.stop();
    simulation.run();
    simulation.start();
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Success);
    assert_eq!(simulation.world.vod.count("CreateUploadVideo"), 1);
    assert_eq!(simulation.world.vod.count("RefreshUploadVideo"), 1);
    assert_eq!(simulation.world.vod.seen[1].1["VideoId"], media_id);
}

#[test]
fn an_upload_auth_that_expires_during_a_transfer_is_refreshed_without_the_app() {
    let (mut simulation, file) = sts_half_way(Simulation::file("a.mp4", LEN));
    simulation.app.credentials = None;
    // The token expires after an hour, the UploadAuth after 3,000 s.
    simulation.world.clock.advance(Duration::from_secs(3_100));
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Success);
    assert_eq!(simulation.world.vod.count("RefreshUploadVideo"), 1);
    assert_eq!(count(&simulation, "token-expired") + count(&simulation, "token-expiring"), 0);
}

#[test]
fn a_token_that_expires_before_the_transfer_is_requested_again() {
    let mut simulation = Simulation::new();
    simulation.app.credentials = Some(Credentials::Sts);
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    run_to(&mut simulation, file, UploadingPhase::RequestingMedia);
    simulation.world.vod.tokens.clear();
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Success, "{:?}", events_of(&simulation, file));
    assert_eq!(count(&simulation, "token-expired"), 1);
    assert_eq!(simulation.world.vod.media.len(), 1);
}

#[test]
fn a_token_that_expires_during_completion_is_requested_again() {
    let mut simulation = Simulation::new();
    simulation.app.credentials = Some(Credentials::Sts);
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    simulation.run_until(|simulation| {
        simulation.world.store.uploads.values().any(|parts| parts.len() == 10)
    });
    simulation.world.store.keys.clear();
    simulation.world.vod.tokens.clear();
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Success, "{:?}", events_of(&simulation, file));
    assert_eq!(count(&simulation, "token-expired"), 1);
    assert_eq!(simulation.world.vod.media.len(), 1);
    assert_eq!(simulation.world.store.count(Operation::UploadPart), 10);
}

#[test]
fn a_file_fails_after_repeated_token_rejections() {
    let expired = Some(Fault::Refused(403, "InvalidSecurityToken.Expired"));
    let mut simulation = Simulation::new();
    simulation.app.credentials = Some(Credentials::Sts);
    simulation.world.vod.faults = vec![expired; 100];
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    simulation.run();
    assert_eq!(events_of(&simulation, file).last().unwrap(), "failed credential-expired");
    assert_eq!(simulation.world.vod.seen.len(), 3);

    let (mut simulation, file) = sts_half_way(Simulation::file("a.mp4", LEN));
    simulation.world.vod.faults = vec![expired; 100];
    simulation.world.store.keys.clear();
    let called = simulation.world.vod.seen.len();
    simulation.run();
    assert_eq!(events_of(&simulation, file).last().unwrap(), "failed credential-expired");
    assert!(simulation.world.vod.seen.len() - called <= 4, "{:?}", all_events(&simulation));
    simulation.world.vod.faults.clear();
    run_to_completion(&mut simulation);
    assert_eq!(simulation.state(file), FileState::Success);
}

#[test]
fn a_rejected_token_does_not_block_while_the_upload_auth_is_valid() {
    let (mut simulation, file) = sts_half_way(Simulation::file("a.mp4", LEN));
    simulation.app.credentials = None;
    simulation.world.vod.tokens.clear();
    // The UploadAuth expires in 200 s: a refresh is due, and the rest takes less time.
    simulation.world.clock.advance(Duration::from_secs(2_800));
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Success, "{:?}", events_of(&simulation, file));
    assert_eq!(count(&simulation, "token-expired"), 0);
    let context = simulation.events.iter().find_map(|event| match event {
        Event::TokenExpiring(expiry) => expiry.error.clone(),
        _ => None,
    });
    assert_eq!(context.unwrap().kind(), ErrorKind::CredentialRejected);
}

#[test]
fn a_media_id_deleted_at_vod_is_dropped_before_the_transfer() {
    let (mut simulation, file) = sts_half_way(Simulation::file("a.mp4", LEN));
    let deleted = info(&simulation, file).media_id;
    simulation.stop();
    simulation.run();
    simulation.world.vod.media.clear();
    simulation.start();
    simulation.run();
    assert_restarted(&simulation, file, deleted);
}

#[test]
fn a_media_id_deleted_at_vod_is_dropped_during_the_transfer() {
    let (mut simulation, file) = sts_half_way(Simulation::file("a.mp4", LEN));
    let deleted = info(&simulation, file).media_id;
    simulation.world.vod.media.clear();
    simulation.world.clock.advance(Duration::from_secs(3_100));
    simulation.run();
    assert_restarted(&simulation, file, deleted);
}

#[test]
fn a_token_for_the_apps_own_bucket_is_renewed_during_a_transfer() {
    let mut simulation = Simulation::new();
    simulation.app.credentials = Some(Credentials::Direct);
    let mut planned = Simulation::file("a.mp4", LEN);
    planned.new.endpoint = Some("https://oss-cn-shanghai.aliyuncs.com".into());
    planned.new.bucket = Some("my-bucket".into());
    let without_object = simulation.add(planned.clone()).unwrap();
    let rejected = simulation.set_direct_token(without_object).unwrap_err();
    assert_eq!(rejected.field().unwrap().name, "object");
    planned.new.object = Some("mine/a.mp4".into());
    planned.new.name = "b.mp4".into();
    let file = simulation.add(planned).unwrap();
    simulation.cancel(without_object).unwrap();
    simulation.start();
    run_half_way(&mut simulation, file);
    simulation.world.clock.advance(HOUR);
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Success, "{:?}", events_of(&simulation, file));
    assert_eq!(count(&simulation, "token-expired"), 1);
    assert_eq!(info(&simulation, file).media_id, None);
    assert!(simulation.world.vod.seen.is_empty() && simulation.world.vod.media.is_empty());
    assert!(simulation.world.store.objects.contains_key("mine/a.mp4"));
}

#[test]
fn a_token_creates_no_second_media_for_a_file_with_an_unknown_media_id() {
    let mut simulation = Simulation::new();
    simulation.app.credentials = None;
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    let grant = simulation.world.create_media(MediaKind::Video);
    simulation.start();
    let now = simulation.world.now();
    simulation.run();
    simulation
        .call(|queue| {
            queue.set_upload_auth_and_address(now, file, &grant.auth, &grant.address, None)
        })
        .unwrap();
    run_half_way(&mut simulation, file);
    simulation.stop();
    simulation.run();
    let rejected = simulation.set_token(file).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::CredentialRequired);
    simulation.start();
    simulation.run();
    assert_eq!(simulation.set_token(file).unwrap_err().kind(), ErrorKind::CredentialRequired);
    assert!(simulation.world.vod.seen.is_empty(), "{:?}", simulation.world.vod.seen);
    simulation.clear_checkpoint(file).unwrap();
    simulation.run();
    simulation.set_token(file).unwrap();
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Success, "{:?}", events_of(&simulation, file));
}

#[test]
fn a_file_fails_if_vod_keeps_issuing_expired_credentials() {
    for name in ["a.mp4", "a.png"] {
        let mut simulation = Simulation::new();
        simulation.app.credentials = Some(Credentials::Sts);
        simulation.world.vod.credential_ttl = Duration::ZERO;
        let file = simulation.add(Simulation::file(name, LEN)).unwrap();
        simulation.start();
        simulation.run();
        let FileState::Failure(error) = simulation.state(file) else { panic!("{name}") };
        assert_eq!(error.kind(), ErrorKind::CredentialExpired, "{name}");
        assert_eq!(count(&simulation, "token-expired"), 2, "{name}");
    }
}

/// A half-uploaded file with an UploadAuth that VOD issued to the app's token.
fn sts_half_way(planned: PlannedFile) -> (Simulation, FileId) {
    let mut simulation = Simulation::new();
    simulation.app.credentials = Some(Credentials::Sts);
    let file = simulation.add(planned).unwrap();
    simulation.start();
    run_half_way(&mut simulation, file);
    (simulation, file)
}

/// Asserts that the file started again without its media id and is complete under another.
fn assert_restarted(simulation: &Simulation, file: FileId, deleted: Option<String>) {
    assert_eq!(simulation.state(file), FileState::Success, "{:?}", events_of(simulation, file));
    assert_eq!(simulation.events.iter().filter(|event| event.is_last_of_file()).count(), {
        1 + count(simulation, "stopped")
    });
    assert_eq!(resumed_from(simulation, file), None);
    let media_id = info(simulation, file).media_id;
    assert!(media_id.is_some() && media_id != deleted);
    assert_eq!(simulation.world.store.objects.len(), 1);
    assert!(simulation.world.kv.values.is_empty(), "{:?}", simulation.world.kv.values.keys());
}
