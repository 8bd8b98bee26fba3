//! How a file comes to rest: uploaded, failed, stopped, canceled, forgotten.

use super::context::QueueContext;
use super::entry::{Entry, Phase};
use super::event::{Event, Succeeded};
use super::job::{AfterForget, AfterLook};
use super::start::{address_of, is_same_object};
use super::state::FileCall;
use super::turn::{Opening, TurnKind};
use crate::credential::UploadAddress;
use crate::error::{Error, ErrorKind, Result};
use crate::units::ByteCount;
use crate::upload::{self, Claim, Purpose};

impl Entry {
    /// `cancel-file`
    pub(super) fn cancel(&mut self, ctx: &mut QueueContext) -> Result<()> {
        FileCall::Cancel.require(&self.state())?;
        self.begin_cancel(ctx);
        Ok(())
    }

    /// `delete-file`
    pub(super) fn delete_from_list(&mut self, ctx: &mut QueueContext) {
        self.removed = true;
        match self.phase {
            // It leaves at once; what is left of its records is deleted to its end.
            Phase::Success | Phase::Canceled => self.hidden = true,
            Phase::Canceling => {}
            _ => self.begin_cancel(ctx),
        }
    }

    fn begin_cancel(&mut self, ctx: &mut QueueContext) {
        self.handed = None;
        if let Some(call) = self.vod.take() {
            call.cancel(ctx);
        }
        let before = std::mem::replace(&mut self.phase, Phase::Canceling);
        if self.turn.is_some() {
            if before != Phase::Stopping {
                self.give_up(ctx, stopped());
            }
        } else if self.job.is_some() {
            // A look goes on as one for the cancel; what is written or deleted ends first.
            self.redirect_look(AfterLook::Cancel);
        } else if matches!(before, Phase::CredentialWanted | Phase::MediaWanted | Phase::Expired) {
            self.cancel_stored(ctx);
        } else {
            self.look(ctx, AfterLook::Cancel);
        }
    }

    /// Drops what is stored of a file, in the key-value store and on the store.
    pub(super) fn cancel_stored(&mut self, ctx: &mut QueueContext) {
        let phase = self.stored.upload.as_ref().map(|upload| upload.checkpoint.phase.clone());
        match phase {
            Some(upload::Phase::Completed(_)) => self.completed_before(ctx),
            Some(upload::Phase::Receiving | upload::Phase::Completing) => self.abort(ctx),
            Some(upload::Phase::Aborted | upload::Phase::Lost { .. }) | None => {
                self.forget(ctx, false, AfterForget::Cancel(None));
            }
        }
    }

    fn completed_before(&mut self, ctx: &mut QueueContext) {
        let Some(stored) = &self.stored.upload else { return };
        let upload::Phase::Completed(object) = &stored.checkpoint.phase else { return };
        let succeeded = Box::new(self.succeeded(&stored.record.target, object));
        self.succeed(ctx, succeeded);
    }

    /// The file is uploaded whole. That is told before what is stored of it is deleted: whoever
    /// comes after a crash in between finds it whole, and does not upload it as another media.
    pub(super) fn succeed(&mut self, ctx: &mut QueueContext, succeeded: Box<Succeeded>) {
        self.forget(ctx, false, AfterForget::Nothing);
        self.phase = Phase::Success;
        self.media_id.clone_from(&succeeded.media_id);
        self.address = Some(UploadAddress {
            endpoint: succeeded.endpoint.clone(),
            bucket: succeeded.bucket.clone(),
            object: succeeded.object.clone(),
        });
        self.durable = succeeded.size;
        self.sent = succeeded.size;
        self.emit_progress(ctx);
        self.emit(ctx, Event::Succeeded(succeeded));
    }

    /// Drops the file's parts on the store.
    pub(super) fn abort(&mut self, ctx: &mut QueueContext) {
        let Some(stored) = self.stored.upload.clone() else {
            return self.forget(ctx, false, AfterForget::Cancel(None));
        };
        let wanted = address_of(&stored.record.target);
        let credential = self.credential.clone();
        let credential = credential.filter(|held| is_same_object(&held.address, &wanted));
        let Some(credential) = credential else {
            let begun = stored.checkpoint.upload_id.is_some();
            let left_over = begun.then(no_credential);
            return self.forget(ctx, false, AfterForget::Cancel(left_over));
        };
        let opening = Opening { key: stored.key, record: stored.record, credential };
        self.begin_turn(ctx, opening, Claim::TakeOver, Purpose::Abort, TurnKind::Abort);
    }

