//! UploadAddress and UploadAuth supplied by the app: accepted, rejected, renewed, kept.

use std::time::Duration;

use vod_uploader::error::ErrorKind;
use vod_uploader::queue::{Event, FileState, UploadingPhase};
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::{Credentials, Fault, Grant, Operation, Simulation};

use crate::actions::{info, renew, run_half_way, run_to, run_to_completion, supply};
use crate::event_queries::{all_events, count, events_of, resumed_from};
use crate::fixture::LEN;

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn a_credential_can_be_renewed_long_before_it_expires() {
    let mut world = Simulation::new();
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    let keys: Vec<_> = world.store.keys.keys().cloned().collect();
    let grant = world.refreshed(&info(&world, file).media_id.unwrap()).unwrap();
    renew(&mut world, file, &grant.auth).unwrap();
    // Requests signed with the first one are sent again, and the app is not asked.
    world.store.keys.retain(|key, _| !keys.contains(key));
    world.app.credentials = None;
    world.run();
    assert_eq!(world.state(file), FileState::Success);
    assert_eq!(count(&world, "token-expired") + count(&world, "token-expiring"), 0);
}

#[test]
fn an_expiring_credential_is_renewed_while_it_is_in_use() {
    let mut world = Simulation::new();
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    world.now = world.now + Duration::from_secs(2_800);
    world.run();
    assert_eq!(world.state(file), FileState::Success);
    assert_eq!(count(&world, "token-expiring"), 1);
    assert_eq!(count(&world, "token-expired"), 0);
}

#[test]
fn a_credential_for_another_object_is_rejected_in_every_phase() {
    for phase in [
        UploadingPhase::Starting,
        UploadingPhase::AwaitingSource,
        UploadingPhase::Transferring,
        UploadingPhase::TokenExpired,
    ] {
        let mut world = Simulation::new();
        world.app.supplies = false;
        let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
        world.start();
        run_to(&mut world, file, UploadingPhase::AwaitingCredential);
        run_to(&mut world, file, UploadingPhase::Starting);
        if phase != UploadingPhase::Starting {
            world.run();
        }
        if phase == UploadingPhase::TokenExpired {
            world.app.credentials = None;
            world.store.keys.clear();
        }
        if matches!(phase, UploadingPhase::Transferring | UploadingPhase::TokenExpired) {
            supply(&mut world, file, 0).unwrap();
            run_to(&mut world, file, phase);
        }
        assert_eq!(world.state(file), FileState::Uploading(phase));
        let other = world.created(MediaKind::Video);
        let rejected = world.hand_in(file, &other).unwrap_err();
        assert_eq!(rejected.kind(), ErrorKind::CredentialForOtherObject, "{phase:?}");
        world.app.supplies = true;
        world.app.credentials = Some(Credentials::Server);
        run_to_completion(&mut world);
        assert_eq!(world.state(file), FileState::Success, "{phase:?}");
        let first = world.vod.media.values().next().unwrap().object.clone();
        let objects: Vec<_> = world.store.objects.keys().cloned().collect();
        assert_eq!(objects, [first], "{phase:?}");
        assert_ne!(info(&world, file).media_id, Some(other.media_id), "{phase:?}");
    }
}

#[test]
fn a_file_with_a_checkpoint_rejects_a_credential_for_another_object() {
    let mut world = Simulation::new();
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    world.stop();
    world.run();
    let other = world.created(MediaKind::Video);
    let rejected = world.hand_in(file, &other).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::CredentialForOtherObject);
    // A credential supplied before the checkpoint is known fails the file and is not used.
    world.crash();
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.hand_in(file, &other).unwrap();
    world.start();
    world.run();
    let FileState::Failure(error) = world.state(file) else { panic!("{:?}", world.state(file)) };
    assert_eq!(error.kind(), ErrorKind::CredentialForOtherObject);
    assert!(world.store.objects.is_empty());
    run_to_completion(&mut world);
    assert_eq!(world.state(file), FileState::Success);
    assert!(resumed_from(&world, file).unwrap() > 0);
}

