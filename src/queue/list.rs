//! The queue: its list of files, its calls, and which file starts next.

use super::context::QueueContext;
use super::file::{CredentialCheck, PendingCredential, QueuedFile, StsToken, ValidatedFile};
use super::interface::{
    Event, FileCall, FileId, FileInfo, FileState, Input, NewFile, Options, Output, QueueCall,
    QueueState, SessionId, UploadingPhase,
};
use super::records::CheckpointLookup;
use crate::error::{Error, ErrorKind, Result};
use crate::units::{ByteCount, UnixMillis};
use crate::upload::FillRequest;

/// A list of files and the run that uploads them. See the [module](super) for the driver loop.
#[derive(Debug)]
pub struct Queue {
    ctx: QueueContext,
    files: Vec<QueuedFile>,
    run: RunState,
    files_added: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RunState {
    Init,
    Running,
    Stopped,
    Finished,
}

impl Queue {
    /// Creates an empty queue. IDs and nonces are derived from `seed`, which must be 256 random
    /// bits that are secret.
    #[must_use]
    pub fn new(options: Options, seed: [u8; 32], now: UnixMillis) -> Self {
        let ctx = QueueContext::new(options, seed, now);
        Self { ctx, files: Vec::new(), run: RunState::Init, files_added: 0 }
    }

    /// Returns the next output, or `None` until the next call or [`Queue::handle`].
    pub fn poll(&mut self) -> Option<Output> {
        self.ctx.next_output()
    }

    /// Returns the next unread event, or `None` if there is none.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.ctx.next_event()
    }

    /// Returns the bytes that a session requests; see [`crate::upload::Session::pending_fill`].
    #[must_use]
    pub fn pending_fill(&self, session: SessionId) -> Option<FillRequest> {
        self.files.iter().find(|file| file.has_session(session))?.pending_fill()
    }

