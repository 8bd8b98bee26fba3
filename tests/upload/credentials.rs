//! Credentials that expire, are refused, or cannot be renewed.

use std::time::Duration;

use vod_uploader::error::ErrorKind;
use vod_uploader::upload::SessionOutcome;

use crate::harness::{ClientRequest, Fault, Operation, Refreshing, World};

const LENGTH: u64 = 8 * 102_400;

#[test]
fn a_credential_is_refreshed_before_it_expires_and_no_call_waits_for_it() {
    let mut world = refreshable();
    // A fifth of a life of 1000 s before its end the refresh is due; the calls go on meanwhile.
    world.options.credential = Some(world.grant(Some(Duration::from_secs(1_000))));
    world.now = world.now + Duration::from_secs(801);
    assert!(matches!(world.upload(), SessionOutcome::Completed(_)));
    assert_eq!(world.writers[0].refreshes, 1);
    assert_eq!(world.store.seen.len(), 1 + 8 + 1, "no call was refused");
}

#[test]
fn a_credential_that_has_expired_is_refreshed_before_the_first_call() {
    let mut world = refreshable();
    world.now = world.now + Duration::from_secs(4_000);
    assert!(matches!(world.upload(), SessionOutcome::Completed(_)));
    assert_eq!(world.writers[0].refreshes, 1);
    assert_eq!(world.store.seen.len(), 1 + 8 + 1, "no call was refused");
}

#[test]
fn without_a_credential_one_is_asked_for_where_that_is_possible() {
    let mut world = refreshable();
    world.options.credential = None;
    assert!(matches!(world.upload(), SessionOutcome::Completed(_)));

    let mut world = World::of_known_length(LENGTH);
    world.options.credential = None;
    let SessionOutcome::Failed { error, .. } = world.upload() else {
        panic!("nothing to sign with")
    };
    assert_eq!(error.kind(), ErrorKind::CredentialRequired);
}

#[test]
fn parts_that_are_refused_together_share_one_refresh_whatever_the_order() {
    for seed in 0..50 {
        let mut world = refreshable().seeded(seed);
        // The store takes the key back while parts are in flight, sooner than was said.
        let granted = world.options.credential.clone().unwrap().auth.credential.access_key_id;
        let id = world.create(ClientRequest::new(0, LENGTH));
        while world.store.count(Operation::UploadPart) == 0 {
            world.step(id);
        }
        world.store.keys.insert(granted, world.now);
        let outcome = world.run(id);
        assert!(matches!(outcome, SessionOutcome::Completed(_)), "seed {seed}: {outcome:?}");
        assert_eq!(world.writers[0].refreshes, 1, "seed {seed}");
    }
}

#[test]
fn a_credential_that_the_store_refuses_every_time_ends_the_session() {
    let mut world = refreshable();
    world.options.credential = None;
    world.refreshing = Refreshing::GrantsUnknown;
    let SessionOutcome::Failed { error, .. } = world.upload() else {
        panic!("nothing is accepted")
    };
    assert_eq!(error.kind(), ErrorKind::CredentialRejected);
    assert_eq!(world.writers[0].refreshes, 2);
}

#[test]
fn a_source_of_expired_credentials_is_not_asked_for_ever() {
    let mut world = refreshable();
    world.options.credential = None;
    world.refreshing = Refreshing::Grants(Duration::ZERO);
    let SessionOutcome::Failed { error, .. } = world.upload() else { panic!("nothing is usable") };
    assert_eq!(error.kind(), ErrorKind::CredentialExpired);
    assert_eq!(world.writers[0].refreshes, 2);
}

#[test]
fn a_credential_that_cannot_be_refreshed_ends_the_session_when_it_expires() {
    let mut world = World::of_known_length(LENGTH);
    // Every step takes a millisecond: it expires half-way.
    world.options.credential = Some(world.grant(Some(Duration::from_millis(40))));
    let SessionOutcome::Failed { error, durable } = world.upload() else {
        panic!("it has expired")
    };
    assert_eq!(error.kind(), ErrorKind::CredentialExpired);
    assert!(durable.bytes() > 0);
    // The next request brings a new one.
    world.options.credential = Some(world.grant(Some(Duration::from_secs(3_600))));
    assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
}

#[test]
fn a_refresh_that_fails_matters_only_once_the_credential_is_of_no_use() {
    for kind in [ErrorKind::VodUnavailable, ErrorKind::VodRejected] {
        let mut world = refreshable();
        world.now = world.now + Duration::from_secs(3_400);
        world.refreshing = Refreshing::Fails(kind);
        assert!(matches!(world.upload(), SessionOutcome::Completed(_)));
        assert_eq!(world.writers[0].refreshes, 1);

        let mut world = refreshable();
        world.now = world.now + Duration::from_secs(3_600);
        world.refreshing = Refreshing::Fails(kind);
        let SessionOutcome::Failed { error, .. } = world.upload() else { panic!("it has expired") };
        assert_eq!(error.kind(), kind);
    }
}

#[test]
fn a_missing_permission_is_not_taken_for_an_expired_credential() {
    let mut world = refreshable();
    world.store.faults.always(Operation::UploadPart, Fault::Refused(403, "AccessDenied"));
    let SessionOutcome::Failed { error, .. } = world.upload() else { panic!("parts are refused") };
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert_eq!(world.writers[0].refreshes, 0);
}

fn refreshable() -> World {
    let mut world = World::of_known_length(LENGTH);
    world.options.can_refresh = true;
    world
}
