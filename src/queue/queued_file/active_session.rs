//! The running upload session of one file: its source, its credential request and its results.

use crate::error::{Error, ErrorKind, Result};
use crate::queue::context::QueueContext;
use crate::queue::interface::{Output, SessionId, UploadingPhase};
use crate::queue::records::StoredUpload;
use crate::units::{ByteCount, UnixMillis};
use crate::upload::{
    self, FillRequest, Input, LeaseAcquisition, Purpose, Session, SessionOptions, SessionOutcome,
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
    /// The bytes before this offset are durable.
    Durable(ByteCount),
    /// The session receives bytes from this offset on.
    Receiving(ByteCount),
    /// The session requires the entire source again.
    Restarted,
    Ended(SessionOutcome),
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

    pub(super) const fn kind(&self) -> SessionKind {
        self.kind
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

    /// Forwards the outputs of the session to the driver, up to the next event.
    pub(super) fn next_event(&mut self, ctx: &mut QueueContext) -> Option<SessionEvent> {
        while let Some(output) = self.session.poll() {
            let event = match &output {
                upload::Output::RefreshCredential => {
                    self.credential_request = CredentialRequest::Due;
                    return Some(SessionEvent::CredentialDue);
                }
                upload::Output::Event(upload::Event::Durable(durable)) => {
                    self.has_progress = true;
                    return Some(SessionEvent::Durable(*durable));
                }
                upload::Output::Event(upload::Event::Receiving { offset, .. }) => {
                    self.source = SourceState::Idle(*offset);
                    self.has_progress = true;
                    Some(SessionEvent::Receiving(*offset))
                }
                upload::Output::Event(upload::Event::RestartSource) => {
                    self.source = SourceState::Idle(ByteCount::ZERO);
                    self.has_progress = true;
                    Some(SessionEvent::Restarted)
                }
                upload::Output::Event(upload::Event::SessionEnded(outcome)) => {
                    Some(SessionEvent::Ended(outcome.clone()))
                }
                _ => None,
            };
            ctx.output(Output::Session { session: self.id, output });
            if event.is_some() {
                return event;
            }
        }
        None
    }

    /// Marks the source as requested, and returns the offset, if the session requires bytes that
    /// have not been requested yet.
    pub(super) fn request_source(&mut self) -> Option<ByteCount> {
        self.has_streamed |= self.session.pending_fill()?.streamed;
        let SourceState::Idle(offset) = self.source else { return None };
        self.source = SourceState::Requested(offset);
        Some(offset)
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

    /// Ends the supplied source at `offset`. Returns whether it contained bytes, or `None` if no
    /// source is supplied.
    pub(super) fn end_source(&mut self, offset: ByteCount) -> Option<bool> {
        let SourceState::Supplied(from) = self.source else { return None };
        let has_bytes = offset > from;
        if has_bytes {
            self.source = SourceState::Idle(offset);
        }
        Some(has_bytes)
    }

    /// Returns the sent offset if there is progress that was not reported yet.
    pub(super) fn take_progress(&mut self) -> Option<ByteCount> {
        std::mem::take(&mut self.has_progress).then(|| self.session.sent_offset())
    }

    /// Returns `true` if the session is blocked on a credential.
    pub(super) fn is_blocked_on_credential(&self) -> bool {
        self.session.awaits_credential()
    }

    /// Returns `true` if a credential was requested and not supplied yet.
    pub(super) fn has_credential_request(&self) -> bool {
        self.credential_request != CredentialRequest::None
    }

    /// Returns `true` once for each credential request: as soon as the session is blocked on it.
    pub(super) fn becomes_blocked(&mut self) -> bool {
        self.credential_request == CredentialRequest::Due && self.block_if_unusable()
    }

    /// Marks the credential request as blocking if the session is blocked on it, and returns
    /// whether it is.
    pub(super) fn block_if_unusable(&mut self) -> bool {
        let is_blocked = self.session.awaits_credential();
        if is_blocked {
            self.credential_request = CredentialRequest::Blocking;
        }
        is_blocked
    }

    /// Returns the error with which OSS rejected the current credential, if any.
    pub(super) fn credential_rejection(&self) -> Option<Error> {
        self.session.credential_rejection().cloned()
    }

    pub(super) const fn clear_credential_request(&mut self) {
        self.credential_request = CredentialRequest::None;
    }

    pub(super) const fn has_streamed(&self) -> bool {
        self.has_streamed
    }

    pub(super) const fn restart_file_at_end(&mut self) {
        self.restarts_file = true;
    }

    pub(super) const fn restarts_file(&self) -> bool {
        self.restarts_file
    }

    /// Returns why parts may remain in OSS after an abort.
    pub(super) fn leftover_parts_error(&self) -> Option<Error> {
        self.session.leftover_parts_error().cloned()
    }

    /// Discards the session.
    pub(super) fn discard(self, ctx: &mut QueueContext) {
        ctx.output(Output::SessionDropped { session: self.id });
    }
}

pub(super) fn source_not_requested() -> Error {
    Error::new(ErrorKind::FileStateWrong, "no bytes of the file are requested")
}
