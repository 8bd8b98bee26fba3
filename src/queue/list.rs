//! The list of files, the calls that it takes, and whose turn it is.

use super::context::QueueContext;
use super::credentials::StsToken;
use super::driver_io::{Input, Output};
use super::entry::{Entry, Phase};
use super::event::Event;
use super::ids::{FileId, TurnId, VodCallId};
use super::info::FileInfo;
use super::lookup::CheckpointLookup;
use super::new_file::NewFile;
use super::options::Options;
use super::state::{FileCall, QueueCall, QueueState};
use super::turn::Turn;
use super::validated_file::ValidatedFile;
use super::vod_call::VodCall;
use crate::error::{Error, ErrorKind, Result};
use crate::oss::Reply;
use crate::units::{ByteCount, UnixMillis};
use crate::upload::Want;

/// A list of files and the run of their uploads. See the [module](super) for the loop that drives
/// it.
#[derive(Debug)]
pub struct Queue {
    ctx: QueueContext,
    entries: Vec<Entry>,
    run: Run,
    files_added: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    Init,
    Going,
    Stopped,
    Ended,
}

impl Queue {
    /// An empty list. `seed` has 256 random bits that nobody else knows: ids and nonces are drawn
    /// from it.
    #[must_use]
    pub fn new(options: Options, seed: [u8; 32], now: UnixMillis) -> Self {
        let ctx = QueueContext::new(options, seed, now);
        Self { ctx, entries: Vec::new(), run: Run::Init, files_added: 0 }
    }

    /// The next thing to do, or `None` until the next call or [`Queue::handle`].
    pub fn poll(&mut self) -> Option<Output> {
        self.ctx.next_output()
    }

