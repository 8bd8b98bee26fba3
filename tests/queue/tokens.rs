//! STS tokens for VOD or OSS that expire before, during and at the end of a transfer.

use std::time::Duration;

use vod_uploader::error::ErrorKind;
use vod_uploader::queue::{Event, FileId, FileState, UploadingPhase};
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::queue::{Credentials, Simulation};
use vod_uploader_sim::{Fault, Operation};

use crate::actions::{
    LEN, assert_no_records, half_way_of, info, run_half_way, run_to, run_to_completion, video,
};
use crate::event_queries::{all_events, count, events_of, resumed_from};

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
        let mut sim = Simulation::new();
        sim.app.credentials = Some(Credentials::Sts);
        let mut planned = Simulation::file(name, LEN);
        planned.new.kind = Some(kind);
        planned.new.param_data = Some(param.into());
        let file = sim.add(planned).unwrap();
        sim.start();
        sim.run();
        assert_eq!(sim.state(file), FileState::Success, "{name}");
        let [(called, parameters)] = &sim.world.vod.seen[..] else {
            panic!("{:?}", sim.world.vod.seen)
        };
        assert_eq!(called, action);
        assert_eq!(parameters["Title"], "T", "{name}");
        assert_eq!(parameters["Tags"], "x,y", "{name}");
        assert!(parameters.contains_key("Timestamp") && parameters.contains_key("SignatureNonce"));
        let media_id = sim.world.vod.media.keys().next().cloned();
        assert_eq!(info(&sim, file).media_id, media_id, "{name}");
    }
}

#[test]
fn a_parameter_that_the_vod_call_lacks_is_rejected_by_name() {
    let mut sim = Simulation::new();
    sim.app.credentials = None;
    let mut planned = Simulation::file("c.png", LEN);
    planned.new.param_data = Some(r#"{"Vod":{"TemplateGroupId":"t"}}"#.into());
    let file = sim.add(planned).unwrap();
    let rejected = sim.set_token(file).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::RequestInvalid);
    assert!(rejected.field().unwrap().name.contains("TemplateGroupId"), "{rejected}");
    assert_eq!(sim.state(file), FileState::Ready);
    // In credential mode, param-data is not sent.
    let grant = sim.world.create_media(MediaKind::Image);
    sim.set_credential(file, &grant).unwrap();
    run_to_completion(&mut sim);
    assert_eq!(sim.state(file), FileState::Success);
}

#[test]
fn a_video_with_a_checkpoint_is_refreshed_instead_of_created() {
    let (mut sim, file) = half_way_of(video(), Credentials::Sts);
    let media_id = info(&sim, file).media_id.unwrap();
    sim.stop();
    sim.run();
    sim.start();
    sim.run();
    assert_eq!(sim.state(file), FileState::Success);
    assert_eq!(sim.world.vod.count("CreateUploadVideo"), 1);
    assert_eq!(sim.world.vod.count("RefreshUploadVideo"), 1);
    assert_eq!(sim.world.vod.seen[1].1["VideoId"], media_id);
}

#[test]
fn an_upload_auth_that_expires_during_a_transfer_is_refreshed_without_the_app() {
    let (mut sim, file) = half_way_of(video(), Credentials::Sts);
    sim.app.credentials = None;
    // The token expires after an hour, the UploadAuth after 3,000 s.
    sim.world.clock.advance(Duration::from_secs(3_100));
    sim.run();
    assert_eq!(sim.state(file), FileState::Success);
    assert_eq!(sim.world.vod.count("RefreshUploadVideo"), 1);
    assert_eq!(count(&sim, "token-expired") + count(&sim, "token-expiring"), 0);
}

#[test]
fn a_token_that_expires_before_the_transfer_is_requested_again() {
    let mut sim = Simulation::new();
    sim.app.credentials = Some(Credentials::Sts);
    let file = sim.add(video()).unwrap();
    sim.start();
    run_to(&mut sim, file, UploadingPhase::RequestingMedia);
    sim.world.vod.tokens.clear();
    sim.run();
    assert_eq!(sim.state(file), FileState::Success, "{:?}", events_of(&sim, file));
    assert_eq!(count(&sim, "token-expired"), 1);
    assert_eq!(sim.world.vod.media.len(), 1);
}

#[test]
fn a_token_that_expires_during_completion_is_requested_again() {
    let mut sim = Simulation::new();
    sim.app.credentials = Some(Credentials::Sts);
    let file = sim.add(video()).unwrap();
    sim.start();
    sim.run_until(|sim| sim.world.store.uploads.values().any(|parts| parts.len() == 10));
    sim.world.store.keys.clear();
    sim.world.vod.tokens.clear();
    sim.run();
    assert_eq!(sim.state(file), FileState::Success, "{:?}", events_of(&sim, file));
    assert_eq!(count(&sim, "token-expired"), 1);
    assert_eq!(sim.world.vod.media.len(), 1);
    assert_eq!(sim.world.store.count(Operation::UploadPart), 10);
}

#[test]
fn a_file_fails_after_repeated_token_rejections() {
    let expired = Some(Fault::Refused(403, "InvalidSecurityToken.Expired"));
    let mut sim = Simulation::new();
    sim.app.credentials = Some(Credentials::Sts);
    sim.world.vod.faults = vec![expired; 100];
    let file = sim.add(video()).unwrap();
    sim.start();
    sim.run();
    assert_eq!(events_of(&sim, file).last().unwrap(), "failed credential-expired");
    assert_eq!(sim.world.vod.seen.len(), 3);

    let (mut sim, file) = half_way_of(video(), Credentials::Sts);
    sim.world.vod.faults = vec![expired; 100];
    sim.world.store.keys.clear();
    let called = sim.world.vod.seen.len();
    sim.run();
    assert_eq!(events_of(&sim, file).last().unwrap(), "failed credential-expired");
    assert!(sim.world.vod.seen.len() - called <= 4, "{:?}", all_events(&sim));
    sim.world.vod.faults.clear();
    run_to_completion(&mut sim);
    assert_eq!(sim.state(file), FileState::Success);
}

