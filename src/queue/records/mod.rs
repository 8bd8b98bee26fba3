//! The records of a file in the key-value store, outside of its sessions. At most one task runs at
//! a time: a lookup, the creation of an upload's records, or their deletion.

mod file_record;
mod fingerprint;
mod lookup;

pub use file_record::FileRecord;
pub use fingerprint::FileFingerprint;
pub use lookup::{CheckpointLookup, StoredFile, StoredUpload};

use crate::credential::UploadCredential;
use crate::error::{Error, Result};
use crate::queue::context::QueueContext;
use crate::queue::interface::KvId;
use crate::upload::{self, Checkpoint, Lease, RecordWrite, Target, UploadId, UploadRecord};

/// The records of a file, and the task that accesses them.
#[derive(Debug)]
pub(super) struct FileRecords {
    fingerprint: Option<FileFingerprint>,
    /// The records that the last task found or wrote.
    stored: StoredFile,
    task: Option<RecordTask>,
}

#[derive(Debug)]
struct RecordTask {
    /// Operations in progress.
    awaited: Vec<KvId>,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// Searches the records of the file.
    Lookup { lookup: Box<CheckpointLookup>, then: AfterLookup },
    /// Writes the file record.
    SaveFile { upload: Box<StoredUpload> },
    /// Writes the records of the upload.
    SaveUpload { upload: Box<StoredUpload> },
    /// Reads the lease, which determines the keys that may exist.
    ReadLease { upload: Box<StoredUpload>, deletion: RecordDeletion },
    /// Deletes or replaces the file record.
    DeleteFile { keys: Vec<String>, deletion: RecordDeletion },
    /// Deletes the records of the upload.
    DeleteUpload { deletion: RecordDeletion },
}

#[derive(Debug)]
struct RecordDeletion {
    /// The media ID that the file record keeps.
    retained_media_id: Option<String>,
    /// Whether the upload may have parts in OSS.
    had_parts: bool,
    then: AfterDelete,
}

/// What follows a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterLookup {
    Start,
    Cancel,
    Clear,
}

/// What follows a deletion.
#[derive(Debug)]
pub(super) enum AfterDelete {
    /// The file starts without a checkpoint.
    Start,
    /// An upload with this credential and media ID is created.
    PrepareUpload(Box<UploadCredential>, Option<String>),
    /// The file is canceled. The error is why parts may remain in OSS.
    Cancel(Option<Error>),
    /// The file fails.
    Fail(Error),
    Nothing,
}

/// The result of a task.
#[derive(Debug)]
pub(super) enum RecordEvent {
    LookedUp(AfterLookup, Result<()>),
    Saved(Result<()>),
    Deleted { had_parts: bool, then: AfterDelete },
}

impl FileRecords {
    pub(super) fn new(fingerprint: Option<FileFingerprint>) -> Self {
        Self { fingerprint, stored: StoredFile::default(), task: None }
    }

    pub(super) const fn stored(&self) -> &StoredFile {
        &self.stored
    }

    /// Returns the upload that the file continues, if any.
    pub(super) const fn upload(&self) -> Option<&StoredUpload> {
        self.stored.upload.as_ref()
    }

    pub(super) fn set_target(&mut self, target: Target) {
        if let Some(upload) = &mut self.stored.upload {
            upload.record.target = target;
        }
    }

    /// Returns true if a task is running.
    pub(super) const fn is_busy(&self) -> bool {
        self.task.is_some()
    }

    /// Returns true if a lookup is running.
    pub(super) const fn is_looking_up(&self) -> bool {
        matches!(&self.task, Some(RecordTask { step: Step::Lookup { .. }, .. }))
    }

    /// Returns true if the task awaits the operation `id`.
    pub(super) fn is_awaiting(&self, id: KvId) -> bool {
        self.task.as_ref().is_some_and(|task| task.awaited.contains(&id))
    }

    /// Returns a lookup whose operations the caller performs.
    pub(super) fn checkpoint_lookup(&self) -> CheckpointLookup {
        let known = self.upload().map(|upload| &upload.id);
        CheckpointLookup::new(self.fingerprint.as_ref(), known)
    }

