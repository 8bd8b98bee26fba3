//! One file of the list: its components, its state, and the routing of inputs to the components.
//!
//! Each component owns its state. The files that implement [`QueuedFile`] coordinate them, by
//! subject.

mod active_session;
mod credential_calls;
mod credentials;
mod entry_state;
mod object_binding;
mod session_end;
mod sessions;
mod start;
mod sts_token;
mod termination;
mod transfer_progress;
mod validated_file;
mod vod_call;

pub(super) use credentials::PendingCredential;
pub use sts_token::StsToken;
pub(super) use validated_file::ValidatedFile;

use crate::error::{Error, ErrorKind, Result};
use crate::oss::HttpResponse;
use crate::queue::context::QueueContext;
use crate::queue::interface::{
    Event, FileId, FileInfo, FileState, KvId, Progress, SessionId, VodCallId,
};
use crate::queue::records::{CheckpointLookup, FileRecords};
use crate::units::UnixMillis;
use crate::upload::{FillRequest, Input};
use active_session::ActiveSession;
use credentials::FileCredentials;
use entry_state::EntryState;
use object_binding::ObjectBinding;
use transfer_progress::TransferProgress;
use vod_call::VodCall;

/// One file of the list.
#[derive(Debug)]
pub(super) struct QueuedFile {
    id: FileId,
    file: ValidatedFile,
    state: EntryState,
    listing: Listing,
    records: FileRecords,
    credentials: FileCredentials,
    binding: ObjectBinding,
    progress: TransferProgress,
    deadline: Option<UnixMillis>,
    vod_call: Option<VodCall>,
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
    pub(super) fn new(id: FileId, file: ValidatedFile) -> Self {
        Self {
            id,
            state: EntryState::Ready,
            listing: Listing::Listed,
            records: FileRecords::new(file.fingerprint().cloned()),
            credentials: FileCredentials::default(),
            binding: ObjectBinding::default(),
            progress: TransferProgress::default(),
            deadline: None,
            vod_call: None,
            session: None,
            file,
        }
    }

    pub(super) const fn id(&self) -> FileId {
        self.id
    }

    pub(super) fn state(&self) -> FileState {
        self.state.file_state(self.session.as_ref().map(ActiveSession::phase))
    }

    pub(super) fn info(&self) -> FileInfo {
        let [endpoint, bucket, object] = self.file.known_address(self.binding.address());
        FileInfo {
            id: self.id,
            name: self.file.name().to_owned(),
            size: self.file.size(),
            kind: self.file.kind(),
            state: self.state(),
            progress: self.progress(),
            media_id: self.binding.media_id().map(str::to_owned),
            endpoint,
            bucket,
            object,
        }
    }

    pub(super) fn checkpoint_lookup(&self) -> CheckpointLookup {
        self.records.checkpoint_lookup()
    }

    pub(super) const fn is_active(&self) -> bool {
        self.state.is_active()
    }

    pub(super) fn is_ready(&self) -> bool {
        self.state == EntryState::Ready
    }

    pub(super) const fn has_failed(&self) -> bool {
        matches!(self.state, EntryState::Failure(_))
    }

    /// Returns `true` if records are being read, written or deleted outside of a session.
    pub(super) const fn is_accessing_records(&self) -> bool {
        self.records.is_busy()
    }

    pub(super) fn is_listed(&self) -> bool {
        self.listing != Listing::Detached
    }

    /// Returns `true` if the file is to be removed, and nothing of it remains to be done.
    pub(super) fn is_removable(&self) -> bool {
        self.listing != Listing::Listed && !self.is_active() && !self.records.is_busy()
    }

    pub(super) fn is_same_file(&self, other: &ValidatedFile) -> bool {
        other.is_same_file(&self.file)
    }

    /// Returns `true` if the file must not start before `detached`, the same file but no longer
    /// listed, is removed. It could otherwise delete records that this file writes.
    pub(super) fn waits_for(&self, detached: &Self) -> bool {
        !detached.is_listed() && self.file.is_same_file(&detached.file)
    }

    pub(super) fn has_session(&self, id: SessionId) -> bool {
        self.session.as_ref().is_some_and(|session| session.id() == id)
    }

    /// Returns the fill that the running session requests.
    pub(super) fn pending_fill(&self) -> Option<FillRequest> {
        self.session.as_ref()?.pending_fill()
    }

    pub(super) fn is_awaiting_kv(&self, id: KvId) -> bool {
        self.records.is_awaiting(id)
    }

    pub(super) fn is_awaiting_vod(&self, id: VodCallId) -> bool {
        self.vod_call.as_ref().is_some_and(|call| call.is_awaiting(id))
    }

    pub(super) fn on_kv_result(
        &mut self,
        ctx: &mut QueueContext,
        id: KvId,
        result: Result<Option<Vec<u8>>, String>,
    ) {
        let event = self.records.on_kv_result(ctx, id, result);
        self.on_record_event(ctx, event);
    }

    pub(super) fn on_vod_response(
        &mut self,
        ctx: &mut QueueContext,
        response: Result<HttpResponse>,
    ) {
        if let Some(call) = &mut self.vod_call
            && let Some(result) = call.on_response(ctx, &self.file, response)
        {
            self.on_vod_result(ctx, result);
        }
    }

    /// Returns when the next timer is due.
    pub(super) fn next_wakeup(&self) -> Option<UnixMillis> {
        let deadline = self.deadline.filter(|_| self.is_deadline_active());
        let session = self.session.as_ref().and_then(ActiveSession::next_wakeup);
        let vod_call = self.vod_call.as_ref().map(VodCall::next_wakeup);
        [deadline, session, vod_call, self.retry_at()].into_iter().flatten().min()
    }

    /// Handles every timer that is due.
    pub(super) fn tick(&mut self, ctx: &mut QueueContext) {
        let now = ctx.now();
        let is_due = |at: Option<UnixMillis>| at.is_some_and(|at| at <= now);
        if is_due(self.deadline) && self.is_deadline_active() {
            self.on_deadline(ctx);
        }
        if is_due(self.retry_at()) {
            self.resume_after_retry(ctx);
        }
        self.advance_vod_call(ctx);
        if is_due(self.session.as_ref().and_then(ActiveSession::next_wakeup)) {
            self.handle_session_input(ctx, Input::Tick);
        }
    }

    /// Sends the request to VOD that is due.
    fn advance_vod_call(&mut self, ctx: &mut QueueContext) {
        if let Some(call) = &mut self.vod_call
            && let Some(result) = call.advance(ctx, &self.file)
        {
            self.on_vod_result(ctx, result);
        }
    }

    fn cancel_vod_call(&mut self, ctx: &mut QueueContext) {
        if let Some(call) = self.vod_call.take() {
            call.cancel(ctx);
        }
    }

    const fn retry_at(&self) -> Option<UnixMillis> {
        match self.state {
            EntryState::RetryWait(at) => Some(at),
            _ => None,
        }
    }

    /// Returns `true` unless the file is being terminated, which the deadline does not interrupt.
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
        self.cancel_vod_call(ctx);
        self.fail(ctx, error);
    }

    fn progress(&self) -> Progress {
        self.progress.report(self.file.size(), self.state == EntryState::Success)
    }

    fn emit_progress(&self, ctx: &mut QueueContext) {
        self.emit(ctx, Event::Progress { file: self.id, progress: self.progress() });
    }

    fn emit(&self, ctx: &mut QueueContext, event: Event) {
        if self.is_listed() {
            ctx.event(event);
        }
    }
}
