//! UploadAddress and UploadAuth supplied by the app: accepted, rejected, renewed, kept.

use std::time::Duration;

use vod_uploader::error::ErrorKind;
use vod_uploader::queue::{Event, FileState, UploadingPhase};
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::queue::{Credentials, Simulation};
use vod_uploader_sim::{Fault, Grant, Operation};

use crate::actions::{info, renew, run_half_way, run_to, run_to_completion, supply};
use crate::event_queries::{all_events, count, events_of, resumed_from};
use crate::fixture::LEN;

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn a_credential_can_be_renewed_long_before_it_expires() {
    let mut simulation = Simulation::new();
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    run_half_way(&mut simulation, file);
    let keys: Vec<_> = simulation.world.store.keys.keys().cloned().collect();
    let grant = simulation.world.refresh_media(&info(&simulation, file).media_id.unwrap()).unwrap();
    renew(&mut simulation, file, &grant.auth).unwrap();
    // Requests signed with the first one are sent again, and the app is not asked.
    simulation.world.store.keys.retain(|key, _| !keys.contains(key));
    simulation.app.credentials = None;
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Success);
    assert_eq!(count(&simulation, "token-expired") + count(&simulation, "token-expiring"), 0);
}

#[test]
fn an_expiring_credential_is_renewed_while_it_is_in_use() {
    let mut simulation = Simulation::new();
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    run_half_way(&mut simulation, file);
    simulation.world.clock.advance(Duration::from_secs(2_800));
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Success);
    assert_eq!(count(&simulation, "token-expiring"), 1);
    assert_eq!(count(&simulation, "token-expired"), 0);
}

#[test]
fn a_credential_for_another_object_is_rejected_in_every_phase() {
    for phase in [
        UploadingPhase::Starting,
        UploadingPhase::AwaitingSource,
        UploadingPhase::Transferring,
        UploadingPhase::TokenExpired,
    ] {
        let mut simulation = Simulation::new();
        simulation.app.supplies = false;
        let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
        simulation.start();
        run_to(&mut simulation, file, UploadingPhase::AwaitingCredential);
        run_to(&mut simulation, file, UploadingPhase::Starting);
        if phase != UploadingPhase::Starting {
            simulation.run();
        }
        if phase == UploadingPhase::TokenExpired {
            simulation.app.credentials = None;
            simulation.world.store.keys.clear();
        }
        if matches!(phase, UploadingPhase::Transferring | UploadingPhase::TokenExpired) {
            supply(&mut simulation, file, 0).unwrap();
            run_to(&mut simulation, file, phase);
        }
        assert_eq!(simulation.state(file), FileState::Uploading(phase));
        let other = simulation.world.create_media(MediaKind::Video);
        let rejected = simulation.set_credential(file, &other).unwrap_err();
        assert_eq!(rejected.kind(), ErrorKind::CredentialForOtherObject, "{phase:?}");
        simulation.app.supplies = true;
        simulation.app.credentials = Some(Credentials::Server);
        run_to_completion(&mut simulation);
        assert_eq!(simulation.state(file), FileState::Success, "{phase:?}");
        let first = simulation.world.vod.media.values().next().unwrap().object.clone();
        let objects: Vec<_> = simulation.world.store.objects.keys().cloned().collect();
        assert_eq!(objects, [first], "{phase:?}");
        assert_ne!(info(&simulation, file).media_id, Some(other.media_id), "{phase:?}");
    }
}

#[test]
fn a_file_with_a_checkpoint_rejects_a_credential_for_another_object() {
    let mut simulation = Simulation::new();
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    run_half_way(&mut simulation, file);
    simulation.stop();
    simulation.run();
    let other = simulation.world.create_media(MediaKind::Video);
    let rejected = simulation.set_credential(file, &other).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::CredentialForOtherObject);
    // A credential supplied before the checkpoint is known fails the file and is not used.
    simulation.crash();
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.set_credential(file, &other).unwrap();
    simulation.start();
    simulation.run();
    let FileState::Failure(error) = simulation.state(file) else {
        panic!("{:?}", simulation.state(file))
    };
    assert_eq!(error.kind(), ErrorKind::CredentialForOtherObject);
    assert!(simulation.world.store.objects.is_empty());
    run_to_completion(&mut simulation);
    assert_eq!(simulation.state(file), FileState::Success);
    assert!(resumed_from(&simulation, file).unwrap() > 0);
}