    #[must_use]
    pub(super) fn start_lookup(
        &mut self,
        ctx: &mut QueueContext,
        then: AfterLookup,
    ) -> Option<RecordEvent> {
        let lookup = Box::new(self.checkpoint_lookup());
        self.continue_lookup(ctx, lookup, then)
    }

    /// Changes what follows a running lookup.
    pub(super) fn redirect_lookup(&mut self, to: AfterLookup) {
        if let Some(RecordTask { step: Step::Lookup { then, .. }, .. }) = &mut self.task {
            *then = to;
        }
    }

    /// Cancels a running lookup, which has changed nothing.
    pub(super) fn cancel_lookup(&mut self) {
        if self.is_looking_up() {
            self.task = None;
        }
    }

    /// Writes the records of a new upload. The file record is first, because it refers to the
    /// others.
    #[must_use]
    pub(super) fn save(
        &mut self,
        ctx: &mut QueueContext,
        id: UploadId,
        record: UploadRecord,
        media_id: Option<&str>,
    ) -> Option<RecordEvent> {
        let upload = Box::new(StoredUpload { id, record, checkpoint: Checkpoint::empty() });
        let Some(fingerprint) = &self.fingerprint else { return self.save_upload(ctx, upload) };
        match file_record(ctx, Some(&upload.id), media_id).encode() {
            Ok(value) => {
                let awaited = vec![ctx.kv_set(fingerprint.key(), value)];
                self.run(awaited, Step::SaveFile { upload })
            }
            Err(error) => self.saved(upload, Err(error)),
        }
    }

    /// Deletes the records of the file. The file record remains if it keeps a media ID. `has_sent`
    /// is whether bytes were sent to OSS.
    #[must_use]
    pub(super) fn delete(
        &mut self,
        ctx: &mut QueueContext,
        retained_media_id: Option<String>,
        has_sent: bool,
        then: AfterDelete,
    ) -> Option<RecordEvent> {
        let had_parts = self.upload().is_some_and(|StoredUpload { checkpoint, .. }| {
            checkpoint.phase.is_incomplete() && (checkpoint.upload_id.is_some() || has_sent)
        });
        let deletion = RecordDeletion { retained_media_id, had_parts, then };
        match self.stored.upload.take() {
            Some(upload) => {
                let awaited = vec![ctx.kv_get(upload.id.lease_key())];
                self.run(awaited, Step::ReadLease { upload: Box::new(upload), deletion })
            }
            None => self.delete_file(ctx, Vec::new(), deletion),
        }
    }

    /// Accepts the result of an awaited operation. Returns the result of the task once it is done.
    #[must_use]
    pub(super) fn on_kv_result(
        &mut self,
        ctx: &mut QueueContext,
        id: KvId,
        result: Result<Option<Vec<u8>>>,
    ) -> Option<RecordEvent> {
        let RecordTask { mut awaited, step } = self.task.take()?;
        awaited.retain(|awaited| *awaited != id);
        let result = result.map_err(|error| error.with_context("key-value store"));
        match (step, result) {
            (Step::Lookup { mut lookup, then }, result) => {
                match result.and_then(|value| lookup.feed(value)) {
                    Ok(()) => self.continue_lookup(ctx, lookup, then),
                    Err(error) => Some(RecordEvent::LookedUp(then, Err(error))),
                }
            }
            (Step::SaveFile { upload }, Ok(_)) => self.save_upload(ctx, upload),
            (Step::SaveUpload { upload }, Ok(_)) if awaited.is_empty() => {
                self.saved(upload, Ok(()))
            }
            (Step::SaveFile { upload } | Step::SaveUpload { upload }, Err(error)) => {
                self.saved(upload, Err(error))
            }
            (Step::ReadLease { upload, deletion }, result) => {
                // Without the lease, a few small keys are orphaned. They cost only storage.
                let lease = result.ok().flatten();
                let lease = lease.and_then(|bytes| Lease::decode(&bytes).ok());
                self.delete_file(ctx, keys_of(&upload, lease.as_ref()), deletion)
            }
            (Step::DeleteFile { keys, deletion }, Ok(_)) => self.delete_upload(ctx, keys, deletion),
            // A file record must not lead to an incomplete set of records.
            (Step::DeleteFile { deletion, .. }, Err(_)) => self.deleted(deletion),
            (Step::DeleteUpload { deletion }, _) if awaited.is_empty() => self.deleted(deletion),
            (step @ (Step::SaveUpload { .. } | Step::DeleteUpload { .. }), _) => {
                self.run(awaited, step)
            }
        }
    }

