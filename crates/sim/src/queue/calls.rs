//! The calls of an app on the queue.

use std::collections::BTreeMap;

use vod_uploader::error::Result;
use vod_uploader::queue::{FileId, FileInfo, NewFile, Options, OptionsInput, Queue, SessionId};
use vod_uploader::units::{ByteCount, UnixMillis};

use super::checker::InvariantChecker;
use super::session_input::{SessionInput, Supply};
use crate::world::{Content, Grant, World};

/// A file that an app adds.
#[derive(Clone, Debug)]
pub struct PlannedFile {
    /// The arguments of `add-file`.
    pub new: NewFile,
    /// The bytes.
    pub content: Content,
}

/// The queue, its files and sessions, and the checker that observes the calls.
#[derive(Debug)]
pub(crate) struct QueueCalls {
    pub(crate) queue: Queue,
    pub(crate) files: BTreeMap<FileId, PlannedFile>,
    pub(crate) inputs: BTreeMap<SessionId, SessionInput>,
    pub(crate) checker: InvariantChecker,
    seed: u8,
    file_count: u64,
}

impl QueueCalls {
    /// A new queue.
    pub(crate) fn new(options: &OptionsInput, now: UnixMillis) -> Self {
        Self {
            queue: new_queue(options, 1, now),
            files: BTreeMap::new(),
            inputs: BTreeMap::new(),
            checker: InvariantChecker::default(),
            seed: 1,
            file_count: 0,
        }
    }

    /// Replaces the queue by a new one without files.
    pub(crate) fn restart(&mut self, options: &OptionsInput, now: UnixMillis) {
        self.seed = self.seed.wrapping_add(1);
        self.file_count = 0;
        self.queue = new_queue(options, self.seed, now);
        self.inputs.clear();
        self.files.clear();
        self.checker.queue_created();
    }

    /// The listed information about a file.
    pub(crate) fn info(&self, file: FileId) -> Option<FileInfo> {
        self.queue.list_files().into_iter().find(|info| info.id == file)
    }

    pub(crate) fn name(&self, file: FileId) -> &str {
        &self.files[&file].new.name
    }

    /// `add-file`. Events that precede the end of the call already have the ID of the file.
    pub(crate) fn add(&mut self, now: UnixMillis, planned: PlannedFile) -> Result<FileId> {
        let added = self.queue.add_file(now, planned.new.clone())?;
        self.file_count += 1;
        assert_eq!(added, FileId(self.file_count), "ids are consecutive");
        self.files.insert(added, planned);
        Ok(added)
    }

    /// `start-upload`
    pub(crate) fn start(&mut self, now: UnixMillis) -> Result<()> {
        self.queue.start_upload(now)?;
        self.checker.run_started();
        Ok(())
    }

    /// `cancel-file`. What is stored may be deleted at any time from now on.
    pub(crate) fn cancel(&mut self, now: UnixMillis, file: FileId) -> Result<()> {
        self.queue.cancel_file(now, file)?;
        self.allow_restart(file);
        Ok(())
    }

    /// `delete-file`. What is stored may be deleted at any time from now on.
    pub(crate) fn delete(&mut self, now: UnixMillis, file: FileId) -> Result<()> {
        self.queue.delete_file(now, file)?;
        self.allow_restart(file);
        Ok(())
    }

    /// `set-upload-auth-and-address`
    pub(crate) fn set_credential(
        &mut self,
        now: UnixMillis,
        file: FileId,
        grant: &Grant,
    ) -> Result<()> {
        self.checker.add_secret(&grant.auth);
        let media_id = Some(grant.media_id.clone());
        self.queue.set_upload_auth_and_address(now, file, &grant.auth, &grant.address, media_id)
    }

    /// `set-sts-token`
    pub(crate) fn set_token(&mut self, world: &mut World, file: FileId) -> Result<()> {
        let token = world.issue_token();
        self.queue.set_sts_token(world.now(), file, token)
    }

    /// `set-sts-token-directly-upload`
    pub(crate) fn set_direct_token(&mut self, world: &mut World, file: FileId) -> Result<()> {
        let token = world.issue_token();
        self.queue.set_sts_token_directly_upload(world.now(), file, token)
    }

    /// `clear-checkpoint`
    pub(crate) fn clear_checkpoint(&mut self, now: UnixMillis, file: FileId) -> Result<()> {
        self.queue.clear_checkpoint(now, file)?;
        let name = self.name(file).to_owned();
        self.checker.checkpoint_cleared(&name);
        Ok(())
    }

    /// `supply-source`
    pub(crate) fn supply(
        &mut self,
        now: UnixMillis,
        file: FileId,
        from: u64,
        supply: Supply,
    ) -> Result<()> {
        let session = self.queue.supply_source(now, file, ByteCount(from))?;
        self.inputs.get_mut(&session).unwrap().supply(supply);
        Ok(())
    }

    fn allow_restart(&mut self, file: FileId) {
        let name = self.name(file).to_owned();
        self.checker.allow_restart(&name);
    }
}

fn new_queue(options: &OptionsInput, seed: u8, now: UnixMillis) -> Queue {
    Queue::new(Options::new(options.clone()).unwrap(), [seed; 32], now)
}