#[test]
fn invalid_credentials_are_rejected_without_effect() {
    let mut world = Simulation::new();
    world.app.credentials = None;
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.start();
    world.run();
    let before = world.state(file);
    let seen = world.events.len();
    let grant = world.created(MediaKind::Video);
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
        assert_eq!(world.hand_in(file, &given).unwrap_err().kind(), kind);
    }
    world.vod.life = Duration::ZERO;
    let expired = world.created(MediaKind::Video);
    assert_eq!(world.hand_in(file, &expired).unwrap_err().kind(), ErrorKind::CredentialExpired);
    assert_eq!(world.state(file), before);
    assert_eq!(world.events.len(), seen);
    world.hand_in(file, &grant).unwrap();
    world.run();
    assert_eq!(world.state(file), FileState::Success);
}

#[test]
fn the_address_of_add_file_overrides_the_upload_address() {
    let mut world = Simulation::new();
    let mut planned = Simulation::file("a.mp4", LEN);
    planned.new.endpoint = Some("https://oss-cn-beijing.aliyuncs.com".into());
    planned.new.bucket = Some("my-bucket".into());
    planned.new.object = Some("mine/a.mp4".into());
    let file = world.add(planned).unwrap();
    world.start();
    world.run();
    let Some(Event::Succeeded(succeeded)) = world.events.iter().rev().nth(1) else {
        panic!("{:?}", all_events(&world))
    };
    assert_eq!(succeeded.endpoint, "https://oss-cn-beijing.aliyuncs.com");
    assert_eq!(succeeded.bucket, "my-bucket");
    assert_eq!(succeeded.object, "mine/a.mp4");
    assert!(world.store.objects.contains_key("mine/a.mp4"));
    let listed = info(&world, file);
    assert_eq!(listed.endpoint.as_ref(), Some(&succeeded.endpoint));
    assert_eq!(listed.bucket.as_ref(), Some(&succeeded.bucket));
}

#[test]
fn the_list_shows_the_object_during_and_after_the_upload() {
    let mut world = Simulation::new();
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.start();
    assert_eq!(info(&world, file).object, None);
    run_half_way(&mut world, file);
    let half_way = info(&world, file);
    let object = world.vod.media.values().next().unwrap().object.clone();
    assert_eq!(half_way.object, Some(object));
    world.run();
    let complete = info(&world, file);
    assert_eq!((complete.endpoint, complete.bucket), (half_way.endpoint, half_way.bucket));
    assert_eq!((complete.object, complete.media_id), (half_way.object, half_way.media_id));
}

#[test]
fn a_credential_that_expired_before_the_start_is_refreshed_for_the_same_media() {
    let mut world = Simulation::new();
    world.app.credentials = None;
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    let grant = world.created(MediaKind::Video);
    world.hand_in(file, &grant).unwrap();
    world.now = world.now + HOUR;
    world.start();
    world.run();
    assert_eq!(world.state(file), FileState::Uploading(UploadingPhase::TokenExpired));
    let Some(Event::TokenExpired(expiry)) = world.events.last() else { panic!("not asked for") };
    assert_eq!(expiry.media_id, Some(grant.media_id.clone()));
    let refreshed = world.refreshed(&grant.media_id).unwrap();
    renew(&mut world, file, &refreshed.auth).unwrap();
    world.run();
    assert_eq!(world.state(file), FileState::Success);
    assert_eq!(info(&world, file).media_id, Some(grant.media_id));
}

#[test]
fn a_file_fails_after_repeated_credential_rejections() {
    let mut world = Simulation::new();
    let fault = Fault::Refused(403, "InvalidAccessKeyId");
    world.store.faults.always(Operation::UploadPart, fault);
    let file = world.add(Simulation::file("a.mp4", LEN)).unwrap();
    world.start();
    world.run();
    assert_eq!(events_of(&world, file).last().unwrap(), "failed credential-rejected");
    assert_eq!(count(&world, "token-expired"), 2);
}
