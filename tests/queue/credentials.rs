//! UploadAddress and UploadAuth supplied by the app: accepted, rejected, renewed, kept.

use std::time::Duration;

use vod_uploader::error::ErrorKind;
use vod_uploader::queue::{Event, FileState, UploadingPhase};
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::queue::{Credentials, Simulation};
use vod_uploader_sim::{Fault, Grant, Operation};

use crate::actions::{
    half_way, info, renew, run_half_way, run_to, run_to_completion, supply, video, with_video,
};
use crate::event_queries::{all_events, count, events_of, resumed_from};

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn a_credential_can_be_renewed_long_before_it_expires() {
    let (mut sim, file) = half_way();
    let keys: Vec<_> = sim.world.store.keys.keys().cloned().collect();
    let grant = sim.world.refresh_media(&info(&sim, file).media_id.unwrap()).unwrap();
    renew(&mut sim, file, &grant.auth).unwrap();
    // Requests signed with the first one are sent again, and the app is not asked.
    sim.world.store.keys.retain(|key, _| !keys.contains(key));
    sim.app.credentials = None;
    sim.run();
    assert_eq!(sim.state(file), FileState::Success);
    assert_eq!(count(&sim, "token-expired") + count(&sim, "token-expiring"), 0);
}

#[test]
fn an_expiring_credential_is_renewed_while_it_is_in_use() {
    let (mut sim, file) = half_way();
    sim.world.clock.advance(Duration::from_secs(2_800));
    sim.run();
    assert_eq!(sim.state(file), FileState::Success);
    assert_eq!(count(&sim, "token-expiring"), 1);
    assert_eq!(count(&sim, "token-expired"), 0);
}

#[test]
fn a_credential_for_another_object_is_rejected_in_every_phase() {
    for phase in [
        UploadingPhase::Starting,
        UploadingPhase::AwaitingSource,
        UploadingPhase::Transferring,
        UploadingPhase::TokenExpired,
    ] {
        let mut sim = Simulation::new();
        sim.app.supplies = false;
        let file = sim.add(video()).unwrap();
        sim.start();
        run_to(&mut sim, file, UploadingPhase::AwaitingCredential);
        run_to(&mut sim, file, UploadingPhase::Starting);
        if phase != UploadingPhase::Starting {
            sim.run();
        }
        if phase == UploadingPhase::TokenExpired {
            sim.app.credentials = None;
            sim.world.store.keys.clear();
        }
        if matches!(phase, UploadingPhase::Transferring | UploadingPhase::TokenExpired) {
            supply(&mut sim, file, 0).unwrap();
            run_to(&mut sim, file, phase);
        }
        assert_eq!(sim.state(file), FileState::Uploading(phase));
        let other = sim.world.create_media(MediaKind::Video);
        let rejected = sim.set_credential(file, &other).unwrap_err();
        assert_eq!(rejected.kind(), ErrorKind::CredentialForOtherObject, "{phase:?}");
        sim.app.supplies = true;
        sim.app.credentials = Some(Credentials::Server);
        run_to_completion(&mut sim);
        assert_eq!(sim.state(file), FileState::Success, "{phase:?}");
        let first = sim.world.vod.media.values().next().unwrap().object.clone();
        let objects: Vec<_> = sim.world.store.objects.keys().cloned().collect();
        assert_eq!(objects, [first], "{phase:?}");
        assert_ne!(info(&sim, file).media_id, Some(other.media_id), "{phase:?}");
    }
}

#[test]
fn a_file_with_a_checkpoint_rejects_a_credential_for_another_object() {
    let (mut sim, file) = half_way();
    sim.stop();
    sim.run();
    let other = sim.world.create_media(MediaKind::Video);
    let rejected = sim.set_credential(file, &other).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::CredentialForOtherObject);
    // A credential supplied before the checkpoint is known fails the file and is not used.
    sim.crash();
    let file = sim.add(video()).unwrap();
    sim.set_credential(file, &other).unwrap();
    sim.start();
    sim.run();
    let FileState::Failure(error) = sim.state(file) else { panic!("{:?}", sim.state(file)) };
    assert_eq!(error.kind(), ErrorKind::CredentialForOtherObject);
    assert!(sim.world.store.objects.is_empty());
    run_to_completion(&mut sim);
    assert_eq!(sim.state(file), FileState::Success);
    assert!(resumed_from(&sim, file).unwrap() > 0);
}

