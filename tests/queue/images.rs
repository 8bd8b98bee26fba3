//! Images, whose credentials cannot be refreshed: a new one is for another object.

use vod_uploader::error::ErrorKind;
use vod_uploader::queue::{Event, FileState};
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::queue::{Credentials, Simulation};

use crate::actions::{info, renew, run_half_way, run_to_completion};
use crate::event_queries::{count, events_of};
use crate::fixture::LEN;

#[test]
fn an_image_whose_credential_expires_restarts_as_new_media() {
    for mode in [Credentials::Server, Credentials::Sts] {
        let mut simulation = Simulation::new();
        simulation.app.credentials = Some(mode);
        let file = simulation.add(Simulation::file("a.png", LEN)).unwrap();
        simulation.start();
        run_half_way(&mut simulation, file);
        let before = info(&simulation, file);
        simulation.world.store.keys.clear();
        simulation.run();
        assert_eq!(
            simulation.state(file),
            FileState::Success,
            "{:?}",
            events_of(&simulation, file)
        );
        let after = info(&simulation, file);
        assert_eq!(simulation.world.vod.media.len(), 2, "{mode:?}");
        assert_ne!(after.media_id, before.media_id);
        let objects: Vec<_> = simulation.world.store.objects.keys().cloned().collect();
        assert_eq!(objects, [after.object.unwrap()], "{mode:?}");
        // With a token, the queue requests another from VOD without the app.
        let asked = usize::from(mode == Credentials::Server);
        assert_eq!(count(&simulation, "token-expired"), asked, "{mode:?}");
        assert!(simulation.world.kv.values.is_empty(), "{mode:?}");
    }
}

#[test]
fn an_expired_image_credential_cannot_be_renewed_without_a_new_address() {
    let mut simulation = Simulation::new();
    let file = simulation.add(Simulation::file("a.png", LEN)).unwrap();
    simulation.start();
    run_half_way(&mut simulation, file);
    simulation.app.credentials = None;
    simulation.world.store.keys.clear();
    simulation.run();
    let Some(Event::TokenExpired(expiry)) = simulation.events.last() else {
        panic!("not asked for")
    };
    assert_eq!(expiry.media_id, None);
    let other = simulation.world.create_media(MediaKind::Image);
    let rejected = renew(&mut simulation, file, &other.auth).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::CredentialNotRefreshable);
    simulation.set_credential(file, &other).unwrap();
    // The file is bound to this object, even while the records of the first are deleted.
    let third = simulation.world.create_media(MediaKind::Image);
    let rejected = simulation.set_credential(file, &third).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::CredentialForOtherObject);
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Success);
    assert_eq!(info(&simulation, file).media_id, Some(other.media_id));
}

#[test]
fn the_media_url_of_a_canceled_upload_is_not_reported_for_the_next_one() {
    let mut simulation = Simulation::new();
    simulation.app.credentials = Some(Credentials::Sts);
    let file = simulation.add(Simulation::file("a.png", LEN)).unwrap();
    simulation.start();
    run_half_way(&mut simulation, file);
    simulation.cancel(file).unwrap();
    simulation.run();
    simulation.resume(file).unwrap();
    simulation.app.credentials = Some(Credentials::Server);
    run_to_completion(&mut simulation);
    let urls = simulation.events.iter().filter_map(|event| match event {
        Event::Succeeded(succeeded) => Some(succeeded.media_url.clone()),
        _ => None,
    });
    assert_eq!(urls.collect::<Vec<_>>(), [None]);
}

#[test]
fn a_stopped_image_resumes_with_its_credential_until_it_expires() {
    let mut simulation = Simulation::new();
    simulation.app.credentials = Some(Credentials::Sts);
    let file = simulation.add(Simulation::file("a.png", LEN)).unwrap();
    simulation.start();
    run_half_way(&mut simulation, file);
    let before = info(&simulation, file);
    simulation.stop();
    simulation.run();
    run_to_completion(&mut simulation);
    assert_eq!(simulation.state(file), FileState::Success, "{:?}", events_of(&simulation, file));
    assert_eq!(info(&simulation, file).media_id, before.media_id);
    assert_eq!(simulation.world.vod.media.len(), 1);
    assert!(simulation.world.store.uploads.is_empty());
}