    /// The next event, or `None` where there is none that was not taken.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.ctx.next_event()
    }

    /// What a turn wants from its source now; see [`crate::upload::Session::wants`].
    #[must_use]
    pub fn wants(&self, turn: TurnId) -> Option<Want> {
        self.turn(turn).and_then(Turn::wants)
    }

    /// The instant at which [`Input::Tick`] is due, if nothing else comes before.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<UnixMillis> {
        self.entries.iter().filter_map(Entry::next_wakeup).min()
    }

    /// Takes what the driver has to tell, at the instant `now`. What belongs to something that has
    /// ended is taken for nothing.
    pub fn handle(&mut self, now: UnixMillis, input: Input) {
        self.ctx.advance_clock(now);
        let ctx = &mut self.ctx;
        let of_turn = |entries: &mut [Entry], turn: TurnId| {
            entries
                .iter()
                .position(|entry| entry.turn.as_ref().is_some_and(|at_work| at_work.id == turn))
        };
        match input {
            Input::Tick => self.entries.iter_mut().for_each(|entry| entry.tick(ctx)),
            Input::Kv { id, result } => {
                if let Some(entry) = self.entries.iter_mut().find(|entry| entry.awaits_kv(id)) {
                    entry.kv_ended(ctx, id, result);
                }
            }
            Input::VodReplied { id, result } => self.vod_replied(id, result),
            Input::Turn { turn, input } => {
                if let Some(index) = of_turn(&mut self.entries, turn) {
                    self.entries[index].tell_session(ctx, input);
                }
            }
            Input::SourceEnded { turn, offset } => {
                if let Some(index) = of_turn(&mut self.entries, turn) {
                    self.entries[index].source_ended(ctx, offset);
                }
            }
            Input::SourceBroken { turn, reason } => {
                if let Some(index) = of_turn(&mut self.entries, turn) {
                    self.entries[index].source_broken(ctx, &reason);
                }
            }
        }
        self.advance();
    }

    /// `add-file`: adds a file to the end of the list.
    ///
    /// # Errors
    /// [`ErrorKind::RequestInvalid`] with the field, [`ErrorKind::FileEmpty`],
    /// [`ErrorKind::FileTooLarge`], and [`ErrorKind::FileDuplicate`] where the list has it already.
    pub fn add_file(&mut self, now: UnixMillis, new: NewFile) -> Result<FileId> {
        self.ctx.advance_clock(now);
        QueueCall::AddFile.require(self.state())?;
        let file = ValidatedFile::new(self.ctx.options().user_id(), new)?;
        let listed = |entry: &Entry| !entry.hidden && file.is_same_file(&entry.file);
        if self.entries.iter().any(listed) {
            let message = "the list has this file already, by its name, size, time and edges";
            return Err(Error::new(ErrorKind::FileDuplicate, message));
        }
        self.files_added += 1;
        let id = FileId(self.files_added);
        let entry = Entry::new(id, file);
        self.ctx.event(Event::FileAdded(entry.info()));
        self.entries.push(entry);
        self.advance();
        Ok(id)
    }

    /// `delete-file`: removes a file from the list, in any state; what was stored of it is dropped.
    ///
    /// # Errors
    /// [`ErrorKind::FileUnknown`].
    pub fn delete_file(&mut self, now: UnixMillis, file: FileId) -> Result<()> {
        self.call(now, file, |entry, ctx| {
            FileCall::Delete.require(&entry.state())?;
            entry.delete_from_list(ctx);
            Ok(())
        })
    }

    /// `cancel-file`: stops a file and drops what was stored of it.
    ///
    /// # Errors
    /// [`ErrorKind::FileUnknown`], [`ErrorKind::FileStateWrong`].
    pub fn cancel_file(&mut self, now: UnixMillis, file: FileId) -> Result<()> {
        self.call(now, file, Entry::cancel)
    }

    /// `resume-file`: makes a canceled, stopped or failed file ready again.
    ///
    /// # Errors
    /// [`ErrorKind::FileUnknown`], [`ErrorKind::FileStateWrong`].
    pub fn resume_file(&mut self, now: UnixMillis, file: FileId) -> Result<()> {
        self.call(now, file, |entry, _| {
            FileCall::Resume.require(&entry.state())?;
            entry.make_ready();
            Ok(())
        })
    }

    /// `list-files`: the files, in the order in which they were added.
    #[must_use]
    pub fn list_files(&self) -> Vec<FileInfo> {
        self.entries.iter().filter(|entry| !entry.hidden).map(Entry::info).collect()
    }

    /// Where the queue stands.
    #[must_use]
    pub fn state(&self) -> QueueState {
        use super::state::{FileState, UploadingPhase::TokenExpired};
        let mut listed = self.entries.iter().filter(|entry| !entry.hidden);
        let expired = |entry: &Entry| entry.state() == FileState::Uploading(TokenExpired);
        match self.run {
            Run::Init => QueueState::Init,
            Run::Going if listed.any(expired) => QueueState::Expire,
            Run::Going => QueueState::Start,
            Run::Stopped => QueueState::Stop,
            Run::Ended if listed.any(|entry| matches!(entry.phase, Phase::Failure(_))) => {
                QueueState::Failure
            }
            Run::Ended => QueueState::End,
        }
    }

    /// `clean-list`: empties the list and ends the run; what was stored is kept.
    pub fn clean_list(&mut self, now: UnixMillis) {
        self.ctx.advance_clock(now);
        for entry in self.entries.iter_mut().filter(|entry| !entry.hidden) {
            entry.leave(&mut self.ctx);
        }
        if matches!(self.run, Run::Going | Run::Stopped) {
            self.ctx.event(Event::UploadEnd);
        }
        self.run = Run::Init;
        self.advance();
    }

    /// `start-upload`: starts a run, or goes on with a stopped one.
    ///
    /// # Errors
    /// [`ErrorKind::QueueStateWrong`] where a run is going on.
    pub fn start_upload(&mut self, now: UnixMillis) -> Result<()> {
        self.ctx.advance_clock(now);
        QueueCall::StartUpload.require(self.state())?;
        self.run = Run::Going;
        for entry in &mut self.entries {
            match entry.phase {
                Phase::Failure(_) | Phase::Stopped => entry.make_ready(),
                Phase::Stopping => entry.again = true,
                _ => {}
            }
        }
        self.advance();
        Ok(())
    }

    /// `stop-upload`: stops the run; what was stored is kept.
    ///
    /// # Errors
    /// [`ErrorKind::QueueStateWrong`] where no run is going on.
    pub fn stop_upload(&mut self, now: UnixMillis) -> Result<()> {
        self.ctx.advance_clock(now);
        QueueCall::StopUpload.require(self.state())?;
        self.run = Run::Stopped;
        for entry in &mut self.entries {
            entry.again = false;
            entry.stop(&mut self.ctx);
        }
        self.advance();
        Ok(())
    }

    /// `get-checkpoint`: which keys to read for what is stored of a file. The caller reads them.
    ///
    /// # Errors
    /// [`ErrorKind::FileUnknown`].
    pub fn checkpoint(&self, file: FileId) -> Result<CheckpointLookup> {
        let entry = self.entries.iter().find(|entry| entry.id == file && !entry.hidden);
        let entry = entry.ok_or_else(unknown)?;
        FileCall::Checkpoint.require(&entry.state())?;
        let upload = entry.stored.upload.as_ref().map(|upload| &upload.key);
        Ok(CheckpointLookup::new(entry.file.fingerprint(), upload))
    }

    /// `clear-checkpoint`: forgets what is stored of a file.
    ///
    /// # Errors
    /// [`ErrorKind::FileUnknown`], [`ErrorKind::FileStateWrong`].
    pub fn clear_checkpoint(&mut self, now: UnixMillis, file: FileId) -> Result<()> {
        self.call(now, file, Entry::clear_checkpoint)
    }

    /// `set-upload-auth-and-address`: hands in a credential and its address, as VOD returned them.
    ///
    /// # Errors
    /// [`ErrorKind::FileUnknown`], [`ErrorKind::FileStateWrong`], the kinds of
    /// [`crate::credential::UploadCredential::parse`], [`ErrorKind::CredentialExpired`],
    /// [`ErrorKind::CredentialForOtherObject`].
    pub fn set_upload_auth_and_address(
        &mut self,
        now: UnixMillis,
        file: FileId,
        auth: &str,
        address: &str,
        media_id: Option<String>,
    ) -> Result<()> {
        self.call(now, file, |entry, ctx| {
            entry.set_upload_auth_and_address(ctx, auth, address, media_id)
        })
    }

    /// `resume-upload-with-auth`: hands in a new credential for the same object.
    ///
    /// # Errors
    /// [`ErrorKind::FileUnknown`], [`ErrorKind::FileStateWrong`], the kinds of
    /// [`crate::credential::UploadAuth::parse`], [`ErrorKind::CredentialExpired`],
    /// [`ErrorKind::CredentialRequired`] where no address is known,
    /// [`ErrorKind::CredentialNotRefreshable`].
    pub fn resume_upload_with_auth(
        &mut self,
        now: UnixMillis,
        file: FileId,
        auth: &str,
    ) -> Result<()> {
        self.call(now, file, |entry, ctx| entry.resume_upload_with_auth(ctx, auth))
    }

    /// `set-sts-token`: hands in a token to call VOD with.
    ///
    /// # Errors
    /// [`ErrorKind::FileUnknown`], [`ErrorKind::FileStateWrong`], [`ErrorKind::CredentialExpired`],
    /// [`ErrorKind::RequestInvalid`] with the field, [`ErrorKind::CredentialRequired`].
    pub fn set_sts_token(&mut self, now: UnixMillis, file: FileId, token: StsToken) -> Result<()> {
        self.call(now, file, |entry, ctx| entry.set_sts_token(ctx, token))
    }

    /// `resume-upload-with-sts-token`: hands in a new token.
    ///
    /// # Errors
    /// As [`Self::set_sts_token`], and [`ErrorKind::CredentialRequired`] without a token before.
    pub fn resume_upload_with_sts_token(
        &mut self,
        now: UnixMillis,
        file: FileId,
        token: StsToken,
    ) -> Result<()> {
        self.call(now, file, |entry, ctx| entry.resume_upload_with_sts_token(ctx, token))
    }

    /// `set-sts-token-directly-upload`: hands in a token for a bucket of one's own.
    ///
    /// # Errors
    /// As [`Self::set_sts_token`], and [`ErrorKind::CredentialForOtherObject`].
    pub fn set_sts_token_directly_upload(
        &mut self,
        now: UnixMillis,
        file: FileId,
        token: StsToken,
    ) -> Result<()> {
        self.call(now, file, |entry, ctx| entry.set_sts_token_directly_upload(ctx, token))
    }

    /// `supply-source`: the turn that a file's bytes from `offset` on go to.
    ///
    /// # Errors
    /// [`ErrorKind::FileUnknown`], [`ErrorKind::FileStateWrong`], [`ErrorKind::OffsetMismatch`].
    pub fn supply_source(
        &mut self,
        now: UnixMillis,
        file: FileId,
        offset: ByteCount,
    ) -> Result<TurnId> {
        self.call(now, file, |entry, _| entry.supply_source(offset))
    }

    fn call<T>(
        &mut self,
        now: UnixMillis,
        file: FileId,
        call: impl FnOnce(&mut Entry, &mut QueueContext) -> Result<T>,
    ) -> Result<T> {
        self.ctx.advance_clock(now);
        let entry = self.entries.iter_mut().find(|entry| entry.id == file && !entry.hidden);
        let result = call(entry.ok_or_else(unknown)?, &mut self.ctx);
        self.advance();
        result
    }

    fn vod_replied(&mut self, id: VodCallId, result: Result<Reply>) {
        let awaits = |call: &VodCall| call.is_awaiting(id);
        let ctx = &mut self.ctx;
        for entry in &mut self.entries {
            if let Some(call) = entry.vod.as_mut().filter(|call| awaits(call)) {
                if let Some(ended) = call.on_reply(ctx, &entry.file, result) {
                    entry.vod_ended(ctx, ended);
                }
                return;
            }
        }
    }

    /// Removes what is to be removed, gives the next files their turns, and ends the run.
    fn advance(&mut self) {
        self.entries.retain(|entry| !entry.removed || entry.is_active() || entry.job.is_some());
        while self.run == Run::Going {
            let listed = self.entries.iter().filter(|entry| !entry.hidden);
            let active = listed.filter(|entry| entry.is_active()).count();
            if active < self.ctx.options().parallel_files()
                && let Some(index) = self.next_to_begin()
            {
                self.entries[index].begin(&mut self.ctx);
                continue;
            }
            let ready =
                self.entries.iter().any(|entry| entry.phase == Phase::Ready && !entry.hidden);
            // What is stored of the last file is deleted before the run is said to be over.
            let at_rest = self.entries.iter().all(|entry| entry.hidden || entry.job.is_none());
            if active == 0 && !ready && at_rest {
                self.run = Run::Ended;
                self.ctx.event(Event::UploadEnd);
            }
            return;
        }
    }

    /// The first file that can have its turn. One that was in the list before, and of which
    /// something is left to do, waits for that: it would delete what is stored now.
    fn next_to_begin(&self) -> Option<usize> {
        let leaves = |file: &Entry| {
            self.entries.iter().any(|other| other.hidden && file.file.is_same_file(&other.file))
        };
        self.entries.iter().position(|entry| entry.can_begin() && !leaves(entry))
    }

    fn turn(&self, turn: TurnId) -> Option<&Turn> {
        let turns = self.entries.iter().filter_map(|entry| entry.turn.as_ref());
        turns.into_iter().find(|at_work| at_work.id == turn)
    }
}

fn unknown() -> Error {
    Error::new(ErrorKind::FileUnknown, "the list has no file of this id")
}