#[test]
fn a_rejected_token_does_not_block_while_the_upload_auth_is_valid() {
    let (mut sim, file) = half_way_of(video(), Credentials::Sts);
    sim.app.credentials = None;
    sim.world.vod.tokens.clear();
    // The UploadAuth expires in 200 s: a refresh is due, and the rest takes less time.
    sim.world.clock.advance(Duration::from_secs(2_800));
    sim.run();
    assert_eq!(sim.state(file), FileState::Success, "{:?}", events_of(&sim, file));
    assert_eq!(count(&sim, "token-expired"), 0);
    let context = sim.events.iter().find_map(|event| match event {
        Event::TokenExpiring(expiry) => expiry.error.clone(),
        _ => None,
    });
    assert_eq!(context.unwrap().kind(), ErrorKind::CredentialRejected);
}

#[test]
fn a_media_id_deleted_at_vod_is_dropped_before_the_transfer() {
    let (mut sim, file) = half_way_of(video(), Credentials::Sts);
    let deleted = info(&sim, file).media_id;
    sim.stop();
    sim.run();
    sim.world.vod.media.clear();
    sim.start();
    sim.run();
    assert_restarted(&sim, file, deleted);
}

#[test]
fn a_media_id_deleted_at_vod_is_dropped_during_the_transfer() {
    let (mut sim, file) = half_way_of(video(), Credentials::Sts);
    let deleted = info(&sim, file).media_id;
    sim.world.vod.media.clear();
    sim.world.clock.advance(Duration::from_secs(3_100));
    sim.run();
    assert_restarted(&sim, file, deleted);
}

#[test]
fn a_token_for_the_apps_own_bucket_is_renewed_during_a_transfer() {
    let mut sim = Simulation::new();
    sim.app.credentials = Some(Credentials::Direct);
    let mut planned = video();
    planned.new.endpoint = Some("https://oss-cn-shanghai.aliyuncs.com".into());
    planned.new.bucket = Some("my-bucket".into());
    let without_object = sim.add(planned.clone()).unwrap();
    let rejected = sim.set_direct_token(without_object).unwrap_err();
    assert_eq!(rejected.field().unwrap().name, "object");
    planned.new.object = Some("mine/a.mp4".into());
    planned.new.name = "b.mp4".into();
    let file = sim.add(planned).unwrap();
    sim.cancel(without_object).unwrap();
    sim.start();
    run_half_way(&mut sim, file);
    sim.world.clock.advance(HOUR);
    sim.run();
    assert_eq!(sim.state(file), FileState::Success, "{:?}", events_of(&sim, file));
    assert_eq!(count(&sim, "token-expired"), 1);
    assert_eq!(info(&sim, file).media_id, None);
    assert!(sim.world.vod.seen.is_empty() && sim.world.vod.media.is_empty());
    assert!(sim.world.store.objects.contains_key("mine/a.mp4"));
}

#[test]
fn a_token_creates_no_new_media_for_a_file_with_an_unknown_media_id() {
    let mut sim = Simulation::new();
    sim.app.credentials = None;
    let file = sim.add(video()).unwrap();
    let grant = sim.world.create_media(MediaKind::Video);
    sim.start();
    let now = sim.world.now();
    sim.run();
    sim.call(|queue| {
        queue.set_upload_auth_and_address(now, file, &grant.auth, &grant.address, None)
    })
    .unwrap();
    run_half_way(&mut sim, file);
    sim.stop();
    sim.run();
    let rejected = sim.set_token(file).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::CredentialRequired);
    sim.start();
    sim.run();
    assert_eq!(sim.set_token(file).unwrap_err().kind(), ErrorKind::CredentialRequired);
    assert!(sim.world.vod.seen.is_empty(), "{:?}", sim.world.vod.seen);
    sim.clear_checkpoint(file).unwrap();
    sim.run();
    sim.set_token(file).unwrap();
    sim.run();
    assert_eq!(sim.state(file), FileState::Success, "{:?}", events_of(&sim, file));
}

#[test]
fn a_file_fails_if_vod_keeps_issuing_expired_credentials() {
    for name in ["a.mp4", "a.png"] {
        let mut sim = Simulation::new();
        sim.app.credentials = Some(Credentials::Sts);
        sim.world.vod.credential_ttl = Duration::ZERO;
        let file = sim.add(Simulation::file(name, LEN)).unwrap();
        sim.start();
        sim.run();
        let FileState::Failure(error) = sim.state(file) else { panic!("{name}") };
        assert_eq!(error.kind(), ErrorKind::CredentialExpired, "{name}");
        assert_eq!(count(&sim, "token-expired"), 2, "{name}");
    }
}

/// Asserts that the file started again without its media ID and is complete under another.
fn assert_restarted(sim: &Simulation, file: FileId, deleted: Option<String>) {
    assert_eq!(sim.state(file), FileState::Success, "{:?}", events_of(sim, file));
    assert_eq!(sim.events.iter().filter(|event| event.is_last_of_file()).count(), {
        1 + count(sim, "stopped")
    });
    assert_eq!(resumed_from(sim, file), None);
    let media_id = info(sim, file).media_id;
    assert!(media_id.is_some() && media_id != deleted);
    assert_eq!(sim.world.store.objects.len(), 1);
    assert_no_records(sim);
}
