//! What an app calls.

use vod_uploader::error::Result;
use vod_uploader::queue::{FileId, FileState, Queue, QueueState, StsToken};
use vod_uploader::units::ByteCount;
use vod_uploader::vod::MediaKind;

use super::{PlannedFile, Simulation};
use crate::Content;
use crate::session_input::Supply;
use crate::vod::Grant;
impl Simulation {
    /// Adds a file.
    pub fn add(&mut self, planned: PlannedFile) -> Result<FileId> {
        let now = self.now;
        let new = planned.new.clone();
        // The event names the file before the call has returned.
        let next = FileId(self.added + 1);
        self.files.insert(next, planned);
        let added = self.call(|queue| queue.add_file(now, new));
        match &added {
            Ok(file) => {
                assert_eq!(*file, next, "ids are given one after another");
                self.added += 1;
            }
            Err(_) => drop(self.files.remove(&next)),
        }
        added
    }

    /// Makes a call on the queue, and begins what follows from it.
    pub fn call<T>(&mut self, call: impl FnOnce(&mut Queue) -> T) -> T {
        let result = call(&mut self.queue);
        self.drain();
        result
    }

    /// `start-upload`
    pub fn start(&mut self) {
        self.try_start().unwrap();
    }

    /// The same, where it may be refused.
    pub fn try_start(&mut self) -> Result<()> {
        let now = self.now;
        let result = self.queue.start_upload(now);
        if result.is_ok() {
            self.checker.run_begins();
        }
        self.drain();
        result
    }

    /// `stop-upload`
    pub fn stop(&mut self) {
        self.try_stop().unwrap();
    }

    /// The same, where it may be refused.
    pub fn try_stop(&mut self) -> Result<()> {
        let now = self.now;
        self.call(|queue| queue.stop_upload(now))
    }

    /// `cancel-file`
    pub fn cancel(&mut self, file: FileId) -> Result<()> {
        let now = self.now;
        let result = self.call(|queue| queue.cancel_file(now, file));
        self.note_dropping(file, result.is_ok());
        result
    }

    /// `delete-file`
    pub fn delete(&mut self, file: FileId) -> Result<()> {
        let now = self.now;
        let result = self.call(|queue| queue.delete_file(now, file));
        self.note_dropping(file, result.is_ok());
        result
    }

    /// From a cancel on, what is stored may be gone at any time, whoever is left to tell.
    fn note_dropping(&mut self, file: FileId, is_taken: bool) {
        if is_taken {
            let name = self.files[&file].new.name.clone();
            self.checker.may_start_again(&name);
        }
    }

    /// `resume-file`
    pub fn resume(&mut self, file: FileId) -> Result<()> {
        let now = self.now;
        self.call(|queue| queue.resume_file(now, file))
    }

    /// `clean-list`
    pub fn clean(&mut self) {
        let now = self.now;
        self.call(|queue| queue.clean_list(now));
    }

    /// A token that lives as long as the app's do.
    pub fn token(&mut self) -> StsToken {
        let life = self.app.token_life;
        self.vod.token(&mut self.store, self.now, life)
    }

    /// A new media and its credential, from the app's server.
    pub fn created(&mut self, kind: MediaKind) -> Grant {
        self.vod.create(&mut self.store, self.now, kind.can_refresh())
    }

    /// A new credential for a media, from the app's server.
    pub fn refreshed(&mut self, media_id: &str) -> Option<Grant> {
        self.vod.refresh(&mut self.store, self.now, media_id)
    }

    /// `set-upload-auth-and-address`
    pub fn hand_in(&mut self, file: FileId, grant: &Grant) -> Result<()> {
        let (now, id) = (self.now, Some(grant.media_id.clone()));
        self.checker.keep_secret(&grant.auth);
        self.call(|queue| {
            queue.set_upload_auth_and_address(now, file, &grant.auth, &grant.address, id)
        })
    }

    /// `set-sts-token`
    pub fn hand_in_token(&mut self, file: FileId) -> Result<()> {
        let (now, token) = (self.now, self.token());
        self.call(|queue| queue.set_sts_token(now, file, token))
    }

    /// `set-sts-token-directly-upload`
    pub fn hand_in_direct_token(&mut self, file: FileId) -> Result<()> {
        let (now, token) = (self.now, self.token());
        self.call(|queue| queue.set_sts_token_directly_upload(now, file, token))
    }

    /// `clear-checkpoint`
    pub fn clear_checkpoint(&mut self, file: FileId) -> Result<()> {
        let now = self.now;
        let name = self.files[&file].new.name.clone();
        let result = self.queue.clear_checkpoint(now, file);
        if result.is_ok() {
            self.checker.may_start_again(&name);
            self.checker.allow_orphans(&name);
        }
        self.drain();
        result
    }

    /// `supply-source`
    pub fn supply(&mut self, file: FileId, from: u64, supply: Supply) -> Result<()> {
        let now = self.now;
        let session = self.call(|queue| queue.supply_source(now, file, ByteCount(from)))?;
        self.lanes.get_mut(&session).unwrap().supply(supply);
        Ok(())
    }

    /// A file's bytes.
    #[must_use]
    pub fn content(&self, file: FileId) -> &Content {
        &self.files[&file].content
    }

    /// Where a file stands; panics where the list does not have it.
    #[must_use]
    pub fn state(&self, file: FileId) -> FileState {
        let listed = self.queue.list_files();
        listed.into_iter().find(|info| info.id == file).expect("a listed file").state
    }

    /// Where the queue stands.
    #[must_use]
    pub fn queue_state(&self) -> QueueState {
        self.queue.state()
    }
}