    /// The queue is stopped while the file has its turn.
    pub(super) fn stop(&mut self, ctx: &mut QueueContext) {
        if matches!(self.phase, Phase::Canceling | Phase::Stopping) || !self.is_active() {
            return;
        }
        if let Some(call) = self.vod.take() {
            call.cancel(ctx);
        }
        self.phase = Phase::Stopping;
        if self.turn.is_some() {
            self.give_up(ctx, stopped());
        } else if self.job.is_none() || self.drop_look() {
            self.stop_now(ctx);
        }
    }

    /// The file has stopped: whatever was under way has ended.
    pub(super) fn stop_now(&mut self, ctx: &mut QueueContext) {
        self.phase = Phase::Stopped;
        self.sent = self.durable;
        self.emit(ctx, Event::Stopped { file: self.id, durable: self.durable });
        if std::mem::take(&mut self.again) {
            self.phase = Phase::Ready;
        }
    }

    /// The file leaves the list at once. What is being canceled is canceled to its end; what is at
    /// work is cut off.
    pub(super) fn leave(&mut self, ctx: &mut QueueContext) {
        match self.phase {
            Phase::Canceling => {
                let message = "the list was cleaned before it was known whether all is dropped";
                let left_over = Some(Error::new(ErrorKind::UploadStopped, message));
                self.emit(ctx, Event::Canceled { file: self.id, left_over });
            }
            _ if self.is_active() => {
                if let Some(turn) = self.turn.take() {
                    ctx.output(super::driver_io::Output::TurnDropped { turn: turn.id });
                }
                if let Some(call) = self.vod.take() {
                    call.cancel(ctx);
                }
                // What is being written is waited for, so that it cannot arrive after what the
                // same file, added again, has written.
                self.drop_look();
                self.again = false;
                self.phase = Phase::Stopping;
                self.stop_now(ctx);
            }
            // What is being deleted is deleted to its end.
            _ => {}
        }
        self.hidden = true;
        self.removed = true;
    }

    /// `clear-checkpoint`
    pub(super) fn clear_checkpoint(&mut self, ctx: &mut QueueContext) -> Result<()> {
        FileCall::ClearCheckpoint.require(&self.state())?;
        match self.phase {
            Phase::CredentialWanted | Phase::Expired => {
                self.phase = Phase::Opening;
                self.forget(ctx, false, AfterForget::Start);
            }
            Phase::Transferring => self.start_again_without_media(ctx, stopped()),
            // A clear that is under way already does for this one.
            _ if self.job.is_none() => {
                self.look(ctx, AfterLook::Clear);
                // From this call on the file is bound to no object.
                self.address = None;
            }
            _ => {}
        }
        Ok(())
    }

    /// What was stored of the file is deleted.
    pub(super) fn forgotten(&mut self, ctx: &mut QueueContext, had_parts: bool, then: AfterForget) {
        match (then, &self.phase) {
            (AfterForget::Cancel(left_over), _) => self.canceled(ctx, left_over),
            (_, Phase::Canceling) => self.canceled(ctx, had_parts.then(no_credential)),
            _ if self.hidden => {}
            (_, Phase::Stopping) => self.stop_now(ctx),
            (AfterForget::Fail(error), _) => self.fail(ctx, error),
            (AfterForget::Start, _) => self.started(ctx),
            (AfterForget::Open(credential, media_id), _) => self.open(ctx, *credential, media_id),
            (AfterForget::Nothing, _) => {}
        }
    }

    fn canceled(&mut self, ctx: &mut QueueContext, left_over: Option<Error>) {
        self.phase = Phase::Canceled;
        self.media_id = None;
        self.media_url = None;
        self.credential = None;
        self.address = None;
        self.access = None;
        self.durable = ByteCount::ZERO;
        self.sent = ByteCount::ZERO;
        self.emit(ctx, Event::Canceled { file: self.id, left_over });
    }

    /// The file could not be uploaded.
    pub(super) fn fail(&mut self, ctx: &mut QueueContext, error: Error) {
        self.phase = Phase::Failure(error.clone());
        self.sent = self.durable;
        self.emit(ctx, Event::Failed { file: self.id, error, durable: self.durable });
    }

    /// `resume-file`, and what `start-upload` does with files that failed or were stopped.
    pub(super) fn make_ready(&mut self) {
        self.phase = Phase::Ready;
    }
}

fn no_credential() -> Error {
    let message = "no credential is at hand to drop the parts with";
    Error::new(ErrorKind::CredentialRequired, message)
}

fn stopped() -> Error {
    Error::new(ErrorKind::UploadStopped, "the upload was stopped")
}
