//! The end of a session, and what follows for its file.

use super::QueuedFile;
use super::active_session::{ActiveSession, SessionKind};
use super::entry_state::EntryState;
use crate::error::{Error, ErrorKind, Retry};
use crate::queue::context::QueueContext;
use crate::queue::records::AfterDelete;
use crate::upload::{LeaseAcquisition, SessionOutcome};

impl QueuedFile {
    pub(super) fn on_session_ended(&mut self, ctx: &mut QueueContext, outcome: SessionOutcome) {
        let Some(session) = self.session.take() else { return };
        self.cancel_vod_call(ctx);
        let kind = session.kind();
        match &outcome {
            SessionOutcome::Completed(object) => return self.complete(ctx, object),
            SessionOutcome::Suspended { durable, .. } | SessionOutcome::Failed { durable, .. }
                if kind == SessionKind::Transfer =>
            {
                self.offsets.raise_durable(*durable);
            }
            _ => {}
        }
        match (kind, &self.state) {
            (SessionKind::Abort, _) => {
                let leftover = match outcome {
                    SessionOutcome::Failed { error, .. } => Some(error),
                    _ => session.leftover_parts_error(),
                };
                self.delete_records(ctx, false, AfterDelete::Cancel(leftover));
            }
            (_, EntryState::Canceling) => self.abort(ctx),
            // Even if the file is being stopped: the stored upload is useless.
            _ if session.restarts_file() => {
                self.delete_records(ctx, false, AfterDelete::Start);
            }
            (_, EntryState::Stopping { .. }) => self.on_stopped(ctx),
            _ => self.on_transfer_ended(ctx, &session, outcome),
        }
    }

    fn on_transfer_ended(
        &mut self,
        ctx: &mut QueueContext,
        session: &ActiveSession,
        outcome: SessionOutcome,
    ) {
        let error = match outcome {
            SessionOutcome::Failed { error, .. } => error,
            SessionOutcome::Suspended { rejection: Some(error), .. } => error,
            SessionOutcome::Suspended { .. } | SessionOutcome::Completed(_) => {
                Error::new(ErrorKind::LengthMismatch, "the source ended before the end of the file")
            }
            SessionOutcome::Aborted => {
                let error = Error::new(ErrorKind::UploadAborted, "the upload was aborted");
                return self.delete_records(ctx, false, AfterDelete::Fail(error));
            }
            SessionOutcome::Lost(error) => {
                return self.delete_records(ctx, true, AfterDelete::Fail(error));
            }
        };
        if session.has_streamed() && error.kind().retry() == Retry::Retryable {
            return self.schedule_retry(ctx, error);
        }
        if self.can_renew() || error.kind().retry() != Retry::WithNewCredential {
            return self.fail(ctx, error);
        }
        // The media has no refresh (an image, for example): a new credential is for another
        // object, so the file starts again.
        match self.credentials.sts_token().cloned() {
            Some(token) if self.credentials.rejections() == 0 => {
                self.credentials.count_rejection();
                // OSS rejected it, regardless of its expiry time.
                self.credentials.discard_current();
                self.call_vod(ctx, token);
            }
            _ => self.wait_for_credential(ctx, Some(error)),
        }
    }

    /// Schedules another session, within the retries of a request. A streamed part was not
    /// buffered, so its bytes have to be requested again.
    fn schedule_retry(&mut self, ctx: &mut QueueContext, error: Error) {
        match self.timers.next_retry(ctx) {
            Some(at) => self.state = EntryState::RetryWait(at),
            None => self.fail(ctx, error),
        }
    }

    pub(super) fn resume_after_retry(&mut self, ctx: &mut QueueContext) {
        self.start_session(ctx, LeaseAcquisition::TakeOver, SessionKind::Transfer);
    }
}
