//! The source of a file's credentials: the app, or VOD with a token that the app has supplied.

use super::sts_token::StsToken;
use super::validated_file::ValidatedFile;
use crate::credential::{UploadAddress, UploadAuth, UploadCredential};
use crate::error::{Error, ErrorKind, Result};
use crate::units::UnixMillis;

/// The source of a file's credentials.
#[derive(Debug, Default)]
pub(super) struct CredentialSource {
    pending: Option<PendingCredential>,
    mode: CredentialMode,
}

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

/// What the credentials of a file come from.
#[derive(Clone, Debug, Default)]
enum CredentialMode {
    /// The app supplies an UploadAuth.
    #[default]
    UploadAuth,
    /// VOD issues them to this token.
    Sts(StsToken),
    /// The app supplies a token for OSS.
    Direct,
}

impl CredentialSource {
    pub(super) fn set_pending(&mut self, pending: PendingCredential) {
        self.pending = Some(pending);
    }

    pub(super) const fn has_pending(&self) -> bool {
        self.pending.is_some()
    }

    pub(super) const fn take_pending(&mut self) -> Option<PendingCredential> {
        self.pending.take()
    }

    /// Returns true if the app supplies tokens for OSS.
    pub(super) const fn is_direct(&self) -> bool {
        matches!(self.mode, CredentialMode::Direct)
    }

    /// Returns the token for calls to VOD, if VOD issues the credentials.
    pub(super) const fn sts_token(&self) -> Option<&StsToken> {
        match &self.mode {
            CredentialMode::Sts(token) => Some(token),
            CredentialMode::UploadAuth | CredentialMode::Direct => None,
        }
    }

    /// Sets the token for calls to VOD, which issues the credentials.
    pub(super) fn set_sts_token(&mut self, token: StsToken) {
        self.mode = CredentialMode::Sts(token);
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

    /// Makes a supplied credential the source of later ones, and returns it with its media ID.
    /// `address` is the known UploadAddress.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CredentialRequired`] if an UploadAuth has no known UploadAddress.
    pub(super) fn use_supplied(
        &mut self,
        supplied: OssCredential,
        file: &ValidatedFile,
        address: Option<&UploadAddress>,
        now: UnixMillis,
    ) -> Result<(Box<UploadCredential>, Option<String>)> {
        let (mode, credential, media_id) = match supplied {
            OssCredential::AuthAndAddress { credential, media_id } => {
                (CredentialMode::UploadAuth, credential, media_id)
            }
            OssCredential::Auth(auth) => {
                let address = address.cloned().ok_or_else(address_unknown)?;
                let credential = Box::new(UploadCredential { address, auth: *auth });
                (CredentialMode::UploadAuth, credential, None)
            }
            OssCredential::Token(token) => {
                let credential = Box::new(token.for_oss(file.own_address()?, now));
                (CredentialMode::Direct, credential, None)
            }
        };
        self.mode = mode;
        Ok((credential, media_id))
    }
}

pub(super) fn address_unknown() -> Error {
    let message = "no UploadAddress is known for this UploadAuth";
    Error::new(ErrorKind::CredentialRequired, message)
}
