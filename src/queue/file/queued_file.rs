//! One file of the list: its state, and the order in which its state machines run.

use super::active_session::{
    ActiveSession, Renewal, SessionEnd, SessionEvent, SessionKind, source_not_requested,
};
use super::credential_check::CredentialCheck;
use super::credential_source::PendingCredential;
use super::credentials::{Acceptance, CredentialStep, FileCredentials};
use super::entry_state::EntryState;
use super::object_binding::is_same_object;
use super::transfer_progress::TransferProgress;
use super::validated_file::ValidatedFile;
use crate::credential::UploadCredential;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::queue::context::QueueContext;
use crate::queue::interface::{
    Event, FileId, FileInfo, FileState, Input, Output, Progress, SessionId, TokenExpiry,
};
use crate::queue::records::{AfterDelete, AfterLookup, CheckpointLookup, FileRecords, RecordEvent};
use crate::units::{ByteCount, UnixMillis};
use crate::upload::{
    CompletedObject, FillRequest, Input as SessionInput, LeaseAcquisition, UploadPhase,
};

/// One file of the list.
#[derive(Debug)]
pub(in crate::queue) struct QueuedFile {
    id: FileId,
    file: ValidatedFile,
    state: EntryState,
    listing: Listing,
    records: FileRecords,
    credentials: FileCredentials,
    progress: TransferProgress,
    deadline: Option<UnixMillis>,
    session: Option<ActiveSession>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listing {
    Listed,
    /// Removed from the list once the file is idle.
    RemovedWhenIdle,
    /// No longer listed. The remaining work emits no events.
    Detached,
}

impl QueuedFile {
    pub(in crate::queue) fn new(id: FileId, file: ValidatedFile) -> Self {
        Self {
            id,
            state: EntryState::Ready,
            listing: Listing::Listed,
            records: FileRecords::new(file.fingerprint().cloned()),
            credentials: FileCredentials::default(),
            progress: TransferProgress::default(),
            deadline: None,
            session: None,
            file,
        }
    }

    pub(in crate::queue) const fn id(&self) -> FileId {
        self.id
    }

    pub(in crate::queue) fn state(&self) -> FileState {
        self.state.file_state(self.session.as_ref().map(ActiveSession::phase))
    }

    pub(in crate::queue) fn info(&self) -> FileInfo {
        let binding = self.credentials.binding();
        let [endpoint, bucket, object] = self.file.known_address(binding.address());
        FileInfo {
            id: self.id,
            name: self.file.name().to_owned(),
            size: self.file.size(),
            kind: self.file.kind(),
            state: self.state(),
            progress: self.progress(),
            media_id: binding.media_id().map(str::to_owned),
            endpoint,
            bucket,
            object,
        }
    }

    pub(in crate::queue) fn checkpoint_lookup(&self) -> CheckpointLookup {
        self.records.checkpoint_lookup()
    }

    pub(in crate::queue) const fn is_active(&self) -> bool {
        self.state.is_active()
    }

    /// Returns true if records are being read, written or deleted outside of a session.
    pub(in crate::queue) const fn is_accessing_records(&self) -> bool {
        self.records.is_busy()
    }

    pub(in crate::queue) fn is_listed(&self) -> bool {
        self.listing != Listing::Detached
    }

    /// Returns true if the file is to be removed, and nothing of it remains to be done.
    pub(in crate::queue) fn is_removable(&self) -> bool {
        self.listing != Listing::Listed && !self.is_active() && !self.records.is_busy()
    }

    pub(in crate::queue) fn is_same_file(&self, other: &ValidatedFile) -> bool {
        other.is_same_file(&self.file)
    }

    /// Returns true if the file must not start before `detached`, the same file but no longer
    /// listed, is removed. It could otherwise delete records that this file writes.
    pub(in crate::queue) fn waits_for(&self, detached: &Self) -> bool {
        !detached.is_listed() && self.file.is_same_file(&detached.file)
    }

    pub(in crate::queue) fn has_session(&self, id: SessionId) -> bool {
        self.session.as_ref().is_some_and(|session| session.id() == id)
    }

    /// Returns the fill that the running session requests.
    pub(in crate::queue) fn pending_fill(&self) -> Option<FillRequest> {
        self.session.as_ref()?.pending_fill()
    }

