//! The credentials of a file: their source, the object that they are for, and the VOD call that
//! issues them.

use super::credential_source::{CredentialSource, OssCredential, PendingCredential};
use super::object_binding::{ObjectBinding, is_same_object, wrong_object};
use super::sts_token::StsToken;
use super::validated_file::ValidatedFile;
use super::vod_call::{VodAction, VodCall};
use crate::credential::{UploadAddress, UploadCredential};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::oss::HttpResponse;
use crate::queue::context::QueueContext;
use crate::queue::interface::{FileId, TokenExpiry, VodCallId};
use crate::queue::records::{StoredFile, StoredUpload};
use crate::units::UnixMillis;
use crate::vod::UploadGrant;

/// The credentials of a file.
#[derive(Debug, Default)]
pub(super) struct FileCredentials {
    source: CredentialSource,
    /// The credential that was used last.
    current: Option<UploadCredential>,
    /// Number of consecutive rejected credentials.
    rejections: u8,
    binding: ObjectBinding,
    vod_call: Option<VodCall>,
}

/// What follows from a supplied credential or from a VOD call. An error means that no credential
/// can be obtained.
#[derive(Debug)]
pub(super) enum CredentialStep {
    /// Nothing.
    Pending,
    /// A VOD call for a file without a session has started.
    Requested,
    /// The upload continues with this credential, whose media ID is returned if known.
    Usable(Box<UploadCredential>, Option<String>),
    /// The app has to supply a credential. The error is why VOD or OSS rejected the last one.
    Missing(Option<Error>),
    /// The media was deleted at VOD, so its stored upload is useless.
    MediaDeleted(Error),
}

/// Whether the upload of a file continues with an accepted credential.
#[derive(Debug)]
pub(super) enum Acceptance {
    /// It does.
    Usable,
    /// The credential is for another object: the stored upload has to be deleted first.
    ReplacesUpload,
    /// The credential has expired. The error is set if that counts as a rejection.
    Expired(Option<Error>),
}

impl FileCredentials {
    pub(super) const fn binding(&self) -> &ObjectBinding {
        &self.binding
    }

    pub(super) const fn source(&self) -> &CredentialSource {
        &self.source
    }

    /// Returns the credential that was used last.
    pub(super) const fn current(&self) -> Option<&UploadCredential> {
        self.current.as_ref()
    }

    pub(super) fn set_pending(&mut self, pending: PendingCredential) {
        self.source.set_pending(pending);
    }

    pub(super) const fn take_pending(&mut self) -> Option<PendingCredential> {
        self.source.take_pending()
    }

    /// Checks that VOD can issue a credential for the upload that the file continues, if it
    /// `has_upload`. Without its media ID, VOD could only create another media asset.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CredentialRequired`].
    pub(super) fn check_media_id_known(
        &self,
        file: &ValidatedFile,
        has_upload: bool,
    ) -> Result<()> {
        if !has_upload || !file.is_refreshable() || self.binding.media_id().is_some() {
            return Ok(());
        }
        let message = "the media id of the upload that the file continues is unknown: supply an \
                       UploadAuth for it, or clear the checkpoint";
        Err(Error::new(ErrorKind::CredentialRequired, message))
    }

    /// Returns true if a session can continue with a new credential.
    pub(super) fn can_renew(&self, file: &ValidatedFile) -> bool {
        file.is_refreshable() || self.source.is_direct()
    }

    /// Returns the media ID, if its credential can be refreshed.
    pub(super) fn refreshable_media_id(&self, file: &ValidatedFile) -> Option<String> {
        self.binding.media_id().filter(|_| file.is_refreshable()).map(str::to_owned)
    }

    /// Describes the credential of the file `id` that the app has to replace. `error` is why it was
    /// rejected.
    pub(super) fn token_expiry(
        &self,
        id: FileId,
        file: &ValidatedFile,
        error: Option<Error>,
    ) -> TokenExpiry {
        let expires_at = match self.source.sts_token() {
            Some(token) => token.expires_at,
            None => self.current.as_ref().and_then(|current| current.auth.expires_at),
        };
        TokenExpiry { file: id, media_id: self.refreshable_media_id(file), expires_at, error }
    }

    /// Adopts the object and the media ID of the stored records.
    pub(super) fn restore(&mut self, stored: &StoredFile) {
        self.binding.restore(stored);
    }

    /// Binds the file to this object and media ID, regardless of the previous ones.
    pub(super) fn rebind(&mut self, address: UploadAddress, media_id: Option<String>) {
        self.binding.set_address(Some(address));
        self.binding.set_media_id(media_id);
    }

    /// Binds the file to no object. Its media ID remains.
    pub(super) fn unbind_object(&mut self) {
        self.binding.set_address(None);
    }

    /// Binds the file to no object and no media ID. Its current credential is discarded.
    pub(super) fn unbind(&mut self) {
        self.binding.set_address(None);
        self.binding.set_media_id(None);
        self.current = None;
    }

