//! The credentials of a file: those supplied but not yet used, their source, and the current one.

use super::sts_token::StsToken;
use crate::credential::{UploadAuth, UploadCredential};
use crate::error::{Error, ErrorKind, Result};
use crate::units::UnixMillis;

/// Number of consecutive credential rejections after which a file fails. Without the limit, a
/// source of invalid credentials would be queried indefinitely.
pub(super) const REJECTIONS_MAX: u8 = 3;

/// A credential that was supplied and has not been used yet.
#[derive(Clone, Debug)]
pub(in crate::queue) enum PendingCredential {
    /// A credential for OSS.
    Oss(OssCredential),
    /// A token for calls to VOD, which issues the credential.
    Sts(StsToken),
}

/// A supplied credential for OSS.
#[derive(Clone, Debug)]
pub(in crate::queue) enum OssCredential {
    /// An UploadAddress and an UploadAuth.
    AuthAndAddress { credential: Box<UploadCredential>, media_id: Option<String> },
    /// An UploadAuth for the known UploadAddress.
    Auth(Box<UploadAuth>),
    /// A token for the bucket that `add-file` specified.
    Token(StsToken),
}

/// The source of a file's credentials.
#[derive(Clone, Debug, Default)]
pub(super) enum CredentialMode {
    /// The app supplies an UploadAuth.
    #[default]
    UploadAuth,
    /// VOD issues them to this token.
    Sts(StsToken),
    /// The app supplies a token for OSS.
    Direct,
}

/// The credentials of a file.
#[derive(Debug, Default)]
pub(super) struct FileCredentials {
    pending: Option<PendingCredential>,
    mode: CredentialMode,
    current: Option<UploadCredential>,
    /// Number of consecutive rejected credentials.
    rejections: u8,
}

impl FileCredentials {
    pub(super) fn set_pending(&mut self, pending: PendingCredential) {
        self.pending = Some(pending);
    }

    pub(super) const fn has_pending(&self) -> bool {
        self.pending.is_some()
    }

    pub(super) const fn take_pending(&mut self) -> Option<PendingCredential> {
        self.pending.take()
    }

    pub(super) fn set_mode(&mut self, mode: CredentialMode) {
        self.mode = mode;
    }

    /// Returns the token for calls to VOD, if VOD issues the credentials.
    pub(super) const fn sts_token(&self) -> Option<&StsToken> {
        match &self.mode {
            CredentialMode::Sts(token) => Some(token),
            CredentialMode::UploadAuth | CredentialMode::Direct => None,
        }
    }

    pub(super) const fn is_direct(&self) -> bool {
        matches!(self.mode, CredentialMode::Direct)
    }

    /// Returns `token` as a credential of the same kind as the last one.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CredentialRequired`] if there was no token.
    pub(super) fn renewed_token(&self, token: StsToken) -> Result<PendingCredential> {
        use OssCredential::Token;
        match (&self.pending, &self.mode) {
            (Some(PendingCredential::Oss(Token(_))), _) => Ok(PendingCredential::Oss(Token(token))),
            (Some(PendingCredential::Sts(_)), _) | (_, CredentialMode::Sts(_)) => {
                Ok(PendingCredential::Sts(token))
            }
            (_, CredentialMode::Direct) => Ok(PendingCredential::Oss(Token(token))),
            (_, CredentialMode::UploadAuth) => {
                let message = "the file has no token to renew: supply the first with set-sts-token";
                Err(Error::new(ErrorKind::CredentialRequired, message))
            }
        }
    }

    /// Returns the credential that was used last.
    pub(super) const fn current(&self) -> Option<&UploadCredential> {
        self.current.as_ref()
    }

    pub(super) fn set_current(&mut self, credential: UploadCredential) {
        self.current = Some(credential);
    }

    pub(super) fn discard_current(&mut self) {
        self.current = None;
    }

    /// Returns the expiry time of the credential that the app has to replace, if known.
    pub(super) fn expires_at(&self) -> Option<UnixMillis> {
        match self.sts_token() {
            Some(token) => token.expires_at,
            None => self.current.as_ref()?.auth.expires_at,
        }
    }

    /// Returns the number of consecutive rejections.
    pub(super) const fn rejections(&self) -> u8 {
        self.rejections
    }

    pub(super) const fn count_rejection(&mut self) {
        self.rejections = self.rejections.saturating_add(1);
    }

    pub(super) const fn reset_rejections(&mut self) {
        self.rejections = 0;
    }
}