    /// Returns what a credential that the app supplies is checked against.
    pub(in crate::queue) const fn credential_check(&self) -> CredentialCheck<'_> {
        let (has_upload, has_session) = (self.records.upload().is_some(), self.session.is_some());
        CredentialCheck::new(&self.file, &self.state, &self.credentials, has_upload, has_session)
    }

    /// Returns true if a report of the driver concerns the file.
    pub(in crate::queue) fn accepts(&self, input: &Input) -> bool {
        match input {
            Input::Tick => true,
            Input::Kv { id, .. } => self.records.is_awaiting(*id),
            Input::VodResponse { id, .. } => self.credentials.is_awaiting_vod(*id),
            Input::Session { session, .. }
            | Input::SourceEnded { session, .. }
            | Input::SourceInterrupted { session, .. } => self.has_session(*session),
        }
    }

    /// Handles a report of the driver that the file [accepts](Self::accepts).
    pub(in crate::queue) fn handle(&mut self, ctx: &mut QueueContext, input: Input) {
        match input {
            Input::Tick => self.tick(ctx),
            Input::Kv { id, result } => {
                let event = self.records.on_kv_result(ctx, id, result);
                self.on_record_event(ctx, event);
            }
            Input::VodResponse { result, .. } => {
                let has_session = self.session.is_some();
                let step = self.credentials.on_vod_response(ctx, &self.file, result, has_session);
                self.on_credential_step(ctx, step);
            }
            Input::Session { input, .. } => self.handle_session_input(ctx, input),
            Input::SourceEnded { offset, .. } => self.on_source_ended(ctx, offset),
            Input::SourceInterrupted { reason, .. } => {
                let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
                self.cancel_session(ctx, Error::new(ErrorKind::SourceBroken, reason));
            }
        }
    }

    /// Returns when the next timer is due.
    pub(in crate::queue) fn next_wakeup(&self) -> Option<UnixMillis> {
        let deadline = self.deadline.filter(|_| self.is_deadline_active());
        let session = self.session.as_ref().and_then(ActiveSession::next_wakeup);
        let wakeups = [deadline, session, self.credentials.next_wakeup(), self.state.retry_at()];
        wakeups.into_iter().flatten().min()
    }

    /// Handles every timer that is due.
    fn tick(&mut self, ctx: &mut QueueContext) {
        let now = ctx.now();
        let is_due = |at: Option<UnixMillis>| at.is_some_and(|at| at <= now);
        if is_due(self.deadline) && self.is_deadline_active() {
            self.on_deadline(ctx);
        }
        if is_due(self.state.retry_at()) {
            self.start_session(ctx, LeaseAcquisition::TakeOver, SessionKind::Transfer);
        }
        let step = self.credentials.advance(ctx, &self.file, self.session.is_some());
        self.on_credential_step(ctx, step);
        if is_due(self.session.as_ref().and_then(ActiveSession::next_wakeup)) {
            self.handle_session_input(ctx, SessionInput::Tick);
        }
    }

    /// Returns true unless the file is being terminated, which the deadline does not interrupt.
    fn is_deadline_active(&self) -> bool {
        match self.state {
            // After a deletion, a failed file would continue.
            EntryState::Starting => !self.records.is_busy() || self.records.is_looking_up(),
            EntryState::Transferring => self.session.is_some(),
            EntryState::RetryWait(_) => true,
            _ => self.state.awaits_credential(),
        }
    }

    fn on_deadline(&mut self, ctx: &mut QueueContext) {
        let message = "the file was not uploaded within its deadline";
        let error = Error::new(ErrorKind::DeadlineExceeded, message);
        // The termination after it is not limited.
        self.deadline = None;
        if self.session.is_some() {
            return self.cancel_session(ctx, error);
        }
        self.records.cancel_lookup();
        self.credentials.cancel_vod_call(ctx);
        self.fail(ctx, error);
    }

    /// Starts the file: it becomes active.
    pub(in crate::queue) fn start(&mut self, ctx: &mut QueueContext) {
        self.state = EntryState::Starting;
        self.credentials.reset_rejections();
        self.progress.reset_retries();
        self.deadline = ctx.options().deadline_from(ctx.now());
        self.start_lookup(ctx, AfterLookup::Start);
    }