    /// Counts a rejected credential. Returns true if the file fails because of it.
    pub(super) const fn count_rejection(&mut self) -> bool {
        self.rejections = self.rejections.saturating_add(1);
        self.rejections >= REJECTIONS_MAX
    }

    pub(super) const fn reset_rejections(&mut self) {
        self.rejections = 0;
    }

    /// Uses the pending credential, if any, for a file without a session. `upload` is what the
    /// file continues.
    pub(super) fn use_pending(
        &mut self,
        ctx: &mut QueueContext,
        file: &ValidatedFile,
        upload: Option<&StoredUpload>,
    ) -> Result<CredentialStep> {
        match self.source.take_pending() {
            None => Ok(CredentialStep::Pending),
            Some(PendingCredential::Sts(token)) => {
                self.check_media_id_known(file, upload.is_some())?;
                self.request_media(ctx, file, upload, token)
            }
            Some(PendingCredential::Oss(supplied)) => {
                if matches!(supplied, OssCredential::AuthAndAddress { .. }) {
                    self.binding.set_media_url(None);
                }
                let (credential, media_id) =
                    self.source.use_supplied(supplied, file, self.binding.address(), ctx.now())?;
                Ok(CredentialStep::Usable(credential, media_id))
            }
        }
    }

    /// Replaces the credential of a session that has ended because of `error`. The media has no
    /// refresh (an image, for example): a new credential is for another object, so the file starts
    /// again.
    pub(super) fn replace_rejected(
        &mut self,
        ctx: &mut QueueContext,
        file: &ValidatedFile,
        upload: Option<&StoredUpload>,
        error: Error,
    ) -> Result<CredentialStep> {
        match self.source.sts_token().cloned() {
            Some(token) if self.rejections == 0 => {
                self.count_rejection();
                // OSS rejected it, regardless of its expiry time.
                self.current = None;
                self.request_media(ctx, file, upload, token)
            }
            _ => Ok(CredentialStep::Missing(Some(error))),
        }
    }

    /// Uses a supplied credential for a running session, which `awaits` one or not.
    pub(super) fn renew(
        &mut self,
        ctx: &mut QueueContext,
        file: &ValidatedFile,
        pending: PendingCredential,
        awaits: bool,
    ) -> Result<CredentialStep> {
        match pending {
            PendingCredential::Sts(token) => {
                self.source.set_sts_token(token);
                if awaits { self.refresh(ctx, file) } else { Ok(CredentialStep::Pending) }
            }
            PendingCredential::Oss(supplied) => {
                let used =
                    self.source.use_supplied(supplied, file, self.binding.address(), ctx.now());
                self.cancel_vod_call(ctx);
                let (credential, media_id) = used?;
                if media_id.is_some() {
                    self.binding.set_media_id(media_id.clone());
                }
                self.current = Some((*credential).clone());
                Ok(CredentialStep::Usable(credential, media_id))
            }
        }
    }

    /// Obtains the credential that a running session requests: from VOD or, if the file
    /// `is_transferring`, from the app. The app is not asked for the credential of a file that is
    /// being terminated.
    pub(super) fn obtain(
        &mut self,
        ctx: &mut QueueContext,
        file: &ValidatedFile,
        is_transferring: bool,
    ) -> Result<CredentialStep> {
        if self.source.sts_token().is_some_and(|token| token.is_usable_at(ctx.now())) {
            return self.refresh(ctx, file);
        }
        if is_transferring {
            return Ok(CredentialStep::Missing(None));
        }
        Err(Error::new(ErrorKind::CredentialExpired, "the credential has expired"))
    }

    /// Makes `credential` the current one, and binds the file to its object. `upload` is what the
    /// file continues.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CredentialForOtherObject`] if the upload is for another object and its
    /// credential can be refreshed.
    pub(super) fn accept(
        &mut self,
        now: UnixMillis,
        file: &ValidatedFile,
        upload: Option<&StoredUpload>,
        credential: &UploadCredential,
        media_id: Option<String>,
    ) -> Result<Acceptance> {
        let stored = upload.map(StoredUpload::address);
        let replaced = stored.filter(|stored| !is_same_object(stored, &credential.address));
        if let Some(replaced) = &replaced {
            if file.is_refreshable() {
                return Err(wrong_object(replaced, &credential.address));
            }
            // It is the media ID of the replaced object.
            self.binding.set_media_id(None);
        }
        self.binding.bind(credential.address.clone(), media_id, file.is_refreshable());
        self.current = Some(credential.clone());
        if !credential.is_usable_at(now) {
            // A credential supplied early may have expired. One that VOD has just issued has not,
            // unless the local clock is wrong: then the next one would be unusable, too.
            let rejection = self.source.sts_token().is_some().then(|| {
                let message = "VOD returned a credential that is already expired according to \
                               this host's clock";
                Error::new(ErrorKind::CredentialExpired, message)
            });
            return Ok(Acceptance::Expired(rejection));
        }
        Ok(if replaced.is_some() { Acceptance::ReplacesUpload } else { Acceptance::Usable })
    }

    pub(super) const fn is_calling_vod(&self) -> bool {
        self.vod_call.is_some()
    }

