//! The calls that supply a credential: validation, and use now or later.

use super::QueuedFile;
use crate::credential::{UploadAuth, UploadCredential};
use crate::error::{Error, ErrorKind, Result};
use crate::queue::context::QueueContext;
use crate::queue::credentials::{CredentialMode, OssCredential, PendingCredential, StsToken};
use crate::queue::entry_state::EntryState;
use crate::queue::state::FileCall;
use crate::queue::vod_call::check_create_parameters;
use crate::units::UnixMillis;

impl QueuedFile {
    /// `set-upload-auth-and-address`
    pub(in crate::queue) fn set_upload_auth_and_address(
        &mut self,
        ctx: &mut QueueContext,
        auth: &str,
        address: &str,
        media_id: Option<String>,
    ) -> Result<()> {
        FileCall::SetAuthAndAddress.require(&self.state())?;
        let media_id = media_id.filter(|id| !id.is_empty());
        if media_id.as_ref().is_some_and(|id| !is_media_id(id)) {
            return Err(Error::field_invalid("media-id", "1 to 128 visible ASCII characters"));
        }
        let mut credential = UploadCredential::parse(address, auth, ctx.now())?;
        self.file.override_address(&mut credential.address);
        if !credential.is_usable_at(ctx.now()) {
            return Err(expired("the UploadAuth has expired"));
        }
        ctx.options().target(&credential).bucket()?;
        if self.session.is_some() || self.state.is_opening() || self.file.is_refreshable() {
            self.check_bound_object(&credential)?;
        }
        let credential = Box::new(credential);
        let supplied = OssCredential::AuthAndAddress { credential, media_id };
        self.set_pending_credential(ctx, PendingCredential::Oss(supplied));
        Ok(())
    }

    /// `resume-upload-with-auth`
    pub(in crate::queue) fn resume_upload_with_auth(
        &mut self,
        ctx: &mut QueueContext,
        auth: &str,
    ) -> Result<()> {
        FileCall::ResumeWithAuth.require(&self.state())?;
        let auth = UploadAuth::parse(auth, ctx.now())?;
        if auth.expires_at.is_some_and(|end| end <= ctx.now()) {
            return Err(expired("the UploadAuth has expired"));
        }
        if self.state == EntryState::TokenExpired && !self.file.is_refreshable() {
            let message = "this kind of media has no refresh: its object is another each time";
            return Err(Error::new(ErrorKind::CredentialNotRefreshable, message));
        }
        if self.binding.address().is_none() {
            return Err(address_unknown());
        }
        let supplied = OssCredential::Auth(Box::new(auth));
        self.set_pending_credential(ctx, PendingCredential::Oss(supplied));
        Ok(())
    }

    /// `set-sts-token`
    pub(in crate::queue) fn set_sts_token(
        &mut self,
        ctx: &mut QueueContext,
        token: StsToken,
    ) -> Result<()> {
        FileCall::SetStsToken.require(&self.state())?;
        let token = token.checked(ctx.now())?;
        check_create_parameters(&self.file)?;
        self.check_media_id_known()?;
        self.set_pending_credential(ctx, PendingCredential::Sts(token));
        Ok(())
    }

    /// `resume-upload-with-sts-token`
    pub(in crate::queue) fn resume_upload_with_sts_token(
        &mut self,
        ctx: &mut QueueContext,
        token: StsToken,
    ) -> Result<()> {
        FileCall::ResumeWithStsToken.require(&self.state())?;
        let is_for_oss = self.credentials.is_token_for_oss()?;
        let token = token.checked(ctx.now())?;
        let pending = if is_for_oss {
            PendingCredential::Oss(OssCredential::Token(token))
        } else {
            PendingCredential::Sts(token)
        };
        self.set_pending_credential(ctx, pending);
        Ok(())
    }

    /// `set-sts-token-directly-upload`
    pub(in crate::queue) fn set_sts_token_directly_upload(
        &mut self,
        ctx: &mut QueueContext,
        token: StsToken,
    ) -> Result<()> {
        FileCall::SetStsTokenDirectly.require(&self.state())?;
        let token = token.checked(ctx.now())?;
        let credential = self.direct_credential(&token, ctx.now())?;
        ctx.options().target(&credential).bucket()?;
        self.check_bound_object(&credential)?;
        self.set_pending_credential(ctx, PendingCredential::Oss(OssCredential::Token(token)));
        Ok(())
    }

    /// Uses the credential now if the file waits for one or a session is running. Otherwise it is
    /// kept until the file becomes active.
    fn set_pending_credential(&mut self, ctx: &mut QueueContext, pending: PendingCredential) {
        if self.state == EntryState::Transferring && self.session.is_some() {
            return self.renew_credential(ctx, pending);
        }
        self.credentials.set_pending(pending);
        if self.state.awaits_credential() {
            self.cancel_vod_call(ctx);
            self.continue_start(ctx);
        }
    }

    /// Makes a supplied credential the source of later ones, and returns it with its media id.
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
                (CredentialMode::Direct, self.direct_credential(&token, now)?, None)
            }
        };
        self.credentials.set_mode(mode);
        Ok((credential, media_id))
    }

    /// The credential that a token is for the address that `add-file` specified.
    fn direct_credential(&self, token: &StsToken, now: UnixMillis) -> Result<UploadCredential> {
        let address = self.file.own_address()?;
        let auth = UploadAuth::new(token.credential.clone(), token.expires_at, None, now);
        Ok(UploadCredential { address, auth })
    }

    /// Checks that a credential is for the object of the file's upload, if it has one or is about
    /// to create it.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CredentialForOtherObject`].
    pub(super) fn check_bound_object(&self, credential: &UploadCredential) -> Result<()> {
        if self.records.upload().is_none() && !self.state.is_opening() {
            return Ok(());
        }
        self.binding.check_same_object(&credential.address)
    }

    /// Checks that VOD can issue a credential for the upload that the file continues. Without its
    /// media id, VOD could only create another media.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CredentialRequired`].
    pub(super) fn check_media_id_known(&self) -> Result<()> {
        let has_upload = self.session.is_some() || self.records.upload().is_some();
        if !has_upload || !self.file.is_refreshable() || self.binding.media_id().is_some() {
            return Ok(());
        }
        let message = "the media id of the upload that the file continues is not known: hand in \
                       an UploadAuth for it, or clear the checkpoint";
        Err(Error::new(ErrorKind::CredentialRequired, message))
    }
}

fn address_unknown() -> Error {
    let message = "no UploadAddress is known for this UploadAuth";
    Error::new(ErrorKind::CredentialRequired, message)
}

fn expired(message: &str) -> Error {
    Error::new(ErrorKind::CredentialExpired, message)
}

/// VOD would reject an invalid media id only at the first refresh.
fn is_media_id(text: &str) -> bool {
    text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_graphic())
}
