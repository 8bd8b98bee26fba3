//! The credential that calls are signed with: when a new one is asked for, and how often.

use super::output::Output;
use crate::credential::UploadCredential;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::units::UnixMillis;

/// A new credential is asked for this often without any call succeeding in between, and then the
/// session fails: a store that refuses every credential, or a source of expired ones, would
/// otherwise be asked for ever.
const REFRESHES_WITHOUT_SUCCESS_MAX: u8 = 2;

/// The credential at hand, and where it stands with a new one.
#[derive(Debug)]
pub(super) struct CredentialState {
    credential: Option<UploadCredential>,
    /// Rises with every credential: a refusal of an earlier one says nothing about this one.
    generation: u32,
    can_refresh: bool,
    refreshing: bool,
    /// The last refresh failed: the next one waits until the credential is of no use any more.
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

    /// The credential to sign with at `now`, and its generation; `None` while a new one has to be
    /// waited for. Asks for a new one where that is due, one at a time.
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
        match self.credential.as_ref().filter(|held| held.is_usable_at(now)) {
            Some(credential) => Ok(Some((credential, self.generation))),
            None if self.refreshing => Ok(None),
            None => Err(self.missing()),
        }
    }

    /// Takes the driver's new credential, or why there is none. That is an error only where calls
    /// wait for it: the credential at hand may do for the rest.
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
                self.can_refresh = error.kind().retry() == Retry::Later;
                Ok(())
            }
        }
    }

    /// Notes that the store refused the credential of `generation`. True where the call can be
    /// signed again with another.
    pub(super) fn refused(&mut self, generation: u32) -> bool {
        if generation != self.generation {
            return true;
        }
        if self.refreshing {
            // The new one is waited for: to sign with this one again would be refused again.
            self.credential = None;
            return true;
        }
        let renewable = self.can_refresh && self.without_success < REFRESHES_WITHOUT_SUCCESS_MAX;
        if renewable {
            self.credential = None;
        }
        renewable
    }

    /// The error without what is secret of the credential at hand.
    pub(super) fn redact(&self, error: Error) -> Error {
        match &self.credential {
            Some(held) => held.auth.credential.hidden_in(error),
            None => error,
        }
    }

    pub(super) const fn accepted(&mut self) {
        self.without_success = 0;
    }

    /// When the credential's life is over, where nothing can renew it.
    pub(super) fn expires_at(&self) -> Option<UnixMillis> {
        let credential = self.credential.as_ref().filter(|_| !self.can_refresh)?;
        credential.auth.expires_at
    }

    fn is_due_at(&self, now: UnixMillis) -> bool {
        self.credential.as_ref().is_none_or(|held| {
            !held.is_usable_at(now) || (!self.failed && held.refresh_due_at(now))
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