    pub(super) fn is_awaiting_vod(&self, id: VodCallId) -> bool {
        self.vod_call.as_ref().is_some_and(|call| call.is_awaiting(id))
    }

    pub(super) fn next_wakeup(&self) -> Option<UnixMillis> {
        self.vod_call.as_ref().map(VodCall::next_wakeup)
    }

    /// Sends the request to VOD that is due, for a file that `has_session` or not.
    pub(super) fn advance(
        &mut self,
        ctx: &mut QueueContext,
        file: &ValidatedFile,
        has_session: bool,
    ) -> Result<CredentialStep> {
        let result = self.vod_call.as_mut().and_then(|call| call.advance(ctx, file));
        self.on_vod_result(ctx.now(), file, result, has_session)
    }

    /// Accepts the awaited response of VOD, for a file that `has_session` or not.
    pub(super) fn on_vod_response(
        &mut self,
        ctx: &mut QueueContext,
        file: &ValidatedFile,
        response: Result<HttpResponse>,
        has_session: bool,
    ) -> Result<CredentialStep> {
        let call = self.vod_call.as_mut();
        let result = call.and_then(|call| call.on_response(ctx, file, response));
        self.on_vod_result(ctx.now(), file, result, has_session)
    }

    pub(super) fn cancel_vod_call(&mut self, ctx: &mut QueueContext) {
        if let Some(call) = self.vod_call.take() {
            call.cancel(ctx);
        }
    }

    /// Requests a credential from VOD: for the media ID, if present and refreshable, or for a new
    /// one.
    fn request_media(
        &mut self,
        ctx: &mut QueueContext,
        file: &ValidatedFile,
        upload: Option<&StoredUpload>,
        token: StsToken,
    ) -> Result<CredentialStep> {
        self.source.set_sts_token(token.clone());
        if let Some(credential) = self.reusable(ctx.now(), file, upload) {
            let media_id = self.binding.media_id().map(str::to_owned);
            return Ok(CredentialStep::Usable(Box::new(credential.clone()), media_id));
        }
        if !token.is_usable_at(ctx.now()) {
            return Ok(CredentialStep::Missing(None));
        }
        let action = match self.refreshable_media_id(file) {
            Some(video_id) => VodAction::Refresh { video_id },
            None => VodAction::Create,
        };
        self.vod_call = Some(VodCall::new(action, token.credential, ctx.now()));
        match self.advance(ctx, file, false)? {
            CredentialStep::Pending => Ok(CredentialStep::Requested),
            step => Ok(step),
        }
    }

    /// Returns the current credential, if VOD would otherwise create another object.
    fn reusable(
        &self,
        now: UnixMillis,
        file: &ValidatedFile,
        upload: Option<&StoredUpload>,
    ) -> Option<&UploadCredential> {
        let upload = upload.filter(|_| !file.is_refreshable())?;
        let current = self.current.as_ref().filter(|current| current.is_usable_at(now))?;
        is_same_object(&upload.address(), &current.address).then_some(current)
    }

    /// Requests a new credential for the running session from VOD.
    fn refresh(&mut self, ctx: &mut QueueContext, file: &ValidatedFile) -> Result<CredentialStep> {
        let (Some(token), Some(video_id)) =
            (self.source.sts_token(), self.refreshable_media_id(file))
        else {
            let message = "the credential has expired and VOD cannot refresh it";
            return Err(Error::new(ErrorKind::CredentialExpired, message));
        };
        let token = token.credential.clone();
        self.cancel_vod_call(ctx);
        self.vod_call = Some(VodCall::new(VodAction::Refresh { video_id }, token, ctx.now()));
        self.advance(ctx, file, true)
    }

    /// Accepts the result of the VOD call, if it has completed.
    fn on_vod_result(
        &mut self,
        now: UnixMillis,
        file: &ValidatedFile,
        result: Option<Result<UploadGrant>>,
        has_session: bool,
    ) -> Result<CredentialStep> {
        let Some(result) = result else { return Ok(CredentialStep::Pending) };
        self.vod_call = None;
        let grant = match result {
            Ok(grant) => grant,
            Err(error) => {
                return match (error.kind(), error.kind().retry()) {
                    (ErrorKind::MediaNotFound, _) if self.binding.media_id().is_some() => {
                        Ok(CredentialStep::MediaDeleted(error))
                    }
                    (_, Retry::WithNewCredential) => Ok(CredentialStep::Missing(Some(error))),
                    _ => Err(error),
                };
            }
        };
        let mut credential = Box::new(grant.credential);
        if credential.is_usable_at(now) {
            self.rejections = 0;
        }
        file.override_address(&mut credential.address);
        if has_session {
            self.binding.check_same_object(&credential.address)?;
            self.current = Some((*credential).clone());
        } else {
            self.binding.set_media_url(grant.media_url.or(grant.file_url));
        }
        Ok(CredentialStep::Usable(credential, Some(grant.media_id)))
    }
}

/// Number of consecutive credential rejections after which a file fails. Without the limit, a
/// source of invalid credentials would be queried indefinitely.
const REJECTIONS_MAX: u8 = 3;
