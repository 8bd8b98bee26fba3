//! How a session at work ends, and what follows for its file.

use super::context::QueueContext;
use super::credentials::Access;
use super::entry::{Entry, Phase};
use super::event::Succeeded;
use super::job::AfterForget;
use super::turn::{Opening, Turn, TurnKind};
use crate::error::{Error, ErrorKind, Retry};
use crate::units::ByteCount;
use crate::upload::{Attempts, Claim, FinishedObject, Outcome, Purpose, Target};

impl Entry {
    /// The session has ended.
    pub(super) fn turn_ended(&mut self, ctx: &mut QueueContext, outcome: Outcome) {
        let Some(turn) = self.turn.take() else { return };
        if let Some(call) = self.vod.take() {
            call.cancel(ctx);
        }
        if let Outcome::Completed(object) = &outcome {
            let Some(upload) = &self.stored.upload else {
                return self.fail(ctx, misuse("a turn without an upload"));
            };
            let succeeded = self.succeeded(&upload.record.target, object);
            return self.succeed(ctx, Box::new(succeeded));
        }
        if let Outcome::Suspended { durable, .. } | Outcome::Failed { durable, .. } = &outcome
            && turn.kind == TurnKind::Transfer
        {
            self.durable = (*durable).max(self.durable);
        }
        match (turn.kind, &self.phase) {
            (TurnKind::Abort, _) => {
                let left_over = match outcome {
                    Outcome::Failed { error, .. } => Some(error),
                    _ => turn.session.left_over().cloned(),
                };
                self.forget(ctx, false, AfterForget::Cancel(left_over));
            }
            (_, Phase::Canceling) => self.abort(ctx),
            // Also where it is being stopped: what is stored is of no use any more.
            _ if turn.start_again => self.forget(ctx, false, AfterForget::Start),
            (_, Phase::Stopping) => self.stop_now(ctx),
            _ => self.transfer_ended(ctx, &turn, outcome),
        }
    }

    fn transfer_ended(&mut self, ctx: &mut QueueContext, turn: &Turn, outcome: Outcome) {
        let error = match outcome {
            Outcome::Failed { error, .. } => error,
            Outcome::Suspended { refused: Some(error), .. } => error,
            Outcome::Suspended { .. } | Outcome::Completed(_) => {
                Error::new(ErrorKind::LengthMismatch, "the source ended before the file")
            }
            Outcome::Aborted => {
                let error = Error::new(ErrorKind::UploadAborted, "the upload was aborted");
                return self.forget(ctx, false, AfterForget::Fail(error));
            }
            Outcome::Lost(error) => {
                return self.forget(ctx, true, AfterForget::Fail(error));
            }
        };
        if turn.passed_through && error.kind().retry() == Retry::Later {
            return self.pause(ctx, error);
        }
        let renewable = matches!(self.access, Some(Access::Direct)) || self.file.is_refreshable();
        if renewable || error.kind().retry() != Retry::WithNewCredential {
            return self.fail(ctx, error);
        }
        // A picture, say: a new credential is for another object, and the file starts again.
        match self.access.clone() {
            Some(Access::Sts(token)) if self.refusals == 0 => {
                self.refusals += 1;
                // It was refused, whatever its end of life says.
                self.credential = None;
                self.ask_vod(ctx, token);
            }
            _ => self.wait_for_credential(ctx, Some(error)),
        }
    }

    /// A part that was passed through is not held and could not be sent again: after a pause its
    /// bytes are asked for once more, within the retries of a request.
    fn pause(&mut self, ctx: &mut QueueContext, error: Error) {
        let attempts = self.attempts.get_or_insert(Attempts::first(ctx.now()));
        match ctx.next_retry(attempts) {
            Some(at) => {
                self.phase = Phase::Opening;
                self.goes_on_at = Some(at);
            }
            None => self.fail(ctx, error),
        }
    }

    /// The pause is over.
    pub(super) fn go_on(&mut self, ctx: &mut QueueContext) {
        self.goes_on_at = None;
        let (Some(stored), Some(credential)) =
            (self.stored.upload.clone(), self.credential.clone())
        else {
            return self.fail(ctx, misuse("a pause without an upload"));
        };
        let opening = Opening { key: stored.key, record: stored.record, credential };
        let purpose = Purpose::Continue;
        self.begin_turn(ctx, opening, Claim::TakeOver, purpose, TurnKind::Transfer);
    }

    /// What is reported once the object is whole.
    pub(super) fn succeeded(&self, target: &Target, object: &FinishedObject) -> Succeeded {
        Succeeded {
            file: self.id,
            media_id: self.media_id.clone(),
            endpoint: target.endpoint.clone(),
            bucket: target.bucket.clone(),
            object: target.object.clone(),
            size: ByteCount(object.size_bytes),
            crc64: object.crc64,
            media_url: self.media_url.clone(),
        }
    }
}

fn misuse(what: &str) -> Error {
    Error::new(ErrorKind::Internal, what)
}
