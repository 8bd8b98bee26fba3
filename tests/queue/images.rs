//! Images, whose credentials cannot be refreshed: a new one is for another object.

use vod_uploader::error::ErrorKind;
use vod_uploader::queue::{Event, FileState};
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::queue::{Credentials, PlannedFile, Simulation};

use crate::actions::{LEN, half_way_of, info, renew, run_to_completion};
use crate::event_queries::{count, events_of};

#[test]
fn an_image_whose_credential_expires_restarts_as_new_media() {
    for mode in [Credentials::Server, Credentials::Sts] {
        let (mut sim, file) = half_way_of(image(), mode);
        let before = info(&sim, file);
        sim.world.store.keys.clear();
        sim.run();
        assert_eq!(sim.state(file), FileState::Success, "{:?}", events_of(&sim, file));
        let after = info(&sim, file);
        assert_eq!(sim.world.vod.media.len(), 2, "{mode:?}");
        assert_ne!(after.media_id, before.media_id);
        let objects: Vec<_> = sim.world.store.objects.keys().cloned().collect();
        assert_eq!(objects, [after.object.unwrap()], "{mode:?}");
        // With a token, the queue requests another credential from VOD without the app.
        let requests = usize::from(mode == Credentials::Server);
        assert_eq!(count(&sim, "token-expired"), requests, "{mode:?}");
        assert!(sim.world.kv.values.is_empty(), "{mode:?}");
    }
}

#[test]
fn an_expired_image_credential_cannot_be_renewed_without_a_new_address() {
    let (mut sim, file) = half_way_of(image(), Credentials::Server);
    sim.app.credentials = None;
    sim.world.store.keys.clear();
    sim.run();
    let Some(Event::TokenExpired(expiry)) = sim.events.last() else {
        panic!("no credential requested")
    };
    assert_eq!(expiry.media_id, None);
    let other = sim.world.create_media(MediaKind::Image);
    let rejected = renew(&mut sim, file, &other.auth).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::CredentialNotRefreshable);
    sim.set_credential(file, &other).unwrap();
    // The file is bound to this object, even while the records of the first are deleted.
    let third = sim.world.create_media(MediaKind::Image);
    let rejected = sim.set_credential(file, &third).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::CredentialForOtherObject);
    sim.run();
    assert_eq!(sim.state(file), FileState::Success);
    assert_eq!(info(&sim, file).media_id, Some(other.media_id));
}

#[test]
fn the_media_url_of_a_canceled_upload_is_not_reported_for_the_next_one() {
    let (mut sim, file) = half_way_of(image(), Credentials::Sts);
    sim.cancel(file).unwrap();
    sim.run();
    sim.resume(file).unwrap();
    sim.app.credentials = Some(Credentials::Server);
    run_to_completion(&mut sim);
    let urls = sim.events.iter().filter_map(|event| match event {
        Event::Succeeded(succeeded) => Some(succeeded.media_url.clone()),
        _ => None,
    });
    assert_eq!(urls.collect::<Vec<_>>(), [None]);
}

#[test]
fn a_stopped_image_resumes_with_its_credential_until_it_expires() {
    let (mut sim, file) = half_way_of(image(), Credentials::Sts);
    let before = info(&sim, file);
    sim.stop();
    sim.run();
    run_to_completion(&mut sim);
    assert_eq!(sim.state(file), FileState::Success, "{:?}", events_of(&sim, file));
    assert_eq!(info(&sim, file).media_id, before.media_id);
    assert_eq!(sim.world.vod.media.len(), 1);
    assert!(sim.world.store.uploads.is_empty());
}

fn image() -> PlannedFile {
    Simulation::file("a.png", LEN)
}
