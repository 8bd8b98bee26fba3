//! The calls that supply a credential: validation, and use now or later.

use super::QueuedFile;
use super::credentials::{CredentialMode, OssCredential, PendingCredential};
use super::entry_state::EntryState;
use super::sts_token::StsToken;
use super::vod_call::check_create_parameters;
use crate::credential::{UploadAuth, UploadCredential};
use crate::error::{Error, ErrorKind, Result};
use crate::queue::context::QueueContext;
use crate::units::UnixMillis;

impl QueuedFile {
    /// Validates the credential of `set-upload-auth-and-address`.
    pub(in crate::queue) fn check_auth_and_address(
        &self,
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
        if self.session.is_some() || self.state.is_preparing_upload() || self.file.is_refreshable()
        {
            self.check_bound_object(&credential)?;
        }
        let credential = Box::new(credential);
        Ok(PendingCredential::Oss(OssCredential::AuthAndAddress { credential, media_id }))
    }

    /// Validates the credential of `resume-upload-with-auth`.
    pub(in crate::queue) fn check_auth(
        &self,
        now: UnixMillis,
        auth: &str,
    ) -> Result<PendingCredential> {
        let auth = UploadAuth::parse(auth, now)?;
        if auth.expires_at.is_some_and(|end| end <= now) {
            return Err(auth_expired());
        }
        if self.state == EntryState::TokenExpired && !self.file.is_refreshable() {
            let message =
                "credentials of this kind of media cannot be refreshed: each is for a new object";
            return Err(Error::new(ErrorKind::CredentialNotRefreshable, message));
        }
        if self.binding.address().is_none() {
            return Err(address_unknown());
        }
        Ok(PendingCredential::Oss(OssCredential::Auth(Box::new(auth))))
    }

    /// Validates the token of `set-sts-token`.
    pub(in crate::queue) fn check_sts_token(
        &self,
        now: UnixMillis,
        token: StsToken,
    ) -> Result<PendingCredential> {
        let token = token.checked(now)?;
        check_create_parameters(&self.file)?;
        self.check_media_id_known()?;
        Ok(PendingCredential::Sts(token))
    }

    /// Validates the token of `resume-upload-with-sts-token`.
    pub(in crate::queue) fn check_renewed_token(
        &self,
        now: UnixMillis,
        token: StsToken,
    ) -> Result<PendingCredential> {
        let pending = self.credentials.renewed_token(token.clone())?;
        token.checked(now)?;
        Ok(pending)
    }

    /// Validates the token of `set-sts-token-directly-upload`.
    pub(in crate::queue) fn check_direct_token(
        &self,
        ctx: &QueueContext,
        token: StsToken,
    ) -> Result<PendingCredential> {
        let token = token.checked(ctx.now())?;
        let credential = token.for_oss(self.file.own_address()?, ctx.now());
        ctx.options().target(&credential).bucket()?;
        self.check_bound_object(&credential)?;
        Ok(PendingCredential::Oss(OssCredential::Token(token)))
    }

    /// Uses the credential now if the file waits for one or a session is running; otherwise once
    /// the file is active.
    pub(in crate::queue) fn set_pending_credential(
        &mut self,
        ctx: &mut QueueContext,
        pending: PendingCredential,
    ) {
        if self.state == EntryState::Transferring && self.session.is_some() {
            return self.renew_credential(ctx, pending);
        }
        self.credentials.set_pending(pending);
        if self.state.awaits_credential() {
            self.cancel_vod_call(ctx);
            self.continue_start(ctx);
        }
    }

    /// Makes a supplied credential the source of later ones, and returns it with its media ID.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CredentialRequired`] if an UploadAuth has no known UploadAddress.
    pub(super) fn use_supplied(
        &mut self,
        supplied: OssCredential,
        now: UnixMillis,
    ) -> Result<(UploadCredential, Option<String>)> {
        let (mode, credential, media_id) = match supplied {
            OssCredential::AuthAndAddress { credential, media_id } => {
                (CredentialMode::UploadAuth, *credential, media_id)
            }
            OssCredential::Auth(auth) => {
                let address = self.binding.address().cloned().ok_or_else(address_unknown)?;
                (CredentialMode::UploadAuth, UploadCredential { address, auth: *auth }, None)
            }
            OssCredential::Token(token) => {
                (CredentialMode::Direct, token.for_oss(self.file.own_address()?, now), None)
            }
        };
        self.credentials.set_mode(mode);
        Ok((credential, media_id))
    }

    /// Checks that a credential is for the object of the file's upload, if it has one or is about
    /// to create it.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CredentialForOtherObject`].
    pub(super) fn check_bound_object(&self, credential: &UploadCredential) -> Result<()> {
        if self.records.upload().is_none() && !self.state.is_preparing_upload() {
            return Ok(());
        }
        self.binding.check_same_object(&credential.address)
    }

    /// Checks that VOD can issue a credential for the upload that the file continues. Without its
    /// media ID, VOD could only create another media asset.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CredentialRequired`].
    pub(super) fn check_media_id_known(&self) -> Result<()> {
        let has_upload = self.session.is_some() || self.records.upload().is_some();
        if !has_upload || !self.file.is_refreshable() || self.binding.media_id().is_some() {
            return Ok(());
        }
        let message = "the media id of the upload that the file continues is unknown: supply an \
                       UploadAuth for it, or clear the checkpoint";
        Err(Error::new(ErrorKind::CredentialRequired, message))
    }
}

fn address_unknown() -> Error {
    let message = "no UploadAddress is known for this UploadAuth";
    Error::new(ErrorKind::CredentialRequired, message)
}

fn auth_expired() -> Error {
    Error::new(ErrorKind::CredentialExpired, "the UploadAuth has expired")
}

/// VOD would reject an invalid media ID only at the first refresh.
fn is_media_id(text: &str) -> bool {
    text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_graphic())
}