#[test]
fn invalid_credentials_are_rejected_without_effect() {
    let mut sim = Simulation::new();
    sim.app.credentials = None;
    let file = sim.add(video()).unwrap();
    sim.start();
    sim.run();
    let before = sim.state(file);
    let seen = sim.events.len();
    let grant = sim.world.create_media(MediaKind::Video);
    let swapped =
        Grant { auth: grant.address.clone(), address: grant.auth.clone(), ..grant.clone() };
    let garbage = |text: &str| Grant { auth: text.into(), ..grant.clone() };
    let id = Grant { media_id: "a b".into(), ..grant.clone() };
    for (given, kind) in [
        (swapped, ErrorKind::CredentialsSwapped),
        (garbage(""), ErrorKind::CredentialInvalid),
        (garbage("not base64"), ErrorKind::CredentialInvalid),
        (garbage("bnVsbA=="), ErrorKind::CredentialInvalid),
        (Grant { address: "e30=".into(), ..grant.clone() }, ErrorKind::CredentialInvalid),
        (id, ErrorKind::RequestInvalid),
    ] {
        assert_eq!(sim.set_credential(file, &given).unwrap_err().kind(), kind);
    }
    sim.world.vod.credential_ttl = Duration::ZERO;
    let expired = sim.world.create_media(MediaKind::Video);
    assert_eq!(
        sim.set_credential(file, &expired).unwrap_err().kind(),
        ErrorKind::CredentialExpired
    );
    assert_eq!(sim.state(file), before);
    assert_eq!(sim.events.len(), seen);
    sim.set_credential(file, &grant).unwrap();
    sim.run();
    assert_eq!(sim.state(file), FileState::Success);
}

#[test]
fn the_address_of_add_file_overrides_the_upload_address() {
    let mut sim = Simulation::new();
    let mut planned = video();
    planned.new.endpoint = Some("https://oss-cn-beijing.aliyuncs.com".into());
    planned.new.bucket = Some("my-bucket".into());
    planned.new.object = Some("mine/a.mp4".into());
    let file = sim.add(planned).unwrap();
    sim.start();
    sim.run();
    let Some(Event::Succeeded(succeeded)) = sim.events.iter().rev().nth(1) else {
        panic!("{:?}", all_events(&sim))
    };
    assert_eq!(succeeded.endpoint, "https://oss-cn-beijing.aliyuncs.com");
    assert_eq!(succeeded.bucket, "my-bucket");
    assert_eq!(succeeded.object, "mine/a.mp4");
    assert!(sim.world.store.objects.contains_key("mine/a.mp4"));
    let listed = info(&sim, file);
    assert_eq!(listed.endpoint.as_ref(), Some(&succeeded.endpoint));
    assert_eq!(listed.bucket.as_ref(), Some(&succeeded.bucket));
}

#[test]
fn the_list_shows_the_object_during_and_after_the_upload() {
    let (mut sim, file) = with_video();
    sim.start();
    assert_eq!(info(&sim, file).object, None);
    run_half_way(&mut sim, file);
    let half_way = info(&sim, file);
    let object = sim.world.vod.media.values().next().unwrap().object.clone();
    assert_eq!(half_way.object, Some(object));
    sim.run();
    let complete = info(&sim, file);
    assert_eq!((complete.endpoint, complete.bucket), (half_way.endpoint, half_way.bucket));
    assert_eq!((complete.object, complete.media_id), (half_way.object, half_way.media_id));
}

#[test]
fn a_credential_that_expired_before_the_start_is_refreshed_for_the_same_media() {
    let mut sim = Simulation::new();
    sim.app.credentials = None;
    let file = sim.add(video()).unwrap();
    let grant = sim.world.create_media(MediaKind::Video);
    sim.set_credential(file, &grant).unwrap();
    sim.world.clock.advance(HOUR);
    sim.start();
    sim.run();
    assert_eq!(sim.state(file), FileState::Uploading(UploadingPhase::TokenExpired));
    let Some(Event::TokenExpired(expiry)) = sim.events.last() else {
        panic!("no credential requested")
    };
    assert_eq!(expiry.media_id, Some(grant.media_id.clone()));
    let refreshed = sim.world.refresh_media(&grant.media_id).unwrap();
    renew(&mut sim, file, &refreshed.auth).unwrap();
    sim.run();
    assert_eq!(sim.state(file), FileState::Success);
    assert_eq!(info(&sim, file).media_id, Some(grant.media_id));
}

#[test]
fn a_file_fails_after_repeated_credential_rejections() {
    let mut sim = Simulation::new();
    let fault = Fault::Refused(403, "InvalidAccessKeyId");
    sim.world.store.faults.always(Operation::UploadPart, fault);
    let file = sim.add(video()).unwrap();
    sim.start();
    sim.run();
    assert_eq!(events_of(&sim, file).last().unwrap(), "failed credential-rejected");
    assert_eq!(count(&sim, "token-expired"), 2);
}
