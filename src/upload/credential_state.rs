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
    /// awaited. Requests a new one if due, one at a time.
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
        match self.credential.as_ref().filter(|credential| credential.is_usable_at(now)) {
            Some(credential) => Ok(Some((credential, self.generation))),
            None if self.refreshing => Ok(None),
            None => Err(self.missing()),
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

    fn missing(&self) -> Error {
        if self.credential.is_some() {
            Error::new(ErrorKind::CredentialExpired, "the upload's credential has expired")
        } else {
            Error::new(ErrorKind::CredentialRequired, "the upload's credential is not stored")
        }
    }
}

/// Maximum number of credential requests without a successful call in between, after which the
/// session fails. Otherwise, a store that rejects every credential, or a source of expired ones,
/// would cause requests indefinitely.
const REFRESHES_WITHOUT_SUCCESS_MAX: u8 = 2;
