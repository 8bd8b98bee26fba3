//! The running upload session of one file: its source, its credential request and its results.

use super::credentials::CredentialStep;
use super::transfer_progress::TransferProgress;
use crate::credential::UploadCredential;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::queue::context::QueueContext;
use crate::queue::interface::{Output, SessionId, UploadingPhase};
use crate::queue::records::StoredUpload;
use crate::units::{ByteCount, UnixMillis};
use crate::upload::{
    self, CompletedObject, FillRequest, Input, LeaseAcquisition, Purpose, Session, SessionOptions,
    SessionOutcome,
};

/// A running session.
#[derive(Debug)]
pub(super) struct ActiveSession {
    id: SessionId,
    session: Session,
    kind: SessionKind,
    source: SourceState,
    credential_request: CredentialRequest,
    /// Whether there is progress that has not been reported yet.
    has_progress: bool,
    /// Whether a part was streamed. It was not buffered, so its request cannot be retried.
    has_streamed: bool,
    /// Whether the file starts again without its media ID once the session has ended.
    restarts_file: bool,
}

/// The purpose of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SessionKind {
    Transfer,
    Abort,
}

/// A change of a session that concerns its file.
#[derive(Debug)]
pub(super) enum SessionEvent {
    /// A new credential is required.
    CredentialDue,
    /// More bytes are durable.
    Durable,
    /// The bytes from this offset on are required.
    SourceRequested(ByteCount),
    /// The bytes before this offset were sent, or the durable offset has changed.
    Progress(ByteCount),
    /// The session is blocked on a credential. The error is why OSS rejected the current one.
    Blocked(Option<Error>),
    Ended(SessionEnd),
}

/// The end of a session, as far as it concerns its file.
#[derive(Debug)]
pub(super) enum SessionEnd {
    /// The object is complete.
    Completed(CompletedObject),
    /// A session of [`SessionKind::Abort`] has ended. The error is why parts may remain in OSS.
    AbortEnded(Option<Error>),
    /// The file starts again without its media ID.
    RestartFile,
    /// The upload no longer exists. Its media ID can be used for another one if `keep_media_id`.
    UploadGone { error: Error, keep_media_id: bool },
    /// The upload can be continued. If `is_retryable`, another session does so without a call of
    /// the app: a streamed part was not buffered, so its bytes have to be requested again.
    Failed { error: Error, is_retryable: bool },
}