    fn start_lookup(&mut self, ctx: &mut QueueContext, then: AfterLookup) {
        let event = self.records.start_lookup(ctx, then);
        self.on_record_event(ctx, event);
    }

    fn on_record_event(&mut self, ctx: &mut QueueContext, event: Option<RecordEvent>) {
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
            self.credentials.restore(self.records.stored());
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
    fn request_credential(&mut self, ctx: &mut QueueContext) {
        self.state = EntryState::AwaitingCredential;
        let event = Event::UploadStarted {
            file: self.id,
            name: self.file.name().to_owned(),
            kind: self.file.kind(),
            media_id: self.credentials.refreshable_media_id(&self.file),
            durable: self.progress.durable(),
        };
        self.emit(ctx, event);
        self.continue_start(ctx);
    }

    /// Continues with the supplied credential, if any.
    fn continue_start(&mut self, ctx: &mut QueueContext) {
        let step = self.credentials.use_pending(ctx, &self.file, self.records.upload());
        self.on_credential_step(ctx, step);
    }

    /// Uses a supplied credential now if the file waits for one or a session is running; otherwise
    /// once the file is active.
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
            self.credentials.cancel_vod_call(ctx);
            self.continue_start(ctx);
        }
    }

    /// Handles what follows from a supplied credential or from a VOD call.
    fn on_credential_step(&mut self, ctx: &mut QueueContext, step: Result<CredentialStep>) {
        if self.session.is_some() {
            return self.on_renewal(ctx, step);
        }
        match step {
            Ok(CredentialStep::Pending) => {}
            Ok(CredentialStep::Requested) => self.state = EntryState::RequestingMedia,
            Ok(CredentialStep::Usable(credential, media_id)) => {
                self.prepare_upload(ctx, credential, media_id);
            }
            Ok(CredentialStep::Missing(rejection)) => self.wait_for_credential(ctx, rejection),
            Ok(CredentialStep::MediaDeleted(_)) => {
                self.state = EntryState::PreparingUpload;
                self.delete_records(ctx, false, AfterDelete::Start);
            }
            Err(error) => self.fail(ctx, error),
        }
    }

    /// Waits for a new credential without a session. `rejection` is why the last one was rejected.
    fn wait_for_credential(&mut self, ctx: &mut QueueContext, rejection: Option<Error>) {
        if let Some(error) = &rejection
            && self.credentials.count_rejection()
        {
            return self.fail(ctx, error.clone());
        }
        self.state = EntryState::TokenExpired;
        if self.credentials.source().has_pending() {
            return self.continue_start(ctx);
        }
        self.emit_token(ctx, Event::TokenExpired, rejection);
    }

    /// Creates or continues the upload that `credential` is for.
    fn prepare_upload(
        &mut self,
        ctx: &mut QueueContext,
        credential: Box<UploadCredential>,
        media_id: Option<String>,
    ) {
        let target = ctx.options().target(&credential);
        if let Err(error) = target.bucket() {
            return self.fail(ctx, error);
        }
        let upload = self.records.upload();
        let accepted =
            self.credentials.accept(ctx.now(), &self.file, upload, &credential, media_id);
        match accepted {
            Err(error) => return self.fail(ctx, error),
            Ok(Acceptance::Expired(rejection)) => return self.wait_for_credential(ctx, rejection),
            Ok(Acceptance::Usable | Acceptance::ReplacesUpload) => {}
        }
        self.state = EntryState::PreparingUpload;
        let media_id = self.credentials.binding().media_id().map(str::to_owned);
        if matches!(accepted, Ok(Acceptance::ReplacesUpload)) {
            let address = credential.address.clone();
            self.delete_records(ctx, false, AfterDelete::PrepareUpload(credential, media_id));
            // The deleted records are those of the replaced object. The file is bound to this one.
            self.credentials.rebind(address, None);
        } else if upload.is_some() {
            self.records.set_target(target);
            self.start_session(ctx, LeaseAcquisition::TakeOver, SessionKind::Transfer);
        } else {
            let record = self.file.upload_record(ctx.now(), target, media_id.as_deref());
            let key = ctx.new_upload_key();
            let event = self.records.save(ctx, key, record, media_id.as_deref());
            self.on_record_event(ctx, event);
        }
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

    /// Starts a session on the stored upload with the current credential.
    fn start_session(
        &mut self,
        ctx: &mut QueueContext,
        acquisition: LeaseAcquisition,
        kind: SessionKind,
    ) {
        let (Some(upload), Some(credential)) = (self.records.upload(), self.credentials.current())
        else {
            let message = "a session without an upload or without a credential";
            return self.fail(ctx, Error::new(ErrorKind::Internal, message));
        };
        let replayable = kind == SessionKind::Transfer;
        let can_renew = self.credentials.can_renew(&self.file);
        let options = ctx.session_options(credential.clone(), can_renew, replayable);
        match ActiveSession::start(ctx, upload, acquisition, kind, options) {
            Ok(session) => {
                let (id, file, size) = (session.id(), self.id, self.file.size());
                ctx.output(Output::SessionStarted { session: id, file, size });
                if kind == SessionKind::Transfer {
                    self.state = EntryState::Transferring;
                }
                self.session = Some(session);
                self.process_session(ctx);
                if let Some(pending) = self.credentials.take_pending()
                    && self.session.is_some()
                {
                    self.renew_credential(ctx, pending);
                }
            }
            Err(error) if kind == SessionKind::Abort => {
                self.delete_records(ctx, false, AfterDelete::Cancel(Some(error)));
            }
            Err(error) => self.fail(ctx, error),
        }
    }

    /// Passes an input to the session, and processes its outputs.
    fn handle_session_input(&mut self, ctx: &mut QueueContext, input: SessionInput) {
        let Some(session) = &mut self.session else { return };
        match session.handle(ctx.now(), input) {
            Ok(()) => self.process_session(ctx),
            // A driver bug: a failure is better than a session that never ends.
            Err(misuse) => {
                self.discard_session(ctx);
                self.fail(ctx, misuse);
            }
        }
    }

    fn discard_session(&mut self, ctx: &mut QueueContext) {
        if let Some(session) = self.session.take() {
            session.discard(ctx);
        }
    }

    /// Ends the session. Confirmed parts are recorded first.
    fn cancel_session(&mut self, ctx: &mut QueueContext, reason: Error) {
        self.credentials.cancel_vod_call(ctx);
        self.handle_session_input(ctx, SessionInput::Cancel(reason));
    }

    /// Handles all events of the session.
    fn process_session(&mut self, ctx: &mut QueueContext) {
        while let Some(session) = &mut self.session {
            let awaits_vod = self.credentials.is_calling_vod();
            let Some(event) = session.next_event(ctx, &mut self.progress, awaits_vod) else {
                return;
            };
            let is_transferring = self.state == EntryState::Transferring;
            match event {
                SessionEvent::CredentialDue => {
                    let step = self.credentials.obtain(ctx, &self.file, is_transferring);
                    self.on_renewal(ctx, step);
                }
                SessionEvent::Durable => self.credentials.reset_rejections(),
                SessionEvent::SourceRequested(offset) => {
                    self.emit(ctx, Event::SourceRequested { file: self.id, offset });
                }
                SessionEvent::Progress(sent) if is_transferring => {
                    self.progress.set_sent(sent);
                    self.emit_progress(ctx);
                }
                SessionEvent::Progress(_) => {}
                SessionEvent::Blocked(rejection) => {
                    self.emit_token(ctx, Event::TokenExpired, rejection);
                }
                SessionEvent::Ended(end) => self.on_session_ended(ctx, end),
            }
        }
    }

    /// `supply-source`: returns the session that accepts the bytes.
    pub(in crate::queue) fn supply_source(&mut self, offset: ByteCount) -> Result<SessionId> {
        self.session.as_mut().ok_or_else(source_not_requested)?.supply_source(offset)
    }

    /// Handles the end of the supplied bytes before the end of the file.
    fn on_source_ended(&mut self, ctx: &mut QueueContext, offset: ByteCount) {
        if self.session.as_mut().is_none_or(|session| session.end_source(offset)) {
            return self.process_session(ctx);
        }
        let size = self.file.size().unwrap_or_default().bytes();
        let message = format!("the source ended at {} of {size} bytes", offset.bytes());
        self.cancel_session(ctx, Error::new(ErrorKind::LengthMismatch, message));
    }

    /// Uses a supplied credential for the running session.
    fn renew_credential(&mut self, ctx: &mut QueueContext, pending: PendingCredential) {
        let awaits = self.session.as_ref().is_some_and(ActiveSession::has_credential_request);
        let step = self.credentials.renew(ctx, &self.file, pending, awaits);
        self.on_renewal(ctx, step);
    }

    /// Handles what follows from a credential for the running session.
    fn on_renewal(&mut self, ctx: &mut QueueContext, step: Result<CredentialStep>) {
        let Some(session) = &mut self.session else { return };
        let step = match step {
            // The app is not asked for another credential too often, or during a termination.
            Ok(CredentialStep::Missing(Some(error)))
                if self.state != EntryState::Transferring || self.credentials.count_rejection() =>
            {
                Err(error)
            }
            step => step,
        };
        match session.renew(step) {
            Renewal::Pending => {}
            Renewal::Resolved(result) => {
                self.handle_session_input(ctx, SessionInput::Credential(result))
            }
            Renewal::Expiring(error) => self.emit_token(ctx, Event::TokenExpiring, error),
            Renewal::Expired(error) => self.emit_token(ctx, Event::TokenExpired, error),
            Renewal::MediaDeleted(error) => self.restart_without_media_id(ctx, error),
        }
    }

    /// Ends the session, after which the file starts again with another media ID.
    fn restart_without_media_id(&mut self, ctx: &mut QueueContext, reason: Error) {
        if let Some(session) = &mut self.session {
            session.restart_file_at_end();
            if self.state == EntryState::Transferring {
                self.state = EntryState::PreparingUpload;
                self.credentials.unbind_object();
            }
        }
        self.cancel_session(ctx, reason);
    }

    fn on_session_ended(&mut self, ctx: &mut QueueContext, end: SessionEnd) {
        self.session = None;
        self.credentials.cancel_vod_call(ctx);
        match (end, &self.state) {
            (SessionEnd::Completed(object), _) => self.complete(ctx, &object),
            (SessionEnd::AbortEnded(leftover_error), _) => {
                self.delete_records(ctx, false, AfterDelete::Cancel(leftover_error));
            }
            (_, EntryState::Canceling) => self.abort(ctx),
            // Even if the file is being stopped: the stored upload is useless.
            (SessionEnd::RestartFile, _) => self.delete_records(ctx, false, AfterDelete::Start),
            (_, EntryState::Stopping { .. }) => self.on_stopped(ctx),
            (SessionEnd::UploadGone { error, keep_media_id }, _) => {
                self.delete_records(ctx, keep_media_id, AfterDelete::Fail(error));
            }
            (SessionEnd::Failed { error, is_retryable: true }, _) => {
                match self.progress.next_retry(ctx) {
                    Some(at) => self.state = EntryState::RetryWait(at),
                    None => self.fail(ctx, error),
                }
            }
            (SessionEnd::Failed { error, .. }, _)
                if self.credentials.can_renew(&self.file)
                    || error.kind().retry() != Retry::WithNewCredential =>
            {
                self.fail(ctx, error);
            }
            (SessionEnd::Failed { error, .. }, _) => {
                let upload = self.records.upload();
                let step = self.credentials.replace_rejected(ctx, &self.file, upload, error);
                self.on_credential_step(ctx, step);
            }
        }
    }

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
        self.credentials.cancel_vod_call(ctx);
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
    fn cancel_stored(&mut self, ctx: &mut QueueContext) {
        match self.records.upload().map(|upload| upload.checkpoint.phase.clone()) {
            Some(UploadPhase::Completed(object)) => self.complete(ctx, &object),
            Some(UploadPhase::Receiving | UploadPhase::Completing) => self.abort(ctx),
            Some(UploadPhase::Aborted | UploadPhase::Lost { .. }) | None => {
                self.delete_records(ctx, false, AfterDelete::Cancel(None));
            }
        }
    }

    /// Deletes the parts in OSS.
    fn abort(&mut self, ctx: &mut QueueContext) {
        let Some(upload) = self.records.upload() else {
            return self.delete_records(ctx, false, AfterDelete::Cancel(None));
        };
        let current = self.credentials.current();
        if !current.is_some_and(|current| is_same_object(&current.address, &upload.address())) {
            let leftover = upload.checkpoint.upload_id.is_some().then(no_credential);
            return self.delete_records(ctx, false, AfterDelete::Cancel(leftover));
        }
        self.start_session(ctx, LeaseAcquisition::TakeOver, SessionKind::Abort);
    }

    /// Completes the file, whose object is complete. The app is notified before the records are
    /// deleted. After a crash between the two, the next uploader finds the complete object and does
    /// not upload the file again as another media asset.
    fn complete(&mut self, ctx: &mut QueueContext, object: &CompletedObject) {
        let Some(upload) = self.records.upload() else {
            let message = "a completed session without an upload";
            return self.fail(ctx, Error::new(ErrorKind::Internal, message));
        };
        let address = upload.address();
        let succeeded = self.credentials.binding().succeeded(self.id, &address, object);
        self.delete_records(ctx, false, AfterDelete::Nothing);
        self.state = EntryState::Success;
        self.credentials.rebind(address, succeeded.media_id.clone());
        self.progress.reset_to(succeeded.size);
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
        self.credentials.cancel_vod_call(ctx);
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
    fn on_stopped(&mut self, ctx: &mut QueueContext) {
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
            self.credentials.cancel_vod_call(ctx);
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
                self.credentials.unbind_object();
            }
        }
    }

    /// Deletes the records of the file. The media ID remains if `keep_media_id`.
    fn delete_records(&mut self, ctx: &mut QueueContext, keep_media_id: bool, then: AfterDelete) {
        let has_sent = self.progress.has_sent();
        self.progress.reset_to(ByteCount::ZERO);
        let mut retained_media_id = None;
        if keep_media_id {
            retained_media_id = self.credentials.binding().media_id().map(str::to_owned);
        } else {
            self.credentials.unbind();
        }
        let event = self.records.delete(ctx, retained_media_id, has_sent, then);
        self.on_record_event(ctx, event);
    }

    fn on_records_deleted(&mut self, ctx: &mut QueueContext, had_parts: bool, then: AfterDelete) {
        match (then, &self.state) {
            (AfterDelete::Cancel(leftover_error), _) => self.on_canceled(ctx, leftover_error),
            (_, EntryState::Canceling) => self.on_canceled(ctx, had_parts.then(no_credential)),
            _ if !self.is_listed() => {}
            (_, EntryState::Stopping { .. }) => self.on_stopped(ctx),
            (AfterDelete::Fail(error), _) => self.fail(ctx, error),
            (AfterDelete::Start, _) => self.request_credential(ctx),
            (AfterDelete::PrepareUpload(credential, media_id), _) => {
                self.prepare_upload(ctx, credential, media_id);
            }
            (AfterDelete::Nothing, _) => {}
        }
    }

    fn on_canceled(&mut self, ctx: &mut QueueContext, leftover_error: Option<Error>) {
        self.state = EntryState::Canceled;
        self.credentials = FileCredentials::default();
        self.progress.reset_to(ByteCount::ZERO);
        self.emit(ctx, Event::Canceled { file: self.id, leftover_error });
    }

    fn fail(&mut self, ctx: &mut QueueContext, error: Error) {
        self.state = EntryState::Failure(error.clone());
        self.progress.discard_unconfirmed();
        self.emit(ctx, Event::Failed { file: self.id, error, durable: self.progress.durable() });
    }

    fn progress(&self) -> Progress {
        self.progress.report(self.file.size(), self.state == EntryState::Success)
    }

    fn emit_progress(&self, ctx: &mut QueueContext) {
        self.emit(ctx, Event::Progress { file: self.id, progress: self.progress() });
    }

    /// Emits an event about a credential that the app has to replace. See
    /// [`FileCredentials::token_expiry`].
    fn emit_token(
        &self,
        ctx: &mut QueueContext,
        event: impl FnOnce(TokenExpiry) -> Event,
        rejection: Option<Error>,
    ) {
        let expiry = self.credentials.token_expiry(self.id, &self.file, rejection);
        self.emit(ctx, event(expiry));
    }

    fn emit(&self, ctx: &mut QueueContext, event: Event) {
        if self.is_listed() {
            ctx.event(event);
        }
    }
}

fn no_credential() -> Error {
    let message = "no credential is available to abort the multipart upload";
    Error::new(ErrorKind::CredentialRequired, message)
}

fn stopped() -> Error {
    Error::new(ErrorKind::UploadStopped, "the upload was stopped")
}

/// Maximum length of a supplier's reason in an error message.
const REASON_CHARS_MAX: usize = 512;