    /// Returns when [`Input::Tick`] is due unless another input precedes it.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<UnixMillis> {
        self.files.iter().filter_map(QueuedFile::next_wakeup).min()
    }

    /// Handles a report of the driver at the time `now`. Reports about operations and sessions that
    /// have ended are ignored.
    pub fn handle(&mut self, now: UnixMillis, input: Input) {
        self.ctx.advance_clock(now);
        let (ctx, files) = (&mut self.ctx, &mut self.files);
        match input {
            Input::Tick => files.iter_mut().for_each(|file| file.handle(ctx, Input::Tick)),
            input => {
                if let Some(file) = files.iter_mut().find(|file| file.accepts(&input)) {
                    file.handle(ctx, input);
                }
            }
        }
        self.advance();
    }

    /// `add-file`: appends a file to the list.
    ///
    /// # Errors
    /// Returns [`ErrorKind::RequestInvalid`] with the field, [`ErrorKind::FileEmpty`],
    /// [`ErrorKind::FileTooLarge`], or [`ErrorKind::FileDuplicate`] if the list contains the file.
    pub fn add_file(&mut self, now: UnixMillis, new: NewFile) -> Result<FileId> {
        self.ctx.advance_clock(now);
        QueueCall::AddFile.require(self.state())?;
        let file = ValidatedFile::new(self.ctx.options().user_id(), new)?;
        if self.listed().any(|listed| listed.is_same_file(&file)) {
            let message = "the list already contains a file with this name, size, \
                           modification time and content sample";
            return Err(Error::new(ErrorKind::FileDuplicate, message));
        }
        self.files_added += 1;
        let id = FileId(self.files_added);
        let file = QueuedFile::new(id, file);
        self.ctx.event(Event::FileAdded(file.info()));
        self.files.push(file);
        self.advance();
        Ok(id)
    }

    /// `delete-file`: removes a file from the list in any state, and deletes its stored upload.
    ///
    /// # Errors
    /// Returns [`ErrorKind::FileUnknown`].
    pub fn delete_file(&mut self, now: UnixMillis, file: FileId) -> Result<()> {
        self.call(now, file, FileCall::Delete, QueuedFile::delete)
    }

    /// `cancel-file`: stops a file and deletes its stored upload.
    ///
    /// # Errors
    /// Returns [`ErrorKind::FileUnknown`] or [`ErrorKind::FileStateWrong`].
    pub fn cancel_file(&mut self, now: UnixMillis, file: FileId) -> Result<()> {
        self.call(now, file, FileCall::Cancel, QueuedFile::cancel)
    }

    /// `resume-file`: makes a canceled, stopped or failed file ready again.
    ///
    /// # Errors
    /// Returns [`ErrorKind::FileUnknown`] or [`ErrorKind::FileStateWrong`].
    pub fn resume_file(&mut self, now: UnixMillis, file: FileId) -> Result<()> {
        self.call(now, file, FileCall::Resume, |file, _| file.resume())
    }

    /// `list-files`: returns the files in the order in which they were added.
    #[must_use]
    pub fn list_files(&self) -> Vec<FileInfo> {
        self.listed().map(QueuedFile::info).collect()
    }

    /// Returns the state of the queue.
    #[must_use]
    pub fn state(&self) -> QueueState {
        const EXPIRED: FileState = FileState::Uploading(UploadingPhase::TokenExpired);
        let has_failed = |file: &QueuedFile| matches!(file.state(), FileState::Failure(_));
        match self.run {
            RunState::Init => QueueState::Init,
            RunState::Running if self.listed().any(|file| file.state() == EXPIRED) => {
                QueueState::Expire
            }
            RunState::Running => QueueState::Start,
            RunState::Stopped => QueueState::Stop,
            RunState::Finished if self.listed().any(has_failed) => QueueState::Failure,
            RunState::Finished => QueueState::End,
        }
    }

    /// `clean-list`: empties the list and ends the run. Stored uploads remain.
    pub fn clean_list(&mut self, now: UnixMillis) {
        self.ctx.advance_clock(now);
        for file in self.files.iter_mut().filter(|file| file.is_listed()) {
            file.remove(&mut self.ctx);
        }
        if matches!(self.run, RunState::Running | RunState::Stopped) {
            self.ctx.event(Event::UploadEnd);
        }
        self.run = RunState::Init;
        self.advance();
    }

    /// `start-upload`: starts a run, or resumes a stopped one.
    ///
    /// # Errors
    /// Returns [`ErrorKind::QueueStateWrong`] if the queue is running.
    pub fn start_upload(&mut self, now: UnixMillis) -> Result<()> {
        self.ctx.advance_clock(now);
        QueueCall::StartUpload.require(self.state())?;
        self.run = RunState::Running;
        self.files.iter_mut().for_each(QueuedFile::on_run_started);
        self.advance();
        Ok(())
    }

    /// `stop-upload`: stops the run. Stored uploads remain.
    ///
    /// # Errors
    /// Returns [`ErrorKind::QueueStateWrong`] if the queue is not running.
    pub fn stop_upload(&mut self, now: UnixMillis) -> Result<()> {
        self.ctx.advance_clock(now);
        QueueCall::StopUpload.require(self.state())?;
        self.run = RunState::Stopped;
        self.files.iter_mut().for_each(|file| file.stop(&mut self.ctx));
        self.advance();
        Ok(())
    }

    /// `get-checkpoint`: returns a lookup of the stored upload of a file. The caller performs its
    /// reads.
    ///
    /// # Errors
    /// Returns [`ErrorKind::FileUnknown`].
    pub fn checkpoint(&self, file: FileId) -> Result<CheckpointLookup> {
        let file = self.listed().find(|listed| listed.id() == file).ok_or_else(unknown_file)?;
        FileCall::Checkpoint.require(&file.state())?;
        Ok(file.checkpoint_lookup())
    }

    /// `clear-checkpoint`: deletes the records of a file.
    ///
    /// # Errors
    /// Returns [`ErrorKind::FileUnknown`] or [`ErrorKind::FileStateWrong`].
    pub fn clear_checkpoint(&mut self, now: UnixMillis, file: FileId) -> Result<()> {
        self.call(now, file, FileCall::ClearCheckpoint, QueuedFile::clear_checkpoint)
    }

    /// `set-upload-auth-and-address`: supplies a credential and its address, as VOD returned them.
    ///
    /// # Errors
    /// Returns [`ErrorKind::FileUnknown`], [`ErrorKind::FileStateWrong`], the kinds of
    /// [`crate::credential::UploadCredential::parse`], [`ErrorKind::CredentialExpired`] or
    /// [`ErrorKind::CredentialForOtherObject`].
    pub fn set_upload_auth_and_address(
        &mut self,
        now: UnixMillis,
        file: FileId,
        auth: &str,
        address: &str,
        media_id: Option<String>,
    ) -> Result<()> {
        self.supply_credential(now, file, FileCall::SetAuthAndAddress, |check, ctx| {
            check.auth_and_address(ctx, auth, address, media_id)
        })
    }

    /// `resume-upload-with-auth`: supplies a new credential for the same object.
    ///
    /// # Errors
    /// Returns [`ErrorKind::FileUnknown`], [`ErrorKind::FileStateWrong`], the kinds of
    /// [`crate::credential::UploadAuth::parse`], [`ErrorKind::CredentialExpired`],
    /// [`ErrorKind::CredentialRequired`] if no address is known, or
    /// [`ErrorKind::CredentialNotRefreshable`].
    pub fn resume_upload_with_auth(
        &mut self,
        now: UnixMillis,
        file: FileId,
        auth: &str,
    ) -> Result<()> {
        self.supply_credential(now, file, FileCall::ResumeWithAuth, |check, ctx| {
            check.auth(ctx.now(), auth)
        })
    }

    /// `set-sts-token`: supplies a token for calls to VOD.
    ///
    /// # Errors
    /// Returns [`ErrorKind::FileUnknown`], [`ErrorKind::FileStateWrong`],
    /// [`ErrorKind::CredentialExpired`], [`ErrorKind::RequestInvalid`] with the field, or
    /// [`ErrorKind::CredentialRequired`].
    pub fn set_sts_token(&mut self, now: UnixMillis, file: FileId, token: StsToken) -> Result<()> {
        self.supply_credential(now, file, FileCall::SetStsToken, |check, ctx| {
            check.sts_token(ctx.now(), token)
        })
    }

    /// `resume-upload-with-sts-token`: supplies a token that replaces the last one.
    ///
    /// # Errors
    /// Returns those of [`Self::set_sts_token`], and [`ErrorKind::CredentialRequired`] if there was
    /// no token.
    pub fn resume_upload_with_sts_token(
        &mut self,
        now: UnixMillis,
        file: FileId,
        token: StsToken,
    ) -> Result<()> {
        self.supply_credential(now, file, FileCall::ResumeWithStsToken, |check, ctx| {
            check.renewed_token(ctx.now(), token)
        })
    }

    /// `set-sts-token-directly-upload`: supplies a token for the app's own bucket.
    ///
    /// # Errors
    /// Returns those of [`Self::set_sts_token`], and [`ErrorKind::CredentialForOtherObject`].
    pub fn set_sts_token_directly_upload(
        &mut self,
        now: UnixMillis,
        file: FileId,
        token: StsToken,
    ) -> Result<()> {
        self.supply_credential(now, file, FileCall::SetStsTokenDirectly, |check, ctx| {
            check.direct_token(ctx, token)
        })
    }

    /// `supply-source`: returns the session that accepts the bytes of a file from `offset` on.
    ///
    /// # Errors
    /// Returns [`ErrorKind::FileUnknown`], [`ErrorKind::FileStateWrong`] or
    /// [`ErrorKind::OffsetMismatch`].
    pub fn supply_source(
        &mut self,
        now: UnixMillis,
        file: FileId,
        offset: ByteCount,
    ) -> Result<SessionId> {
        self.call(now, file, FileCall::SupplySource, |file, _| file.supply_source(offset))?
    }

    fn supply_credential(
        &mut self,
        now: UnixMillis,
        file: FileId,
        call: FileCall,
        check: impl FnOnce(CredentialCheck<'_>, &QueueContext) -> Result<PendingCredential>,
    ) -> Result<()> {
        self.call(now, file, call, |file, ctx| {
            let pending = check(file.credential_check(), ctx)?;
            file.set_pending_credential(ctx, pending);
            Ok(())
        })?
    }

    /// Performs `action` on a listed file whose state allows `call`.
    fn call<T>(
        &mut self,
        now: UnixMillis,
        file: FileId,
        call: FileCall,
        action: impl FnOnce(&mut QueuedFile, &mut QueueContext) -> T,
    ) -> Result<T> {
        self.ctx.advance_clock(now);
        let mut listed = self.files.iter_mut().filter(|file| file.is_listed());
        let file = listed.find(|listed| listed.id() == file).ok_or_else(unknown_file)?;
        call.require(&file.state())?;
        let result = action(file, &mut self.ctx);
        self.advance();
        Ok(result)
    }

    fn listed(&self) -> impl Iterator<Item = &QueuedFile> {
        self.files.iter().filter(|file| file.is_listed())
    }

    /// Removes files without remaining work, starts the next ones, and ends the run.
    fn advance(&mut self) {
        self.files.retain(|file| !file.is_removable());
        while self.run == RunState::Running {
            let active = self.listed().filter(|file| file.is_active()).count();
            if active < self.ctx.options().parallel_files()
                && let Some(index) = self.next_to_start()
            {
                self.files[index].start(&mut self.ctx);
                continue;
            }
            // The records of the last file are deleted before the run ends.
            let is_pending =
                |file: &QueuedFile| file.state() == FileState::Ready || file.is_accessing_records();
            if active == 0 && !self.listed().any(is_pending) {
                self.run = RunState::Finished;
                self.ctx.event(Event::UploadEnd);
            }
            return;
        }
    }

    /// The index of the first file that can start.
    fn next_to_start(&self) -> Option<usize> {
        let is_blocked = |file: &QueuedFile| self.files.iter().any(|other| file.waits_for(other));
        self.files.iter().position(|file| {
            file.state() == FileState::Ready && !file.is_accessing_records() && !is_blocked(file)
        })
    }
}

fn unknown_file() -> Error {
    Error::new(ErrorKind::FileUnknown, "the list contains no file with this ID")
}
