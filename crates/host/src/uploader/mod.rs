//! An uploader: the engine's queue, driven by a separate task.
//!
//! ```text
//! call → queue (engine) ← driver → sessions: OSS, key-value, supplied streams
//!   └────── notifies ──────→ │ └──→ VOD, key-value
//!                            └ notifies → events
//! ```

mod driver;
mod events;
mod file_session_io;
mod notifier;
mod supply;
mod uploader_inner;

use std::rc::Rc;

use spin_sdk::wasip3::spawn;
use spin_sdk::wasip3::wit_bindgen::StreamReader;
use vod_uploader::Result;
use vod_uploader::queue::{
    self, FileId, FileInfo, NewFile, Options, OptionsInput, Queue, QueueState, StoredFile, StsToken,
};
use vod_uploader::units::{ByteCount, UnixMillis};

use self::notifier::Notifier;
use self::supply::SuppliedStream;
use self::uploader_inner::UploaderInner;
use crate::instance;

pub use self::events::Events;
pub use self::supply::SupplyEnd;

/// A list of files and their uploads. Its methods and errors are those of
/// [`Queue`](vod_uploader::queue::Queue).
///
/// Dropping it aborts everything except writes in progress, and ends its events.
pub struct Uploader {
    inner: Rc<UploaderInner>,
}

impl Uploader {
    /// Creates an uploader. Its driver runs in the task that calls this, which must be that of an
    /// async export.
    ///
    /// # Errors
    /// Returns the errors of [`Options::new`].
    pub fn create(input: OptionsInput) -> Result<Self> {
        let timeout = queue::timeout(input.timeout_ms)?;
        let ports = instance::ports();
        let queue = Queue::new(Options::new(input)?, ports.random.bytes(), ports.clock.now());
        let (notifier, listener) = Notifier::new();
        let inner = Rc::new(UploaderInner::new(ports, queue, timeout, notifier));
        spawn(driver::drive(Rc::clone(&inner), listener));
        Ok(Self { inner })
    }

    /// The events. They can be taken once.
    ///
    /// # Errors
    /// Returns [`ErrorKind::EventsTaken`](vod_uploader::ErrorKind::EventsTaken) if they were taken
    /// before.
    pub fn events(&self) -> Result<Events> {
        Events::new(Rc::clone(&self.inner))
    }

    /// `add-file`
    ///
    /// # Errors
    /// Returns the errors of [`Queue::add_file`].
    pub fn add_file(&self, file: NewFile) -> Result<FileId> {
        self.call(|queue, now| queue.add_file(now, file))
    }

    /// `delete-file`
    ///
    /// # Errors
    /// Returns the errors of [`Queue::delete_file`].
    pub fn delete_file(&self, file: FileId) -> Result<()> {
        self.call(|queue, now| queue.delete_file(now, file))
    }

    /// `cancel-file`
    ///
    /// # Errors
    /// Returns the errors of [`Queue::cancel_file`].
    pub fn cancel_file(&self, file: FileId) -> Result<()> {
        self.call(|queue, now| queue.cancel_file(now, file))
    }

    /// `resume-file`
    ///
    /// # Errors
    /// Returns the errors of [`Queue::resume_file`].
    pub fn resume_file(&self, file: FileId) -> Result<()> {
        self.call(|queue, now| queue.resume_file(now, file))
    }

    /// `list-files`
    #[must_use]
    pub fn list_files(&self) -> Vec<FileInfo> {
        self.inner.queue().list_files()
    }

    /// `state`
    #[must_use]
    pub fn state(&self) -> QueueState {
        self.inner.queue().state()
    }

    /// `clean-list`
    pub fn clean_list(&self) {
        self.call(Queue::clean_list);
    }

    /// `start-upload`
    ///
    /// # Errors
    /// Returns the errors of [`Queue::start_upload`].
    pub fn start_upload(&self) -> Result<()> {
        self.call(Queue::start_upload)
    }