#[test]
fn invalid_credentials_are_rejected_without_effect() {
    let mut simulation = Simulation::new();
    simulation.app.credentials = None;
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    simulation.run();
    let before = simulation.state(file);
    let seen = simulation.events.len();
    let grant = simulation.world.create_media(MediaKind::Video);
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
        assert_eq!(simulation.set_credential(file, &given).unwrap_err().kind(), kind);
    }
    simulation.world.vod.credential_ttl = Duration::ZERO;
    let expired = simulation.world.create_media(MediaKind::Video);
    assert_eq!(
        simulation.set_credential(file, &expired).unwrap_err().kind(),
        ErrorKind::CredentialExpired
    );
    assert_eq!(simulation.state(file), before);
    assert_eq!(simulation.events.len(), seen);
    simulation.set_credential(file, &grant).unwrap();
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Success);
}

#[test]
fn the_address_of_add_file_overrides_the_upload_address() {
    let mut simulation = Simulation::new();
    let mut planned = Simulation::file("a.mp4", LEN);
    planned.new.endpoint = Some("https://oss-cn-beijing.aliyuncs.com".into());
    planned.new.bucket = Some("my-bucket".into());
    planned.new.object = Some("mine/a.mp4".into());
    let file = simulation.add(planned).unwrap();
    simulation.start();
    simulation.run();
    let Some(Event::Succeeded(succeeded)) = simulation.events.iter().rev().nth(1) else {
        panic!("{:?}", all_events(&simulation))
    };
    assert_eq!(succeeded.endpoint, "https://oss-cn-beijing.aliyuncs.com");
    assert_eq!(succeeded.bucket, "my-bucket");
    assert_eq!(succeeded.object, "mine/a.mp4");
    assert!(simulation.world.store.objects.contains_key("mine/a.mp4"));
    let listed = info(&simulation, file);
    assert_eq!(listed.endpoint.as_ref(), Some(&succeeded.endpoint));
    assert_eq!(listed.bucket.as_ref(), Some(&succeeded.bucket));
}

#[test]
fn the_list_shows_the_object_during_and_after_the_upload() {
    let mut simulation = Simulation::new();
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    assert_eq!(info(&simulation, file).object, None);
    run_half_way(&mut simulation, file);
    let half_way = info(&simulation, file);
    let object = simulation.world.vod.media.values().next().unwrap().object.clone();
    assert_eq!(half_way.object, Some(object));
    simulation.run();
    let complete = info(&simulation, file);
    assert_eq!((complete.endpoint, complete.bucket), (half_way.endpoint, half_way.bucket));
    assert_eq!((complete.object, complete.media_id), (half_way.object, half_way.media_id));
}

#[test]
fn a_credential_that_expired_before_the_start_is_refreshed_for_the_same_media() {
    let mut simulation = Simulation::new();
    simulation.app.credentials = None;
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    let grant = simulation.world.create_media(MediaKind::Video);
    simulation.set_credential(file, &grant).unwrap();
    simulation.world.clock.advance(HOUR);
    simulation.start();
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Uploading(UploadingPhase::TokenExpired));
    let Some(Event::TokenExpired(expiry)) = simulation.events.last() else {
        panic!("not asked for")
    };
    assert_eq!(expiry.media_id, Some(grant.media_id.clone()));
    let refreshed = simulation.world.refresh_media(&grant.media_id).unwrap();
    renew(&mut simulation, file, &refreshed.auth).unwrap();
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Success);
    assert_eq!(info(&simulation, file).media_id, Some(grant.media_id));
}

#[test]
fn a_file_fails_after_repeated_credential_rejections() {
    let mut simulation = Simulation::new();
    let fault = Fault::Refused(403, "InvalidAccessKeyId");
    simulation.world.store.faults.always(Operation::UploadPart, fault);
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    simulation.run();
    assert_eq!(events_of(&simulation, file).last().unwrap(), "failed credential-rejected");
    assert_eq!(count(&simulation, "token-expired"), 2);
}
