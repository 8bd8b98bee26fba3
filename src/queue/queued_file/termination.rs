//! How a file becomes idle: completed, failed, stopped, canceled or removed.

use super::active_session::SessionKind;
use super::credentials::FileCredentials;
use super::entry_state::EntryState;
use super::object_binding::{ObjectBinding, is_same_object};
use super::{Listing, QueuedFile};
use crate::error::{Error, ErrorKind};
use crate::queue::context::QueueContext;
use crate::queue::interface::{Event, Succeeded};
use crate::queue::records::{AfterDelete, AfterLookup};
use crate::units::ByteCount;
use crate::upload::{CompletedObject, LeaseAcquisition, UploadPhase};

impl QueuedFile {
    /// `delete-file`
    pub(in crate::queue) fn delete(&mut self, ctx: &mut QueueContext) {
        self.listing = Listing::RemovedWhenIdle;
        match self.state {
            // It is removed immediately. A deletion of its records continues.
            EntryState::Success | EntryState::Canceled => self.listing = Listing::Detached,
            EntryState::Canceling => {}
            _ => self.cancel(ctx),
        }
    }

    /// `cancel-file`
    pub(in crate::queue) fn cancel(&mut self, ctx: &mut QueueContext) {
        self.credentials.take_pending();
        self.cancel_vod_call(ctx);
        let before = std::mem::replace(&mut self.state, EntryState::Canceling);
        if self.session.is_some() {
            // A session of a stopping file is canceled already.
            if !matches!(before, EntryState::Stopping { .. }) {
                self.cancel_session(ctx, stopped());
            }
        } else if self.records.is_busy() {
            // A write or a deletion is completed first.
            self.records.redirect_lookup(AfterLookup::Cancel);
        } else if before.awaits_credential() {
            self.cancel_stored(ctx);
        } else {
            self.start_lookup(ctx, AfterLookup::Cancel);
        }
    }

    /// Deletes the stored upload: its parts in OSS and its records.
    pub(super) fn cancel_stored(&mut self, ctx: &mut QueueContext) {
        match self.records.upload().map(|upload| upload.checkpoint.phase.clone()) {
            Some(UploadPhase::Completed(object)) => self.complete(ctx, &object),
            Some(UploadPhase::Receiving | UploadPhase::Completing) => self.abort(ctx),
            Some(UploadPhase::Aborted | UploadPhase::Lost { .. }) | None => {
                self.delete_records(ctx, false, AfterDelete::Cancel(None));
            }
        }
    }

    /// Deletes the parts in OSS.
    pub(super) fn abort(&mut self, ctx: &mut QueueContext) {
        let Some(upload) = self.records.upload() else {
            return self.delete_records(ctx, false, AfterDelete::Cancel(None));
        };
        let address = upload.address();
        let current = self.credentials.current();
        if !current.is_some_and(|current| is_same_object(&current.address, &address)) {
            let leftover = upload.checkpoint.upload_id.is_some().then(no_credential);
            return self.delete_records(ctx, false, AfterDelete::Cancel(leftover));
        }
        self.start_session(ctx, LeaseAcquisition::TakeOver, SessionKind::Abort);
    }

    /// Completes the file, whose object is complete. The app is notified before the records are
    /// deleted. After a crash between the two, the next uploader finds the complete object and does
    /// not upload the file again as another media asset.
    pub(super) fn complete(&mut self, ctx: &mut QueueContext, object: &CompletedObject) {
        let Some(upload) = self.records.upload() else {
            let message = "a completed session without an upload";
            return self.fail(ctx, Error::new(ErrorKind::Internal, message));
        };
        let address = upload.address();
        let media_id = self.binding.media_id().map(str::to_owned);
        let size = ByteCount(object.size_bytes);
        let succeeded = Succeeded {
            file: self.id,
            media_id: media_id.clone(),
            endpoint: address.endpoint.clone(),
            bucket: address.bucket.clone(),
            object: address.object.clone(),
            size,
            crc64: object.crc64,
            media_url: self.binding.media_url().map(str::to_owned),
        };
        self.delete_records(ctx, false, AfterDelete::Nothing);
        self.state = EntryState::Success;
        self.binding.set_address(Some(address));
        self.binding.set_media_id(media_id);
        self.progress.reset_to(size);
        self.emit_progress(ctx);
        self.emit(ctx, Event::Succeeded(Box::new(succeeded)));
    }

    /// Stops the file because the queue stops.
    pub(in crate::queue) fn stop(&mut self, ctx: &mut QueueContext) {
        if let EntryState::Stopping { restart } = &mut self.state {
            *restart = false;
            return;
        }
        if !self.is_active() || self.state == EntryState::Canceling {
            return;
        }
        self.cancel_vod_call(ctx);
        self.state = EntryState::Stopping { restart: false };
        if self.session.is_some() {
            return self.cancel_session(ctx, stopped());
        }
        self.records.cancel_lookup();
        if !self.records.is_busy() {
            self.on_stopped(ctx);
        }
    }

