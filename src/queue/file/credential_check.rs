//! The validation of a supplied credential, before it is used now or later.

use super::credential_source::{OssCredential, PendingCredential, address_unknown};
use super::credentials::FileCredentials;
use super::entry_state::EntryState;
use super::sts_token::StsToken;
use super::validated_file::ValidatedFile;
use super::vod_call::check_create_parameters;
use crate::credential::{UploadAuth, UploadCredential};
use crate::error::{Error, ErrorKind, Result};
use crate::queue::context::QueueContext;
use crate::units::UnixMillis;

/// What the credential of a file is checked against.
#[derive(Clone, Copy, Debug)]
pub(in crate::queue) struct CredentialCheck<'a> {
    file: &'a ValidatedFile,
    state: &'a EntryState,
    credentials: &'a FileCredentials,
    has_upload: bool,
    has_session: bool,
}

impl<'a> CredentialCheck<'a> {
    pub(super) const fn new(
        file: &'a ValidatedFile,
        state: &'a EntryState,
        credentials: &'a FileCredentials,
        has_upload: bool,
        has_session: bool,
    ) -> Self {
        Self { file, state, credentials, has_upload, has_session }
    }

    /// Validates the credential of `set-upload-auth-and-address`.
    pub(in crate::queue) fn auth_and_address(
        self,
        ctx: &QueueContext,
        auth: &str,
        address: &str,
        media_id: Option<String>,
    ) -> Result<PendingCredential> {
        let media_id = media_id.filter(|id| !id.is_empty());
        if media_id.as_ref().is_some_and(|id| !is_media_id(id)) {
            return Err(Error::field_invalid("media-id", "1 to 128 visible ASCII characters"));
        }
        let mut credential = UploadCredential::parse(address, auth, ctx.now())?;
        self.file.override_address(&mut credential.address);
        if !credential.is_usable_at(ctx.now()) {
            return Err(auth_expired());
        }
        ctx.options().target(&credential).bucket()?;
        if self.has_session || self.state.is_preparing_upload() || self.file.is_refreshable() {
            self.bound_object(&credential)?;
        }
        let credential = Box::new(credential);
        Ok(PendingCredential::Oss(OssCredential::AuthAndAddress { credential, media_id }))
    }

    /// Validates the credential of `resume-upload-with-auth`.
    pub(in crate::queue) fn auth(self, now: UnixMillis, auth: &str) -> Result<PendingCredential> {
        let auth = UploadAuth::parse(auth, now)?;
        if auth.expires_at.is_some_and(|end| end <= now) {
            return Err(auth_expired());
        }
        if *self.state == EntryState::TokenExpired && !self.file.is_refreshable() {
            let message =
                "credentials of this kind of media cannot be refreshed: each is for a new object";
            return Err(Error::new(ErrorKind::CredentialNotRefreshable, message));
        }
        if self.credentials.binding().address().is_none() {
            return Err(address_unknown());
        }
        Ok(PendingCredential::Oss(OssCredential::Auth(Box::new(auth))))
    }

    /// Validates the token of `set-sts-token`.
    pub(in crate::queue) fn sts_token(
        self,
        now: UnixMillis,
        token: StsToken,
    ) -> Result<PendingCredential> {
        let token = token.checked(now)?;
        check_create_parameters(self.file)?;
        self.credentials.check_media_id_known(self.file, self.has_upload)?;
        Ok(PendingCredential::Sts(token))
    }

    /// Validates the token of `resume-upload-with-sts-token`.
    pub(in crate::queue) fn renewed_token(
        self,
        now: UnixMillis,
        token: StsToken,
    ) -> Result<PendingCredential> {
        let pending = self.credentials.source().renewed_token(token.clone())?;
        token.checked(now)?;
        Ok(pending)
    }

    /// Validates the token of `set-sts-token-directly-upload`.
    pub(in crate::queue) fn direct_token(
        self,
        ctx: &QueueContext,
        token: StsToken,
    ) -> Result<PendingCredential> {
        let token = token.checked(ctx.now())?;
        let credential = token.for_oss(self.file.own_address()?, ctx.now());
        ctx.options().target(&credential).bucket()?;
        self.bound_object(&credential)?;
        Ok(PendingCredential::Oss(OssCredential::Token(token)))
    }

    /// Checks that a credential is for the object of the file's upload, if it has one or is about
    /// to create it.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CredentialForOtherObject`].
    fn bound_object(self, credential: &UploadCredential) -> Result<()> {
        if !self.has_upload && !self.state.is_preparing_upload() {
            return Ok(());
        }
        self.credentials.binding().check_same_object(&credential.address)
    }
}

fn auth_expired() -> Error {
    Error::new(ErrorKind::CredentialExpired, "the UploadAuth has expired")
}

/// VOD would reject an invalid media ID only at the first refresh.
fn is_media_id(text: &str) -> bool {
    text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_graphic())
}