    /// `stop-upload`
    ///
    /// # Errors
    /// Returns the errors of [`Queue::stop_upload`].
    pub fn stop_upload(&self) -> Result<()> {
        self.call(Queue::stop_upload)
    }

    /// `get-checkpoint`: the records of a file in the key-value store.
    ///
    /// # Errors
    /// Returns the errors of [`Queue::checkpoint`] and
    /// [`CheckpointLookup::feed`](vod_uploader::queue::CheckpointLookup::feed), and
    /// [`ErrorKind::KeyValueUnavailable`](vod_uploader::ErrorKind::KeyValueUnavailable).
    pub async fn checkpoint(&self, file: FileId) -> Result<StoredFile> {
        let mut lookup = self.inner.queue().checkpoint(file)?;
        let kv = self.inner.ports().key_value;
        while let Some(key) = lookup.next_key() {
            lookup.feed(kv.get(&key).await?)?;
        }
        Ok(lookup.finish())
    }

    /// `clear-checkpoint`
    ///
    /// # Errors
    /// Returns the errors of [`Queue::clear_checkpoint`].
    pub fn clear_checkpoint(&self, file: FileId) -> Result<()> {
        self.call(|queue, now| queue.clear_checkpoint(now, file))
    }

    /// `set-upload-auth-and-address`
    ///
    /// # Errors
    /// Returns the errors of [`Queue::set_upload_auth_and_address`].
    pub fn set_upload_auth_and_address(
        &self,
        file: FileId,
        auth: &str,
        address: &str,
        media_id: Option<String>,
    ) -> Result<()> {
        self.call(|queue, now| {
            queue.set_upload_auth_and_address(now, file, auth, address, media_id)
        })
    }

    /// `resume-upload-with-auth`
    ///
    /// # Errors
    /// Returns the errors of [`Queue::resume_upload_with_auth`].
    pub fn resume_upload_with_auth(&self, file: FileId, auth: &str) -> Result<()> {
        self.call(|queue, now| queue.resume_upload_with_auth(now, file, auth))
    }

    /// `set-sts-token`
    ///
    /// # Errors
    /// Returns the errors of [`Queue::set_sts_token`].
    pub fn set_sts_token(&self, file: FileId, token: StsToken) -> Result<()> {
        self.call(|queue, now| queue.set_sts_token(now, file, token))
    }

    /// `resume-upload-with-sts-token`
    ///
    /// # Errors
    /// Returns the errors of [`Queue::resume_upload_with_sts_token`].
    pub fn resume_upload_with_sts_token(&self, file: FileId, token: StsToken) -> Result<()> {
        self.call(|queue, now| queue.resume_upload_with_sts_token(now, file, token))
    }

    /// `set-sts-token-directly-upload`
    ///
    /// # Errors
    /// Returns the errors of [`Queue::set_sts_token_directly_upload`].
    pub fn set_sts_token_directly_upload(&self, file: FileId, token: StsToken) -> Result<()> {
        self.call(|queue, now| queue.set_sts_token_directly_upload(now, file, token))
    }

    /// `supply-source`: a file's bytes from `offset` on, and how they ended, if the supplier
    /// reports it.
    ///
    /// # Errors
    /// Returns the errors of [`Queue::supply_source`].
    pub fn supply_source(
        &self,
        file: FileId,
        offset: ByteCount,
        bytes: StreamReader<u8>,
        end: Option<SupplyEnd>,
    ) -> Result<()> {
        self.call(|queue, now| {
            let session = queue.supply_source(now, file, offset)?;
            self.inner.supply(session, SuppliedStream { bytes, end });
            Ok(())
        })
    }

    fn call<T>(&self, call: impl FnOnce(&mut Queue, UnixMillis) -> T) -> T {
        let result = call(&mut self.inner.queue(), self.inner.ports().clock.now());
        self.inner.wake_driver();
        result
    }
}

impl Drop for Uploader {
    fn drop(&mut self) {
        self.inner.close();
    }
}
