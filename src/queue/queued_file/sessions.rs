//! The running session of a file: events, source and credentials.

use super::QueuedFile;
use super::active_session::{ActiveSession, SessionEvent, SessionKind, source_not_requested};
use super::credentials::{CredentialMode, PendingCredential, REJECTIONS_MAX};
use super::entry_state::EntryState;
use super::vod_call::{VodAction, VodCall};
use crate::credential::UploadCredential;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::queue::context::QueueContext;
use crate::queue::interface::{Event, Output, SessionId};
use crate::queue::records::AfterDelete;
use crate::units::ByteCount;
use crate::upload::{Input, LeaseAcquisition};
use crate::vod::UploadGrant;

impl QueuedFile {
    /// Starts a session on the stored upload with the current credential.
    pub(super) fn start_session(
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
        let options = ctx.session_options(credential.clone(), self.can_renew(), replayable);
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

    /// Returns `true` if a session can continue with a new credential.
    pub(super) fn can_renew(&self) -> bool {
        self.file.is_refreshable() || self.credentials.is_direct()
    }

    /// Passes an input to the session, and processes its outputs.
    pub(in crate::queue) fn handle_session_input(&mut self, ctx: &mut QueueContext, input: Input) {
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

    pub(super) fn discard_session(&mut self, ctx: &mut QueueContext) {
        if let Some(session) = self.session.take() {
            session.discard(ctx);
        }
    }

    /// Ends the session. Confirmed parts are recorded first.
    pub(super) fn cancel_session(&mut self, ctx: &mut QueueContext, reason: Error) {
        self.cancel_vod_call(ctx);
        self.handle_session_input(ctx, Input::Cancel(reason));
    }

    fn process_session(&mut self, ctx: &mut QueueContext) {
        while let Some(session) = &mut self.session
            && let Some(event) = session.next_event(ctx, &mut self.progress)
        {
            match event {
                SessionEvent::CredentialDue => self.on_credential_due(ctx),
                SessionEvent::Durable => self.credentials.reset_rejections(),
                SessionEvent::Ended(end) => self.on_session_ended(ctx, end),
            }
        }
        self.request_source(ctx);
        if self.state == EntryState::Transferring
            && let Some(session) = &mut self.session
            && session.take_progress(&mut self.progress)
        {
            self.emit_progress(ctx);
        }
        self.emit_expiry(ctx);
    }

    fn request_source(&mut self, ctx: &mut QueueContext) {
        if let Some(offset) = self.session.as_mut().and_then(ActiveSession::request_source) {
            self.emit(ctx, Event::SourceRequested { file: self.id, offset });
        }
    }

    /// `supply-source`: returns the session that accepts the bytes.
    pub(in crate::queue) fn supply_source(&mut self, offset: ByteCount) -> Result<SessionId> {
        self.session.as_mut().ok_or_else(source_not_requested)?.supply_source(offset)
    }

    /// Handles the end of the supplied bytes before the end of the file.
    pub(in crate::queue) fn on_source_ended(&mut self, ctx: &mut QueueContext, offset: ByteCount) {
        match self.session.as_mut().and_then(|session| session.end_source(offset)) {
            None => {}
            Some(true) => self.request_source(ctx),
            Some(false) => {
                let size = self.file.size().unwrap_or_default().bytes();
                let message = format!("the source ended at {} of {size} bytes", offset.bytes());
                self.cancel_session(ctx, Error::new(ErrorKind::LengthMismatch, message));
            }
        }
    }

    /// Handles an interruption of the supplied source.
    pub(in crate::queue) fn on_source_interrupted(&mut self, ctx: &mut QueueContext, reason: &str) {
        let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
        self.cancel_session(ctx, Error::new(ErrorKind::SourceBroken, reason));
    }

    /// Uses a supplied credential for the running session.
    pub(super) fn renew_credential(&mut self, ctx: &mut QueueContext, pending: PendingCredential) {
        let result = match pending {
            PendingCredential::Sts(token) => {
                self.credentials.set_mode(CredentialMode::Sts(token));
                if self.session.as_ref().is_some_and(ActiveSession::has_credential_request) {
                    self.refresh_credential(ctx);
                }
                return;
            }
            PendingCredential::Oss(supplied) => self.use_supplied(supplied, ctx.now()),
        };
        let credential = result.map(|(credential, media_id)| {
            if media_id.is_some() {
                self.binding.set_media_id(media_id);
            }
            credential
        });
        self.cancel_vod_call(ctx);
        self.resolve_credential(ctx, credential);
    }

    fn on_credential_due(&mut self, ctx: &mut QueueContext) {
        if self.credentials.sts_token().is_some_and(|token| token.is_usable_at(ctx.now())) {
            self.refresh_credential(ctx);
        } else if self.state != EntryState::Transferring {
            // The app is not asked for the credential of a file that is being terminated.
            let error = Error::new(ErrorKind::CredentialExpired, "the credential has expired");
            self.resolve_credential(ctx, Err(error));
        } else if !self.session.as_ref().is_some_and(ActiveSession::is_blocked_on_credential) {
            self.emit(ctx, Event::TokenExpiring(self.token_expiry(None)));
        }
    }

    /// Reports once that the session is blocked on a credential that the app has to supply.
    fn emit_expiry(&mut self, ctx: &mut QueueContext) {
        if let Some(session) = &mut self.session
            && self.vod_call.is_none()
            && session.becomes_blocked()
        {
            let rejection = session.credential_rejection();
            self.emit(ctx, Event::TokenExpired(self.token_expiry(rejection)));
        }
    }

    /// Requests a new credential for the running session from VOD.
    fn refresh_credential(&mut self, ctx: &mut QueueContext) {
        let (Some(token), Some(video_id)) =
            (self.credentials.sts_token(), self.refreshable_media_id())
        else {
            let message = "the credential has expired and VOD cannot refresh it";
            let error = Error::new(ErrorKind::CredentialExpired, message);
            return self.resolve_credential(ctx, Err(error));
        };
        let token = token.credential.clone();
        self.cancel_vod_call(ctx);
        self.vod_call = Some(VodCall::new(VodAction::Refresh { video_id }, token, ctx.now()));
        self.advance_vod_call(ctx);
    }

    pub(super) fn on_vod_result(&mut self, ctx: &mut QueueContext, result: Result<UploadGrant>) {
        self.vod_call = None;
        if result.as_ref().is_ok_and(|grant| grant.credential.is_usable_at(ctx.now())) {
            self.credentials.reset_rejections();
        }
        let Some(session) = &mut self.session else {
            return self.on_vod_result_at_start(ctx, result);
        };
        match result {
            Ok(grant) => {
                let mut credential = grant.credential;
                self.file.override_address(&mut credential.address);
                let result = self.check_bound_object(&credential).map(|()| credential);
                self.resolve_credential(ctx, result);
            }
            // The media was deleted at VOD, so its parts are useless.
            Err(error) if error.kind() == ErrorKind::MediaNotFound => {
                self.restart_without_media_id(ctx, error);
            }
            Err(error)
                if error.kind().retry() == Retry::WithNewCredential
                    && self.state == EntryState::Transferring
                    && self.credentials.rejections() < REJECTIONS_MAX - 1 =>
            {
                let is_blocked = session.block_if_unusable();
                self.credentials.count_rejection();
                let expiry = self.token_expiry(Some(error));
                let event = if is_blocked { Event::TokenExpired } else { Event::TokenExpiring };
                self.emit(ctx, event(expiry));
            }
            Err(error) => self.resolve_credential(ctx, Err(error)),
        }
    }

    fn resolve_credential(&mut self, ctx: &mut QueueContext, result: Result<UploadCredential>) {
        let Some(session) = &mut self.session else { return };
        if let Ok(credential) = &result {
            self.credentials.set_current(credential.clone());
        }
        session.clear_credential_request();
        self.handle_session_input(ctx, Input::Credential(result));
    }

    /// Ends the session, after which the file starts again with another media ID.
    pub(super) fn restart_without_media_id(&mut self, ctx: &mut QueueContext, reason: Error) {
        if let Some(session) = &mut self.session {
            session.restart_file_at_end();
            if self.state == EntryState::Transferring {
                self.state = EntryState::PreparingUpload;
                self.binding.set_address(None);
            }
        }
        self.cancel_session(ctx, reason);
    }
}

/// Maximum length of a supplier's reason in an error message.
const REASON_CHARS_MAX: usize = 512;