    fn continue_lookup(
        &mut self,
        ctx: &mut QueueContext,
        lookup: Box<CheckpointLookup>,
        then: AfterLookup,
    ) -> Option<RecordEvent> {
        if let Some(key) = lookup.next_key() {
            let awaited = vec![ctx.kv_get(key)];
            return self.run(awaited, Step::Lookup { lookup, then });
        }
        self.stored = lookup.finish();
        Some(RecordEvent::LookedUp(then, Ok(())))
    }

    fn save_upload(
        &mut self,
        ctx: &mut QueueContext,
        upload: Box<StoredUpload>,
    ) -> Option<RecordEvent> {
        match RecordWrite::for_new_upload(&upload.id, &upload.record) {
            Ok(writes) => {
                let awaited = writes.map(|write| ctx.kv_set(write.key, write.value)).to_vec();
                self.run(awaited, Step::SaveUpload { upload })
            }
            Err(error) => self.saved(upload, Err(error)),
        }
    }

    fn saved(&mut self, upload: Box<StoredUpload>, result: Result<()>) -> Option<RecordEvent> {
        self.stored.upload = Some(*upload);
        Some(RecordEvent::Saved(result))
    }

    /// Deletes the file record first, so that it never leads to an incomplete set of records.
    fn delete_file(
        &mut self,
        ctx: &mut QueueContext,
        keys: Vec<String>,
        deletion: RecordDeletion,
    ) -> Option<RecordEvent> {
        let Some(fingerprint) = &self.fingerprint else {
            return self.delete_upload(ctx, keys, deletion);
        };
        let kept = deletion.retained_media_id.as_deref();
        let record = kept.and_then(|id| file_record(ctx, None, Some(id)).encode().ok());
        let awaited = vec![match record {
            Some(value) => ctx.kv_set(fingerprint.key(), value),
            None => ctx.kv_delete(fingerprint.key()),
        }];
        self.run(awaited, Step::DeleteFile { keys, deletion })
    }

    fn delete_upload(
        &mut self,
        ctx: &mut QueueContext,
        keys: Vec<String>,
        deletion: RecordDeletion,
    ) -> Option<RecordEvent> {
        if keys.is_empty() {
            return self.deleted(deletion);
        }
        let awaited = keys.into_iter().map(|key| ctx.kv_delete(key)).collect();
        self.run(awaited, Step::DeleteUpload { deletion })
    }

    fn deleted(&mut self, deletion: RecordDeletion) -> Option<RecordEvent> {
        let RecordDeletion { retained_media_id, had_parts, then } = deletion;
        self.stored = StoredFile { media_id: retained_media_id, ..StoredFile::default() };
        Some(RecordEvent::Deleted { had_parts, then })
    }

    fn run(&mut self, awaited: Vec<KvId>, step: Step) -> Option<RecordEvent> {
        self.task = Some(RecordTask { awaited, step });
        None
    }
}

fn file_record(
    ctx: &QueueContext,
    upload: Option<&UploadId>,
    media_id: Option<&str>,
) -> FileRecord {
    FileRecord {
        upload: upload.map(|id| id.as_str().to_owned()),
        media_id: media_id.map(str::to_owned),
        written_at_ms: ctx.now().0,
    }
}

/// Returns the keys that an upload may have.
fn keys_of(upload: &StoredUpload, lease: Option<&Lease>) -> Vec<String> {
    let current_epoch = lease.map_or(0, |lease| lease.holder.epoch);
    let last = Some(&upload.checkpoint);
    let deletion = upload::RecordDeletion::new(&upload.id, lease, current_epoch, last);
    deletion.stages().flatten().collect()
}
