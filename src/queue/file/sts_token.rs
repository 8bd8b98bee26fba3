//! Tokens of STS, for calls to VOD or to OSS.

use crate::credential::{AccessKey, UploadAddress, UploadAuth, UploadCredential};
use crate::error::{Error, ErrorKind, Result};
use crate::units::UnixMillis;

/// A temporary access key of STS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StsToken {
    /// The key and its security token.
    pub credential: AccessKey,
    /// Expiry time, if known.
    pub expires_at: Option<UnixMillis>,
}

impl StsToken {
    pub(super) fn is_usable_at(&self, now: UnixMillis) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// Checks that the token is usable at `now`, and returns it.
    ///
    /// # Errors
    /// Returns [`ErrorKind::RequestInvalid`] with the field, or [`ErrorKind::CredentialExpired`].
    pub fn checked(self, now: UnixMillis) -> Result<Self> {
        let key = &self.credential;
        let token = key.security_token.as_ref();
        let is_visible =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_visible(&key.access_key_id) {
            return Err(Error::field_invalid("access-key-id", "visible ASCII characters"));
        }
        if key.access_key_secret.expose().is_empty() {
            return Err(Error::field_invalid("access-key-secret", "given"));
        }
        if !token.is_some_and(|token| is_visible(token.expose())) {
            return Err(Error::field_invalid("security-token", "visible ASCII characters"));
        }
        if !self.is_usable_at(now) {
            return Err(Error::new(ErrorKind::CredentialExpired, "the token has expired"));
        }
        Ok(self)
    }
    /// Returns a credential for OSS that consists of the token.
    pub(super) fn for_oss(&self, address: UploadAddress, now: UnixMillis) -> UploadCredential {
        let auth = UploadAuth::new(self.credential.clone(), self.expires_at, None, now);
        UploadCredential { address, auth }
    }
}
