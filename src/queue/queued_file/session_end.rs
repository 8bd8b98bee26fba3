//! The end of a session, and what follows for its file.

use super::QueuedFile;
use super::active_session::{SessionEnd, SessionKind};
use super::entry_state::EntryState;
use crate::error::{Error, Retry};
use crate::queue::context::QueueContext;
use crate::queue::records::AfterDelete;
use crate::upload::LeaseAcquisition;

impl QueuedFile {
    pub(super) fn on_session_ended(&mut self, ctx: &mut QueueContext, end: SessionEnd) {
        self.session = None;
        self.cancel_vod_call(ctx);
        match (end, &self.state) {
            (SessionEnd::Completed(object), _) => self.complete(ctx, &object),
            (SessionEnd::AbortEnded(leftover_error), _) => {
                self.delete_records(ctx, false, AfterDelete::Cancel(leftover_error));
            }
            (_, EntryState::Canceling) => self.abort(ctx),
            // Even if the file is being stopped: the stored upload is useless.
            (SessionEnd::RestartFile, _) => self.delete_records(ctx, false, AfterDelete::Start),
            (_, EntryState::Stopping { .. }) => self.on_stopped(ctx),
            (SessionEnd::UploadGone { error, is_reusable }, _) => {
                self.delete_records(ctx, is_reusable, AfterDelete::Fail(error));
            }
            (SessionEnd::Failed { error, is_retryable: true }, _) => {
                match self.progress.next_retry(ctx) {
                    Some(at) => self.state = EntryState::RetryWait(at),
                    None => self.fail(ctx, error),
                }
            }
            (SessionEnd::Failed { error, .. }, _) => self.on_transfer_failed(ctx, error),
        }
    }

    fn on_transfer_failed(&mut self, ctx: &mut QueueContext, error: Error) {
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

    pub(super) fn resume_after_retry(&mut self, ctx: &mut QueueContext) {
        self.start_session(ctx, LeaseAcquisition::TakeOver, SessionKind::Transfer);
    }
}
