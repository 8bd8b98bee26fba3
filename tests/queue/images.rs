//! Pictures, whose credentials have no refresh: a new one is for another object.

use vod_uploader::error::ErrorKind;
use vod_uploader::queue::{Event, FileState};
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::{Credentials, World};

use crate::actions::{go_on, info, renew, run_half_way};
use crate::event_queries::{count, events_of};
use crate::fixture::LEN;

#[test]
fn a_picture_whose_credential_ends_starts_again_as_another() {
    for mode in [Credentials::Server, Credentials::Sts] {
        let mut world = World::new();
        world.app.credentials = Some(mode);
        let file = world.add(World::file("a.png", LEN)).unwrap();
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
        // With a token VOD is asked for another without a word to the app.
        let asked = usize::from(mode == Credentials::Server);
        assert_eq!(count(&world, "token-expired"), asked, "{mode:?}");
        assert!(world.kv.values.is_empty(), "{mode:?}");
    }
}

#[test]
fn a_picture_s_expired_credential_cannot_be_renewed_without_a_new_address() {
    let mut world = World::new();
    let file = world.add(World::file("a.png", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    world.app.credentials = None;
    world.store.keys.clear();
    world.run();
    let Some(Event::TokenExpired(expiry)) = world.events.last() else { panic!("not asked for") };
    assert_eq!(expiry.media_id, None);
    let other = world.created(MediaKind::Image);
    let refused = renew(&mut world, file, &other.auth).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::CredentialNotRefreshable);
    world.hand_in(file, &other).unwrap();
    // From here on it is this object's, also while what was stored of the first is deleted.
    let third = world.created(MediaKind::Image);
    let refused = world.hand_in(file, &third).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::CredentialForOtherObject);
    world.run();
    assert_eq!(world.state(file), FileState::Success);
    assert_eq!(info(&world, file).media_id, Some(other.media_id));
}

#[test]
fn a_url_that_vod_told_is_that_of_the_media_that_was_uploaded() {
    let mut world = World::new();
    world.app.credentials = Some(Credentials::Sts);
    let file = world.add(World::file("a.png", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    world.cancel(file).unwrap();
    world.run();
    world.resume(file).unwrap();
    world.app.credentials = Some(Credentials::Server);
    go_on(&mut world);
    let urls = world.events.iter().filter_map(|event| match event {
        Event::Succeeded(succeeded) => Some(succeeded.media_url.clone()),
        _ => None,
    });
    assert_eq!(urls.collect::<Vec<_>>(), [None]);
}

#[test]
fn a_picture_that_was_stopped_continues_with_its_credential_as_long_as_that_lives() {
    let mut world = World::new();
    world.app.credentials = Some(Credentials::Sts);
    let file = world.add(World::file("a.png", LEN)).unwrap();
    world.start();
    run_half_way(&mut world, file);
    let before = info(&world, file);
    world.stop();
    world.run();
    go_on(&mut world);
    assert_eq!(world.state(file), FileState::Success, "{:?}", events_of(&world, file));
    assert_eq!(info(&world, file).media_id, before.media_id);
    assert_eq!(world.vod.media.len(), 1);
    assert!(world.store.uploads.is_empty());
}
