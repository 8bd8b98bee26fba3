//! The stored data: objects, uploads, credentials, media IDs and jobs.
//!
//! Each body is a separate file that never changes. Everything else is in the journal, an
//! append-only file of JSON lines that is replayed at start. A body is valid only if a journal line
//! references it, so a killed process leaves the state before or after a request. Nothing is synced
//! to disk: data survives a kill of the process, but not necessarily a power cut.

mod body;
mod digest;
mod journal;
mod record;
mod tables;

pub(crate) use body::{BodyError as ReceiveError, Received};
pub(crate) use digest::{Checksum, crc64_combine, multipart_etag};
pub(crate) use record::{Media, MediaKind, Object, Part, Segment, Upload, UrlJob, UrlJobStatus};

use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use body::BodyDir;
use bytes::Bytes;
use journal::Journal;
use tables::{JournalEntry, Tables};
use tokio::sync::mpsc::Receiver;

use crate::credential::Credential;
use crate::http::RequestBody;

/// The store of one data directory.
#[derive(Debug)]
pub(crate) struct Store {
    bodies: BodyDir,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tables: Tables,
    journal: Journal,
}

impl Store {
    /// Opens or creates the data directory, replays its journal and removes unreferenced bodies;
    /// blocking.
    pub(crate) fn open(dir: &Path, discard_bodies: bool) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let (journal, entries) = Journal::open(&dir.join("journal.jsonl"))?;
        let mut tables = Tables::default();
        for entry in entries {
            tables.apply(entry);
        }
        let journal = journal.rewritten(&tables.snapshot())?;
        let bodies = BodyDir::open(&dir.join("bodies"), discard_bodies)?;
        bodies.retain(&tables.body_ids())?;
        Ok(Self { bodies, state: Mutex::new(State { tables, journal }) })
    }

    /// Receives a body to disk and computes its checksums. It is not referenced yet.
    pub(crate) async fn receive(
        &self,
        body: &mut RequestBody,
        want_md5: bool,
    ) -> Result<Received, ReceiveError> {
        self.bodies.receive(body, want_md5).await
    }

    /// Copies a range of an object into a new body.
    pub(crate) async fn copy(
        &self,
        object: &Object,
        start: u64,
        length: u64,
    ) -> io::Result<Received> {
        self.bodies.copy(object.segments.clone(), start, length).await
    }

    /// Streams a range of an object.
    pub(crate) fn read(
        &self,
        object: &Object,
        start: u64,
        length: u64,
    ) -> Receiver<io::Result<Bytes>> {
        self.bodies.read(object.segments.clone(), start, length)
    }

    /// Returns true if bodies are stored.
    pub(crate) fn stores_bodies(&self) -> bool {
        self.bodies.stores_bodies()
    }

    /// Removes a received body.
    pub(crate) fn discard(&self, received: Received) {
        self.bodies.remove(received.body.into_iter().collect());
    }

    /// The object with this key.
    pub(crate) fn object(&self, bucket: &str, key: &str) -> Option<Object> {
        self.lock().tables.object(bucket, key).cloned()
    }

    /// All objects of a bucket, by key.
    pub(crate) fn objects(&self, bucket: &str) -> Vec<Object> {
        self.lock().tables.objects_in(bucket).cloned().collect()
    }

    /// Stores an object. It replaces one with the same key.
    pub(crate) fn put_object(&self, object: Object) -> io::Result<()> {
        self.commit(JournalEntry::ObjectStored(object))
    }

    /// Deletes an object, if present.
    pub(crate) fn delete_object(&self, bucket: &str, key: &str) -> io::Result<()> {
        self.commit(JournalEntry::ObjectDeleted { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    /// The open upload with this ID.
    pub(crate) fn upload(&self, id: &str) -> Option<Upload> {
        self.lock().tables.upload(id).cloned()
    }

    /// Returns true if there is an open upload with this ID, bucket and key.
    pub(crate) fn upload_is_for(&self, id: &str, bucket: &str, key: &str) -> bool {
        self.lock()
            .tables
            .upload(id)
            .is_some_and(|upload| upload.bucket == bucket && upload.key == key)
    }

    /// All open uploads, by key and ID.
    pub(crate) fn uploads(&self) -> Vec<Upload> {
        self.lock().tables.uploads().cloned().collect()
    }

    /// Stores a new upload.
    pub(crate) fn start_upload(&self, upload: Upload) -> io::Result<()> {
        self.commit(JournalEntry::UploadStarted(upload))
    }

    /// Stores a part. It replaces one with the same number. Returns false if there is no such
    /// upload.
    pub(crate) fn put_part(&self, upload_id: &str, part: Part) -> io::Result<bool> {
        self.commit_if_open(
            upload_id,
            JournalEntry::PartStored { upload_id: upload_id.to_owned(), part },
        )
    }

    /// Deletes an upload and its parts. Returns false if there is no such upload.
    pub(crate) fn abort_upload(&self, upload_id: &str) -> io::Result<bool> {
        self.commit_if_open(upload_id, JournalEntry::UploadAborted(upload_id.to_owned()))
    }

    /// Atomically replaces an upload by the object that `build` returns. Returns `None` if there is
    /// no such upload. An error of `build` changes nothing.
    pub(crate) fn complete_upload<Error>(
        &self,
        upload_id: &str,
        build: impl FnOnce(&Upload) -> Result<Object, Error>,
    ) -> io::Result<Option<Result<Object, Error>>> {
        let mut state = self.lock();
        let Some(upload) = state.tables.upload(upload_id) else {
            return Ok(None);
        };
        let object = match build(upload) {
            Ok(object) => object,
            Err(error) => return Ok(Some(Err(error))),
        };
        let orphans = state.commit(JournalEntry::UploadCompleted {
            upload_id: upload_id.to_owned(),
            object: object.clone(),
        })?;
        drop(state);
        self.bodies.remove(orphans);
        Ok(Some(Ok(object)))
    }

    /// The temporary credential with this access key ID.
    pub(crate) fn credential(&self, access_key_id: &str) -> Option<Credential> {
        self.lock().tables.credential(access_key_id).cloned()
    }

    /// The temporary credential with this token.
    pub(crate) fn credential_of_token(&self, token: &str) -> Option<Credential> {
        self.lock().tables.credential_of_token(token).cloned()
    }

    /// Stores a temporary credential. It replaces one with the same access key ID.
    pub(crate) fn put_credential(&self, credential: Credential) -> io::Result<()> {
        self.commit(JournalEntry::CredentialMinted(credential))
    }

    /// The media with this ID.
    pub(crate) fn media(&self, id: &str) -> Option<Media> {
        self.lock().tables.media(id).cloned()
    }

    /// Stores a media ID.
    pub(crate) fn put_media(&self, media: Media) -> io::Result<()> {
        self.commit(JournalEntry::MediaCreated(media))
    }

    /// All media, oldest first.
    pub(crate) fn all_media(&self) -> Vec<Media> {
        self.lock().tables.all_media().cloned().collect()
    }

    /// Deletes a media ID. Returns false if there is none.
    pub(crate) fn delete_media(&self, id: &str) -> io::Result<bool> {
        let mut state = self.lock();
        if state.tables.media(id).is_none() {
            return Ok(false);
        }
        state.commit(JournalEntry::MediaDeleted(id.to_owned()))?;
        Ok(true)
    }

    /// The job with this ID.
    pub(crate) fn url_job(&self, id: &str) -> Option<UrlJob> {
        self.lock().tables.url_job(id).cloned()
    }

    /// All jobs, oldest first.
    pub(crate) fn url_jobs(&self) -> Vec<UrlJob> {
        self.lock().tables.url_jobs().cloned().collect()
    }

    /// Stores a job. It replaces one with the same ID.
    pub(crate) fn put_url_job(&self, job: UrlJob) -> io::Result<()> {
        self.commit(JournalEntry::UrlJobChanged(job))
    }

    fn commit(&self, entry: JournalEntry) -> io::Result<()> {
        let orphans = self.lock().commit(entry)?;
        self.bodies.remove(orphans);
        Ok(())
    }

    fn commit_if_open(&self, upload_id: &str, entry: JournalEntry) -> io::Result<bool> {
        let mut state = self.lock();
        if state.tables.upload(upload_id).is_none() {
            return Ok(false);
        }
        let orphans = state.commit(entry)?;
        drop(state);
        self.bodies.remove(orphans);
        Ok(true)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Writes the entry, then applies it. Returns the bodies that are no longer referenced.
    fn commit(&mut self, entry: JournalEntry) -> io::Result<Vec<String>> {
        self.journal.append(&entry)?;
        Ok(self.tables.apply(entry))
    }
}
