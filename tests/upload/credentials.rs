//! Credentials that expire, are rejected, or cannot be refreshed.

use std::time::Duration;

use vod_uploader::error::ErrorKind;
use vod_uploader::upload::SessionOutcome;

use vod_uploader_sim::session::{ClientRequest, RefreshResult, Simulation};
use vod_uploader_sim::{Fault, Operation};

const LENGTH: u64 = 8 * 102_400;

#[test]
fn a_credential_is_refreshed_before_it_expires_and_no_call_waits_for_it() {
    let mut simulation = refreshable();
    // The refresh is due 200 s before the expiry of a credential of 1000 s. Calls continue.
    simulation.options.credential = Some(simulation.grant(Duration::from_secs(1_000)));
    simulation.world.clock.advance(Duration::from_secs(801));
    assert!(matches!(simulation.upload(), SessionOutcome::Completed(_)));
    assert_eq!(simulation.writers[0].refreshes, 1);
    assert_eq!(simulation.world.store.seen.len(), 1 + 8 + 1, "no call is rejected");
}

#[test]
fn a_credential_that_has_expired_is_refreshed_before_the_first_call() {
    let mut simulation = refreshable();
    simulation.world.clock.advance(Duration::from_secs(4_000));
    assert!(matches!(simulation.upload(), SessionOutcome::Completed(_)));
    assert_eq!(simulation.writers[0].refreshes, 1);
    assert_eq!(simulation.world.store.seen.len(), 1 + 8 + 1, "no call is rejected");
}

#[test]
fn without_a_credential_one_is_requested_if_that_is_possible() {
    let mut simulation = refreshable();
    simulation.options.credential = None;
    assert!(matches!(simulation.upload(), SessionOutcome::Completed(_)));

    let mut simulation = Simulation::of_known_length(LENGTH);
    simulation.options.credential = None;
    let SessionOutcome::Failed { error, .. } = simulation.upload() else {
        panic!("a call is signed without a credential")
    };
    assert_eq!(error.kind(), ErrorKind::CredentialRequired);
}

#[test]
fn parts_that_are_rejected_together_share_one_refresh_in_any_order() {
    for seed in 0..50 {
        let mut simulation = refreshable().seeded(seed);
        // OSS revokes the key while parts are in flight, before its expiry.
        let granted = simulation.options.credential.clone().unwrap().auth.credential.access_key_id;
        let id = simulation.create(ClientRequest::new(0, LENGTH));
        while simulation.world.store.count(Operation::UploadPart) == 0 {
            simulation.step(id);
        }
        simulation.world.store.keys.insert(granted, simulation.world.now());
        let outcome = simulation.run(id);
        assert!(matches!(outcome, SessionOutcome::Completed(_)), "seed {seed}: {outcome:?}");
        assert_eq!(simulation.writers[0].refreshes, 1, "seed {seed}");
    }
}

#[test]
fn a_credential_that_oss_always_rejects_ends_the_session() {
    let mut simulation = refreshable();
    simulation.options.credential = None;
    simulation.refresh_result = RefreshResult::GrantedUnknown;
    let SessionOutcome::Failed { error, .. } = simulation.upload() else {
        panic!("a rejected credential is accepted")
    };
    assert_eq!(error.kind(), ErrorKind::CredentialRejected);
    assert_eq!(simulation.writers[0].refreshes, 2);
}

#[test]
fn refreshes_that_return_expired_credentials_are_bounded() {
    let mut simulation = refreshable();
    simulation.options.credential = None;
    simulation.refresh_result = RefreshResult::Granted(Duration::ZERO);
    let SessionOutcome::Failed { error, .. } = simulation.upload() else {
        panic!("an expired credential is used")
    };
    assert_eq!(error.kind(), ErrorKind::CredentialExpired);
    assert_eq!(simulation.writers[0].refreshes, 2);
}

#[test]
fn a_credential_that_cannot_be_refreshed_ends_the_session_when_it_expires() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    // Every step takes a millisecond: the credential expires during the upload.
    simulation.options.credential = Some(simulation.grant(Duration::from_millis(40)));
    let SessionOutcome::Failed { error, durable } = simulation.upload() else {
        panic!("an expired credential is used")
    };
    assert_eq!(error.kind(), ErrorKind::CredentialExpired);
    assert!(durable.bytes() > 0);
    // The next request has a new credential.
    simulation.options.credential = Some(simulation.grant(Duration::from_secs(3_600)));
    assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
}

#[test]
fn a_failed_refresh_matters_only_once_the_credential_is_unusable() {
    for kind in [ErrorKind::VodUnavailable, ErrorKind::VodRejected] {
        let mut simulation = refreshable();
        simulation.world.clock.advance(Duration::from_secs(3_400));
        simulation.refresh_result = RefreshResult::Failed(kind);
        assert!(matches!(simulation.upload(), SessionOutcome::Completed(_)));
        assert_eq!(simulation.writers[0].refreshes, 1);

        let mut simulation = refreshable();
        simulation.world.clock.advance(Duration::from_secs(3_600));
        simulation.refresh_result = RefreshResult::Failed(kind);
        let SessionOutcome::Failed { error, .. } = simulation.upload() else {
            panic!("an expired credential is used")
        };
        assert_eq!(error.kind(), kind);
    }
}

#[test]
fn a_missing_permission_is_not_treated_as_an_expired_credential() {
    let mut simulation = refreshable();
    simulation
        .world
        .store
        .faults
        .always(Operation::UploadPart, Fault::Refused(403, "AccessDenied"));
    let SessionOutcome::Failed { error, .. } = simulation.upload() else {
        panic!("rejected parts are no error")
    };
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert_eq!(simulation.writers[0].refreshes, 0);
}

fn refreshable() -> Simulation {
    let mut simulation = Simulation::of_known_length(LENGTH);
    simulation.options.can_refresh = true;
    simulation
}
