//! Images, whose credentials cannot be refreshed: a new one is for another object.

use vod_uploader::error::ErrorKind;
use vod_uploader::queue::{Event, FileState};
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::{Credentials, Simulation};

use crate::actions::{info, renew, run_half_way, run_to_completion};
use crate::event_queries::{count, events_of};
use crate::fixture::LEN;

#[test]
fn an_image_whose_credential_expires_restarts_as_new_media() {
    for mode in [Credentials::Server, Credentials::Sts] {
        let mut world = Simulation::new();
        world.app.credentials = Some(mode);
        let file = world.add(Simulation::file("a.png", LEN)).unwrap();
        world.start();
        run_half_way(&mut world, file);
        let before = info(&world, file);
        world.store.keys.clear();
        world.run();
        assert_eq!(world.state(file), FileState::Success, "{:?}", events_of(&world, file));
        let after = info(&world, file);
        assert_eq!(world.vod.media.len(), 2, "{mode:?}");
        assert_ne!(after.media_id, before.media_id);
        let objects: Vec<_> = world.store.objects.keys().cloned().collect();
        assert_eq!(objects, [after.object.unwrap()], "{mode:?}");
        // With a token, the queue requests another from VOD without the app.
        let asked = usize::from(mode == Credentials::Server);
        assert_eq!(count(&world, "token-expired"), asked, "{mode:?}");
        assert!(world.kv.values.is_empty(), "{mode:?}");
    }
}

#[test]
fn an_expired_image_credential_cannot_be_renewed_without_a_new_address() {
    let mut world = Simulation::new();
    let file = world.add(Simulation::file("a.png", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    world.app.credentials = None;
    world.store.keys.clear();
    world.run();
    let Some(Event::TokenExpired(expiry)) = world.events.last() else { panic!("not asked for") };
    assert_eq!(expiry.media_id, None);
    let other = world.created(MediaKind::Image);
    let rejected = renew(&mut world, file, &other.auth).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::CredentialNotRefreshable);
    world.hand_in(file, &other).unwrap();
    // The file is bound to this object, even while the records of the first are deleted.
    let third = world.created(MediaKind::Image);
    let rejected = world.hand_in(file, &third).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::CredentialForOtherObject);
    world.run();
    assert_eq!(world.state(file), FileState::Success);
    assert_eq!(info(&world, file).media_id, Some(other.media_id));
}

#[test]
fn the_media_url_of_a_canceled_upload_is_not_reported_for_the_next_one() {
    let mut world = Simulation::new();
    world.app.credentials = Some(Credentials::Sts);
    let file = world.add(Simulation::file("a.png", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    world.cancel(file).unwrap();
    world.run();
    world.resume(file).unwrap();
    world.app.credentials = Some(Credentials::Server);
    run_to_completion(&mut world);
    let urls = world.events.iter().filter_map(|event| match event {
        Event::Succeeded(succeeded) => Some(succeeded.media_url.clone()),
        _ => None,
    });
    assert_eq!(urls.collect::<Vec<_>>(), [None]);
}

#[test]
fn a_stopped_image_resumes_with_its_credential_until_it_expires() {
    let mut world = Simulation::new();
    world.app.credentials = Some(Credentials::Sts);
    let file = world.add(Simulation::file("a.png", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    let before = info(&world, file);
    world.stop();
    world.run();
    run_to_completion(&mut world);
    assert_eq!(world.state(file), FileState::Success, "{:?}", events_of(&world, file));
    assert_eq!(info(&world, file).media_id, before.media_id);
    assert_eq!(world.vod.media.len(), 1);
    assert!(world.store.uploads.is_empty());
}
