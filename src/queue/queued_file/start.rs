//! From the start of a file to its session: stored records, credential, new records.

use super::QueuedFile;
use super::active_session::SessionKind;
use super::credentials::{CredentialMode, OssCredential, PendingCredential, REJECTIONS_MAX};
use super::entry_state::EntryState;
use super::object_binding::{is_same_object, wrong_object};
use super::sts_token::StsToken;
use super::vod_call::{VodAction, VodCall};
use crate::credential::UploadCredential;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::queue::context::QueueContext;
use crate::queue::interface::{Event, TokenExpiry};
use crate::queue::records::{AfterDelete, AfterLookup, RecordEvent};
use crate::upload::{LeaseAcquisition, Target, UploadKind, UploadPhase, UploadRecord};
use crate::vod::UploadGrant;

impl QueuedFile {
    /// Starts the file: it becomes active.
    pub(in crate::queue) fn start(&mut self, ctx: &mut QueueContext) {
        self.state = EntryState::Starting;
        self.credentials.reset_rejections();
        self.progress.reset_retries();
        self.deadline = ctx.options().deadline_from(ctx.now());
        self.start_lookup(ctx, AfterLookup::Start);
    }

    pub(super) fn start_lookup(&mut self, ctx: &mut QueueContext, then: AfterLookup) {
        let event = self.records.start_lookup(ctx, then);
        self.on_record_event(ctx, event);
    }

    pub(super) fn on_record_event(&mut self, ctx: &mut QueueContext, event: Option<RecordEvent>) {
        match event {
            Some(RecordEvent::LookedUp(then, result)) => self.on_lookup_done(ctx, then, result),
            Some(RecordEvent::Saved(result)) => self.on_records_saved(ctx, result),
            Some(RecordEvent::Deleted { had_parts, then }) => {
                self.on_records_deleted(ctx, had_parts, then);
            }
            None => {}
        }
    }

    fn on_lookup_done(&mut self, ctx: &mut QueueContext, then: AfterLookup, result: Result<()>) {
        if result.is_ok() {
            self.binding.restore(self.records.stored());
        }
        match (then, result) {
            (AfterLookup::Start, Ok(())) => self.on_stored_known(ctx),
            (AfterLookup::Start, Err(error)) => self.fail(ctx, error),
            (AfterLookup::Cancel, Ok(())) => self.cancel_stored(ctx),
            // A record that cannot be read is deleted, too. The records that it refers to remain.
            (AfterLookup::Cancel, Err(error)) => {
                self.delete_records(ctx, false, AfterDelete::Cancel(Some(error)));
            }
            (AfterLookup::Clear, _) => self.delete_records(ctx, false, AfterDelete::Nothing),
        }
    }

    fn on_stored_known(&mut self, ctx: &mut QueueContext) {
        let stored = self.records.stored();
        let written_at = stored.last_written_at();
        if !stored.is_empty() && ctx.options().is_checkpoint_expired(written_at, ctx.now()) {
            return self.delete_records(ctx, false, AfterDelete::Start);
        }
        let Some(upload) = &stored.upload else { return self.request_credential(ctx) };
        match upload.checkpoint.phase.clone() {
            UploadPhase::Receiving | UploadPhase::Completing => {
                self.progress.reset_to(upload.checkpoint.durable());
                self.request_credential(ctx);
            }
            // The uploader that completed it stopped before it deleted the records.
            UploadPhase::Completed(object) => self.complete(ctx, &object),
            UploadPhase::Aborted => self.delete_records(ctx, false, AfterDelete::Start),
            UploadPhase::Lost { .. } => self.delete_records(ctx, true, AfterDelete::Start),
        }
    }

    /// Requests a credential for the start of the file.
    pub(super) fn request_credential(&mut self, ctx: &mut QueueContext) {
        self.state = EntryState::AwaitingCredential;
        let event = Event::UploadStarted {
            file: self.id,
            name: self.file.name().to_owned(),
            kind: self.file.kind(),
            media_id: self.refreshable_media_id(),
            durable: self.progress.durable(),
        };
        self.emit(ctx, event);
        self.continue_start(ctx);
    }

    /// Continues with the supplied credential, if any.
    pub(super) fn continue_start(&mut self, ctx: &mut QueueContext) {
        let supplied = match self.credentials.take_pending() {
            None => return,
            Some(PendingCredential::Sts(token)) => {
                return match self.check_media_id_known() {
                    Ok(()) => self.call_vod(ctx, token),
                    Err(error) => self.fail(ctx, error),
                };
            }
            Some(PendingCredential::Oss(supplied)) => supplied,
        };
        if matches!(supplied, OssCredential::AuthAndAddress { .. }) {
            self.binding.set_media_url(None);
        }
        match self.use_supplied(supplied, ctx.now()) {
            Ok((credential, media_id)) => self.prepare_upload(ctx, credential, media_id),
            Err(error) => self.fail(ctx, error),
        }
    }

    /// Requests a credential from VOD: for the media ID, if present and refreshable, or for a new
    /// one.
    pub(super) fn call_vod(&mut self, ctx: &mut QueueContext, token: StsToken) {
        self.credentials.set_mode(CredentialMode::Sts(token.clone()));
        if let Some(credential) = self.reusable_credential(ctx) {
            let media_id = self.binding.media_id().map(str::to_owned);
            return self.prepare_upload(ctx, credential, media_id);
        }
        self.state = EntryState::RequestingMedia;
        if !token.is_usable_at(ctx.now()) {
            return self.wait_for_credential(ctx, None);
        }
        let action = match self.refreshable_media_id() {
            Some(video_id) => VodAction::Refresh { video_id },
            None => VodAction::Create,
        };
        self.vod_call = Some(VodCall::new(action, token.credential, ctx.now()));
        self.advance_vod_call(ctx);
    }