    /// Stops or restarts the file, after everything that was in progress has ended.
    pub(super) fn on_stopped(&mut self, ctx: &mut QueueContext) {
        let restart = self.state == EntryState::Stopping { restart: true };
        self.progress.discard_unconfirmed();
        self.emit(ctx, Event::Stopped { file: self.id, durable: self.progress.durable() });
        self.state = if restart { EntryState::Ready } else { EntryState::Stopped };
    }

    /// Makes a failed or stopped file ready again because a run starts.
    pub(in crate::queue) fn on_run_started(&mut self) {
        match &mut self.state {
            EntryState::Failure(_) | EntryState::Stopped => self.state = EntryState::Ready,
            EntryState::Stopping { restart } => *restart = true,
            _ => {}
        }
    }

    /// `resume-file`
    pub(in crate::queue) fn resume(&mut self) {
        self.state = EntryState::Ready;
    }

    /// Removes the file from the list immediately. A cancellation or deletion in progress
    /// continues; other work is aborted.
    pub(in crate::queue) fn remove(&mut self, ctx: &mut QueueContext) {
        if self.state == EntryState::Canceling {
            let message = "the list was cleaned before the cancellation completed";
            let leftover_error = Some(Error::new(ErrorKind::UploadStopped, message));
            self.emit(ctx, Event::Canceled { file: self.id, leftover_error });
        } else if self.is_active() {
            self.discard_session(ctx);
            self.cancel_vod_call(ctx);
            // A write continues: it must not arrive after writes for the same file, added again.
            self.records.cancel_lookup();
            self.state = EntryState::Stopping { restart: false };
            self.on_stopped(ctx);
        }
        self.listing = Listing::Detached;
    }

    /// `clear-checkpoint`
    pub(in crate::queue) fn clear_checkpoint(&mut self, ctx: &mut QueueContext) {
        match self.state {
            EntryState::AwaitingCredential | EntryState::TokenExpired => {
                self.state = EntryState::PreparingUpload;
                self.delete_records(ctx, false, AfterDelete::Start);
            }
            EntryState::Transferring => self.restart_without_media_id(ctx, stopped()),
            // A deletion in progress has the same effect.
            _ if self.records.is_busy() => {}
            _ => {
                self.start_lookup(ctx, AfterLookup::Clear);
                // From this call on, the file is bound to no object.
                self.binding.set_address(None);
            }
        }
    }

    /// Deletes the records of the file. The media ID remains if `keep_media_id`.
    pub(super) fn delete_records(
        &mut self,
        ctx: &mut QueueContext,
        keep_media_id: bool,
        then: AfterDelete,
    ) {
        let has_sent = self.progress.has_sent();
        self.progress.reset_to(ByteCount::ZERO);
        let mut retained_media_id = None;
        if keep_media_id {
            retained_media_id = self.binding.media_id().map(str::to_owned);
        } else {
            self.binding.set_media_id(None);
            self.binding.set_address(None);
            self.credentials.discard_current();
        }
        let event = self.records.delete(ctx, retained_media_id, has_sent, then);
        self.on_record_event(ctx, event);
    }

    pub(super) fn on_records_deleted(
        &mut self,
        ctx: &mut QueueContext,
        had_parts: bool,
        then: AfterDelete,
    ) {
        match (then, &self.state) {
            (AfterDelete::Cancel(leftover_error), _) => self.on_canceled(ctx, leftover_error),
            (_, EntryState::Canceling) => self.on_canceled(ctx, had_parts.then(no_credential)),
            _ if !self.is_listed() => {}
            (_, EntryState::Stopping { .. }) => self.on_stopped(ctx),
            (AfterDelete::Fail(error), _) => self.fail(ctx, error),
            (AfterDelete::Start, _) => self.request_credential(ctx),
            (AfterDelete::PrepareUpload(credential, media_id), _) => {
                self.prepare_upload(ctx, *credential, media_id)
            }
            (AfterDelete::Nothing, _) => {}
        }
    }

    fn on_canceled(&mut self, ctx: &mut QueueContext, leftover_error: Option<Error>) {
        self.state = EntryState::Canceled;
        self.binding = ObjectBinding::default();
        self.credentials = FileCredentials::default();
        self.progress.reset_to(ByteCount::ZERO);
        self.emit(ctx, Event::Canceled { file: self.id, leftover_error });
    }

    pub(super) fn fail(&mut self, ctx: &mut QueueContext, error: Error) {
        self.state = EntryState::Failure(error.clone());
        self.progress.discard_unconfirmed();
        self.emit(ctx, Event::Failed { file: self.id, error, durable: self.progress.durable() });
    }
}

fn no_credential() -> Error {
    let message = "no credential is available to abort the multipart upload";
    Error::new(ErrorKind::CredentialRequired, message)
}

fn stopped() -> Error {
    Error::new(ErrorKind::UploadStopped, "the upload was stopped")
}
