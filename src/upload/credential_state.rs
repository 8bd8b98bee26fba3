//! The credential that signs calls: when and how often a new one is requested.

use super::output::Output;
use crate::credential::UploadCredential;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::units::UnixMillis;

/// The current credential, and the request for a new one.
#[derive(Debug)]
pub(super) struct CredentialState {
    credential: Option<UploadCredential>,
    /// Increases with every credential: the rejection of an earlier one does not affect this one.
    generation: u32,
    can_refresh: bool,
    refreshing: bool,
    /// Whether the last refresh failed. If so, the next one waits until the credential is unusable.
    failed: bool,
    without_success: u8,
}

impl CredentialState {
    pub(super) const fn new(credential: Option<UploadCredential>, can_refresh: bool) -> Self {
        Self {
            credential,
            generation: 0,
            can_refresh,
            refreshing: false,
            failed: false,
            without_success: 0,
        }
    }

    /// Returns the credential to sign with at `now`, and its generation; `None` while a new one is
    /// awaited. Requests a new one if due, one at a time. `now` is the store's time as far as it is
    /// known. A credential that seems to have expired and cannot be renewed is returned, too: the
    /// clock may be wrong, so the store decides.
    pub(super) fn usable_credential(
        &mut self,
        now: UnixMillis,
        outputs: &mut impl Extend<Output>,
    ) -> Result<Option<(&UploadCredential, u32)>> {
        if self.is_due_at(now)
            && self.can_refresh
            && !self.refreshing
            && self.without_success < REFRESHES_WITHOUT_SUCCESS_MAX
        {
            self.refreshing = true;
            self.without_success += 1;
            outputs.extend([Output::RefreshCredential]);
        }
        match &self.credential {
            Some(credential) if !self.refreshing || credential.is_usable_at(now) => {
                Ok(Some((credential, self.generation)))
            }
            _ if self.refreshing => Ok(None),
            _ => Err(missing()),
        }
    }

    /// Accepts the driver's new credential, or why there is none. That is an error only if calls
    /// wait for it: otherwise the current credential may last.
    pub(super) fn arrived(
        &mut self,
        result: Result<UploadCredential>,
        calls_wait: bool,
    ) -> Result<()> {
        self.refreshing = false;
        self.failed = result.is_err();
        match result {
            Ok(credential) => {
                self.credential = Some(credential);
                self.generation += 1;
                Ok(())
            }
            Err(error) if calls_wait => Err(error),
            Err(error) => {
                self.can_refresh = error.kind().retry() == Retry::Retryable;
                Ok(())
            }
        }
    }

    /// Records that the store rejected the credential of `generation`. Returns true if the call can
    /// be signed again with another.
    pub(super) fn on_rejected(&mut self, generation: u32) -> bool {
        if generation != self.generation {
            return true;
        }
        if self.refreshing {
            // A new one is awaited: a call that is signed with this one would be rejected again.
            self.credential = None;
            return true;
        }
        let renewable = self.can_refresh && self.without_success < REFRESHES_WITHOUT_SUCCESS_MAX;
        if renewable {
            self.credential = None;
        }
        renewable
    }

    /// Returns the error without the secrets of the current credential.
    pub(super) fn redact(&self, error: Error) -> Error {
        match &self.credential {
            Some(credential) => credential.auth.credential.redact(error),
            None => error,
        }
    }

    pub(super) const fn accepted(&mut self) {
        self.without_success = 0;
    }

    /// Returns when the credential expires, if it cannot be renewed.
    pub(super) fn expires_at(&self) -> Option<UnixMillis> {
        let credential = self.credential.as_ref().filter(|_| !self.can_refresh)?;
        credential.auth.expires_at
    }

    fn is_due_at(&self, now: UnixMillis) -> bool {
        self.credential.as_ref().is_none_or(|credential| {
            !credential.is_usable_at(now) || (!self.failed && credential.refresh_due_at(now))
        })
    }
}

fn missing() -> Error {
    Error::new(ErrorKind::CredentialRequired, "the upload's credential is not stored")
}

/// Maximum number of credential requests without a successful call in between, after which the
/// session fails. Otherwise, a store that rejects every credential, or a source of expired ones,
/// would cause requests indefinitely.
const REFRESHES_WITHOUT_SUCCESS_MAX: u8 = 2;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;
    use crate::credential::{AccessKey, Secret, UploadAddress, UploadAuth};

    const NOW: UnixMillis = UnixMillis(1_000_000);
    const EXPIRES_AT: UnixMillis = UnixMillis(1_600_000);

    fn credential() -> UploadCredential {
        let key = AccessKey {
            access_key_id: "id".to_owned(),
            access_key_secret: Secret::new("secret"),
            security_token: None,
        };
        let (endpoint, bucket, object) = ("e".to_owned(), "b".to_owned(), "o".to_owned());
        UploadCredential {
            address: UploadAddress { endpoint, bucket, object },
            auth: UploadAuth::new(key, Some(EXPIRES_AT), None, NOW),
        }
    }

    #[test]
    fn a_credential_expires_unless_it_can_be_renewed() {
        let expires_at =
            |can_refresh| CredentialState::new(Some(credential()), can_refresh).expires_at();
        assert_eq!((expires_at(false), expires_at(true)), (Some(EXPIRES_AT), None));
        // After a failed request for a new one, if another request could not succeed.
        for (kind, expected) in
            [(ErrorKind::VodUnavailable, None), (ErrorKind::AccessDenied, Some(EXPIRES_AT))]
        {
            let mut state = CredentialState::new(Some(credential()), true);
            state.arrived(Err(Error::new(kind, "no credential")), false).unwrap();
            assert_eq!(state.expires_at(), expected, "{kind:?}");
        }
    }

    #[test]
    fn rejected_credentials_are_renewed_twice_without_a_successful_call_in_between() {
        let mut state = CredentialState::new(Some(credential()), true);
        let renew = |state: &mut CredentialState| {
            let renewable = state.on_rejected(state.generation);
            let mut outputs = Vec::new();
            let _ = state.usable_credential(NOW, &mut outputs);
            if !outputs.is_empty() {
                state.arrived(Ok(credential()), true).unwrap();
            }
            renewable
        };
        assert_eq!([renew(&mut state), renew(&mut state), renew(&mut state)], [true, true, false]);
        state.accepted();
        assert!(renew(&mut state));
    }
}