    /// Returns the current credential, if VOD would otherwise create another object.
    fn reusable_credential(&self, ctx: &QueueContext) -> Option<UploadCredential> {
        let upload = self.records.upload().filter(|_| !self.file.is_refreshable())?;
        let current =
            self.credentials.current().filter(|current| current.is_usable_at(ctx.now()))?;
        is_same_object(&upload.address(), &current.address).then(|| current.clone())
    }

    /// Accepts VOD's response to the request of a starting file.
    pub(super) fn on_vod_result_at_start(
        &mut self,
        ctx: &mut QueueContext,
        result: Result<UploadGrant>,
    ) {
        match result {
            Ok(grant) => {
                self.binding.set_media_url(grant.media_url.or(grant.file_url));
                let mut credential = grant.credential;
                self.file.override_address(&mut credential.address);
                self.prepare_upload(ctx, credential, Some(grant.media_id));
            }
            // The media was deleted at VOD, so its stored upload is useless.
            Err(error)
                if error.kind() == ErrorKind::MediaNotFound
                    && self.binding.media_id().is_some() =>
            {
                self.state = EntryState::PreparingUpload;
                self.delete_records(ctx, false, AfterDelete::Start);
            }
            Err(error) if error.kind().retry() == Retry::WithNewCredential => {
                self.wait_for_credential(ctx, Some(error));
            }
            Err(error) => self.fail(ctx, error),
        }
    }

    /// Waits for a new credential without a session. `rejection` is why the last one was rejected.
    pub(super) fn wait_for_credential(&mut self, ctx: &mut QueueContext, rejection: Option<Error>) {
        if let Some(error) = &rejection {
            self.credentials.count_rejection();
            if self.credentials.rejections() >= REJECTIONS_MAX {
                return self.fail(ctx, error.clone());
            }
        }
        self.state = EntryState::TokenExpired;
        if self.credentials.has_pending() {
            return self.continue_start(ctx);
        }
        self.emit(ctx, Event::TokenExpired(self.token_expiry(rejection)));
    }

    pub(super) fn token_expiry(&self, error: Option<Error>) -> TokenExpiry {
        TokenExpiry {
            file: self.id,
            media_id: self.refreshable_media_id(),
            expires_at: self.credentials.expires_at(),
            error,
        }
    }

    /// Returns the media ID, if its credential can be refreshed.
    pub(super) fn refreshable_media_id(&self) -> Option<String> {
        self.binding.media_id().filter(|_| self.file.is_refreshable()).map(str::to_owned)
    }

    /// Creates or continues the upload that `credential` is for.
    pub(super) fn prepare_upload(
        &mut self,
        ctx: &mut QueueContext,
        credential: UploadCredential,
        media_id: Option<String>,
    ) {
        let target = ctx.options().target(&credential);
        if let Err(error) = target.bucket() {
            return self.fail(ctx, error);
        }
        let stored = self.records.upload().map(|upload| upload.address());
        let has_upload = stored.is_some();
        let replaced = stored.filter(|stored| !is_same_object(stored, &credential.address));
        if let Some(replaced) = &replaced {
            if self.file.is_refreshable() {
                return self.fail(ctx, wrong_object(replaced, &credential.address));
            }
            // It is the media ID of the replaced object.
            self.binding.set_media_id(None);
        }
        self.binding.bind(credential.address.clone(), media_id, self.file.is_refreshable());
        self.credentials.set_current(credential.clone());
        if !credential.is_usable_at(ctx.now()) {
            // A credential supplied early may have expired. One that VOD has just issued has not,
            // unless the local clock is wrong: then the next one would be unusable, too.
            let rejection = self.credentials.sts_token().is_some().then(|| {
                let message = "VOD returned a credential that is already expired according to \
                               this host's clock";
                Error::new(ErrorKind::CredentialExpired, message)
            });
            return self.wait_for_credential(ctx, rejection);
        }
        self.state = EntryState::PreparingUpload;
        if replaced.is_some() {
            let media_id = self.binding.media_id().map(str::to_owned);
            let address = credential.address.clone();
            let then = AfterDelete::PrepareUpload(Box::new(credential), media_id);
            self.delete_records(ctx, false, then);
            // The deleted records are those of the replaced object. The file is bound to this one.
            self.binding.set_address(Some(address));
        } else if has_upload {
            self.records.set_target(target);
            self.start_session(ctx, LeaseAcquisition::TakeOver, SessionKind::Transfer);
        } else {
            self.create_upload(ctx, target);
        }
    }

    fn create_upload(&mut self, ctx: &mut QueueContext, target: Target) {
        let media_id = self.binding.media_id();
        let record = UploadRecord {
            created_at_ms: ctx.now().0,
            file_name: self.file.name().to_owned(),
            length_bytes: self.file.size().map(|size| size.bytes()),
            media_id: media_id.unwrap_or_default().to_owned(),
            target,
            content_type: None,
            client_metadata: None,
            credential_from_vod: false,
            kind: UploadKind::Regular,
        };
        let key = ctx.new_upload_key();
        let event = self.records.save(ctx, key, record, media_id);
        self.on_record_event(ctx, event);
    }

    fn on_records_saved(&mut self, ctx: &mut QueueContext, result: Result<()>) {
        match (&self.state, result) {
            (EntryState::Stopping { .. }, _) => self.on_stopped(ctx),
            (EntryState::Canceling, result) => {
                self.delete_records(ctx, false, AfterDelete::Cancel(result.err()));
            }
            _ if !self.is_listed() => {}
            (_, Err(error)) => self.fail(ctx, error),
            (_, Ok(())) => self.start_session(ctx, LeaseAcquisition::New, SessionKind::Transfer),
        }
    }
}