/// What follows for the file from a [`CredentialStep`] for its session.
#[derive(Debug)]
pub(super) enum Renewal {
    /// Nothing.
    Pending,
    /// The result of the session's credential request.
    Resolved(Result<UploadCredential>),
    /// The app has to supply a credential before the current one expires. The error is why VOD
    /// issues none.
    Expiring(Option<Error>),
    /// The session is blocked until the app supplies a credential. The error is why VOD issues
    /// none.
    Expired(Option<Error>),
    /// The media was deleted at VOD.
    MediaDeleted(Error),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SourceState {
    /// Bytes from this offset on have not been requested yet.
    Idle(ByteCount),
    /// Bytes from this offset on were requested from the app.
    Requested(ByteCount),
    /// The app supplies bytes from this offset on.
    Supplied(ByteCount),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CredentialRequest {
    None,
    /// Requested; the current credential is still usable.
    Due,
    /// Requested; the session is blocked on it.
    Blocking,
}

impl ActiveSession {
    /// Starts a session on `upload`.
    ///
    /// # Errors
    /// Returns those of [`Session::new`].
    pub(super) fn start(
        ctx: &mut QueueContext,
        upload: &StoredUpload,
        acquisition: LeaseAcquisition,
        kind: SessionKind,
        options: SessionOptions,
    ) -> Result<Self> {
        let purpose = match kind {
            SessionKind::Transfer => Purpose::Continue,
            SessionKind::Abort => Purpose::Abort,
        };
        let (key, now) = (upload.id.clone(), ctx.now());
        let session = Session::new(key, &upload.record, acquisition, purpose, options, now)?;
        Ok(Self {
            id: ctx.next_session_id(),
            session,
            kind,
            source: SourceState::Idle(ByteCount::ZERO),
            credential_request: CredentialRequest::None,
            has_progress: false,
            has_streamed: false,
            restarts_file: false,
        })
    }

    pub(super) const fn id(&self) -> SessionId {
        self.id
    }

    /// Returns the phase of a file that this session transfers.
    pub(super) fn phase(&self) -> UploadingPhase {
        match (self.credential_request, self.source) {
            (CredentialRequest::Blocking, _) => UploadingPhase::TokenExpired,
            (_, SourceState::Requested(_)) => UploadingPhase::AwaitingSource,
            _ => UploadingPhase::Transferring,
        }
    }

    /// Returns the fill that the session requests; see [`Session::pending_fill`].
    pub(super) fn pending_fill(&self) -> Option<FillRequest> {
        self.session.pending_fill()
    }

    pub(super) fn next_wakeup(&self) -> Option<UnixMillis> {
        self.session.next_wakeup()
    }

    /// Passes an input to the session.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Internal`] if the session rejects the input, which indicates a driver
    /// bug.
    pub(super) fn handle(&mut self, now: UnixMillis, input: Input) -> Result<()> {
        self.session.handle(now, input)
    }

    /// Forwards the outputs of the session to the driver, up to the next event, and updates the
    /// durable offset of its file. A session that `awaits_vod` is not reported as blocked.
    pub(super) fn next_event(
        &mut self,
        ctx: &mut QueueContext,
        progress: &mut TransferProgress,
        awaits_vod: bool,
    ) -> Option<SessionEvent> {
        while let Some(output) = self.session.poll() {
            let mut end = None;
            match &output {
                upload::Output::RefreshCredential => {
                    self.credential_request = CredentialRequest::Due;
                    return Some(SessionEvent::CredentialDue);
                }
                upload::Output::Event(upload::Event::Durable(durable)) => {
                    self.has_progress = true;
                    progress.set_durable(*durable);
                    progress.reset_retries();
                    return Some(SessionEvent::Durable);
                }
                upload::Output::Event(upload::Event::Receiving { offset, .. }) => {
                    self.source = SourceState::Idle(*offset);
                    self.has_progress = true;
                    progress.set_durable(*offset);
                }
                upload::Output::Event(upload::Event::RestartSource) => {
                    self.source = SourceState::Idle(ByteCount::ZERO);
                    self.has_progress = true;
                    progress.reset_to(ByteCount::ZERO);
                }
                upload::Output::Event(upload::Event::SessionEnded(outcome)) => {
                    end = Some(SessionEvent::Ended(self.end(progress, outcome.clone())));
                }
                _ => {}
            }
            ctx.output(Output::Session { session: self.id, output });
            if end.is_some() {
                return end;
            }
        }
        if let Some(offset) = self.request_source() {
            return Some(SessionEvent::SourceRequested(offset));
        }
        if std::mem::take(&mut self.has_progress) {
            return Some(SessionEvent::Progress(self.session.sent_offset()));
        }
        let is_due = self.credential_request == CredentialRequest::Due;
        let is_blocked = is_due && !awaits_vod && self.block_if_unusable();
        is_blocked.then(|| SessionEvent::Blocked(self.session.credential_rejection().cloned()))
    }

    /// Accepts bytes from `offset` on.
    ///
    /// # Errors
    /// Returns [`ErrorKind::FileStateWrong`] if no bytes are requested, and
    /// [`ErrorKind::OffsetMismatch`] if the session requires those of another offset.
    pub(super) fn supply_source(&mut self, offset: ByteCount) -> Result<SessionId> {
        let SourceState::Requested(requested) = self.source else {
            return Err(source_not_requested());
        };
        if offset != requested {
            let (offset, requested) = (offset.bytes(), requested.bytes());
            let message = format!("the source starts at offset {offset}; expected {requested}");
            return Err(Error::new(ErrorKind::OffsetMismatch, message));
        }
        self.source = SourceState::Supplied(offset);
        Ok(self.id)
    }

    /// Ends the supplied source, if any, at `offset`. Returns false if it contained no bytes.
    pub(super) fn end_source(&mut self, offset: ByteCount) -> bool {
        let SourceState::Supplied(from) = self.source else { return true };
        let has_bytes = offset > from;
        if has_bytes {
            self.source = SourceState::Idle(offset);
        }
        has_bytes
    }

    /// Returns true if a credential was requested and not supplied yet.
    pub(super) fn has_credential_request(&self) -> bool {
        self.credential_request != CredentialRequest::None
    }

    /// Accepts a credential for the session, or what delays it.
    pub(super) fn renew(&mut self, step: Result<CredentialStep>) -> Renewal {
        let result = match step {
            Ok(CredentialStep::Pending | CredentialStep::Requested) => return Renewal::Pending,
            Ok(CredentialStep::MediaDeleted(error)) => return Renewal::MediaDeleted(error),
            // A request that becomes blocking is reported by the next event.
            Ok(CredentialStep::Missing(None)) if self.session.awaits_credential() => {
                return Renewal::Pending;
            }
            Ok(CredentialStep::Missing(None)) => return Renewal::Expiring(None),
            Ok(CredentialStep::Missing(rejection)) if self.block_if_unusable() => {
                return Renewal::Expired(rejection);
            }
            Ok(CredentialStep::Missing(rejection)) => return Renewal::Expiring(rejection),
            Ok(CredentialStep::Usable(credential, _)) => Ok(*credential),
            Err(error) => Err(error),
        };
        self.credential_request = CredentialRequest::None;
        Renewal::Resolved(result)
    }

    pub(super) const fn restart_file_at_end(&mut self) {
        self.restarts_file = true;
    }

    /// Discards the session.
    pub(super) fn discard(self, ctx: &mut QueueContext) {
        ctx.output(Output::SessionDropped { session: self.id });
    }

    /// Marks the credential request as blocking if the session is blocked on it, and returns
    /// whether it is.
    fn block_if_unusable(&mut self) -> bool {
        let is_blocked = self.session.awaits_credential();
        if is_blocked {
            self.credential_request = CredentialRequest::Blocking;
        }
        is_blocked
    }

    fn end(&self, progress: &mut TransferProgress, outcome: SessionOutcome) -> SessionEnd {
        if let SessionOutcome::Completed(object) = outcome {
            return SessionEnd::Completed(object);
        }
        if self.kind == SessionKind::Abort {
            return SessionEnd::AbortEnded(match outcome {
                SessionOutcome::Failed { error, .. } => Some(error),
                _ => self.session.leftover_parts_error().cloned(),
            });
        }
        if let SessionOutcome::Suspended { durable, .. } | SessionOutcome::Failed { durable, .. } =
            &outcome
        {
            progress.raise_durable(*durable);
        }
        let error = match outcome {
            _ if self.restarts_file => return SessionEnd::RestartFile,
            SessionOutcome::Aborted => {
                let error = Error::new(ErrorKind::UploadAborted, "the upload was aborted");
                return SessionEnd::UploadGone { error, keep_media_id: false };
            }
            SessionOutcome::Lost(error) => {
                return SessionEnd::UploadGone { error, keep_media_id: true };
            }
            SessionOutcome::Failed { error, .. } => error,
            SessionOutcome::Suspended { rejection: Some(error), .. } => error,
            SessionOutcome::Suspended { .. } | SessionOutcome::Completed(_) => {
                Error::new(ErrorKind::LengthMismatch, "the source ended before the end of the file")
            }
        };
        let is_retryable = self.has_streamed && error.kind().retry() == Retry::Retryable;
        SessionEnd::Failed { error, is_retryable }
    }

    /// Marks the source as requested, and returns the offset, if the session requires bytes that
    /// have not been requested yet.
    fn request_source(&mut self) -> Option<ByteCount> {
        self.has_streamed |= self.session.pending_fill()?.streamed;
        let SourceState::Idle(offset) = self.source else { return None };
        self.source = SourceState::Requested(offset);
        Some(offset)
    }
}

pub(super) fn source_not_requested() -> Error {
    Error::new(ErrorKind::FileStateWrong, "no bytes of the file are requested")
}
