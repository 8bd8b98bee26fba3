//! What is read from and written to the key-value store for a file, besides its sessions: one job
//! at a time, in steps.

use super::context::QueueContext;
use super::entry::Entry;
use super::file_record::FileRecord;
use super::ids::KvId;
use super::lookup::{CheckpointLookup, StoredUpload};
use super::turn::Opening;
use crate::credential::UploadCredential;
use crate::error::{Error, ErrorKind, Result};
use crate::units::ByteCount;
use crate::upload::{self, Lease, UploadKey};

/// A job, and which operations it waits for.
#[derive(Debug)]
pub(super) struct Job {
    awaited: Vec<KvId>,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// Reads what is known of the file.
    Look { lookup: Box<CheckpointLookup>, then: AfterLook },
    /// Writes which upload the file continues.
    SaveFile { opening: Box<Opening> },
    /// Writes the upload's own records.
    SaveUpload { opening: Box<Opening> },
    /// Reads the lease, which names the keys that there may be.
    ReadLease { upload: Box<StoredUpload>, forgetting: Forgetting },
    /// Deletes what leads to them.
    DeleteFile { keys: Vec<String>, forgetting: Forgetting },
    /// Deletes them.
    Delete { forgetting: Forgetting },
}

/// What follows once it is known what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterLook {
    Start,
    Cancel,
    Clear,
}

/// How the file's upload is forgotten.
#[derive(Debug)]
struct Forgetting {
    /// The media id is kept.
    keep_media: bool,
    /// The upload may have parts on the store.
    has_parts: bool,
    then: AfterForget,
}

/// What follows once the file's upload is forgotten.
#[derive(Debug)]
pub(super) enum AfterForget {
    /// The file is started, without a checkpoint.
    Start,
    /// An upload with this credential and media id is begun.
    Open(Box<UploadCredential>, Option<String>),
    Cancel(Option<Error>),
    Fail(Error),
    Nothing,
}

impl Entry {
    /// Looks for what the key-value store knows of the file.
    pub(super) fn look(&mut self, ctx: &mut QueueContext, then: AfterLook) {
        let known = self.stored.upload.as_ref().map(|upload| &upload.key);
        let lookup = CheckpointLookup::new(self.file.fingerprint(), known);
        self.look_on(ctx, Box::new(lookup), then);
    }

    fn look_on(&mut self, ctx: &mut QueueContext, lookup: Box<CheckpointLookup>, then: AfterLook) {
        match lookup.next_key() {
            Some(key) => {
                let awaited = vec![ctx.kv_get(key)];
                self.job = Some(Job { awaited, step: Step::Look { lookup, then } });
            }
            None => {
                self.stored = lookup.finish();
                self.looked(ctx, then);
            }
        }
    }

    /// Changes what follows a look that is under way; false where there is none.
    pub(super) fn redirect_look(&mut self, to: AfterLook) -> bool {
        match &mut self.job {
            Some(Job { step: Step::Look { then, .. }, .. }) => {
                *then = to;
                true
            }
            _ => false,
        }
    }

    /// Forgets a look that is under way: it changes nothing. False where there is none.
    pub(super) fn drop_look(&mut self) -> bool {
        let looks = self.looks();
        if looks {
            self.job = None;
        }
        looks
    }

    /// True while it is being looked for what is stored.
    pub(super) fn looks(&self) -> bool {
        matches!(self.job, Some(Job { step: Step::Look { .. }, .. }))
    }

    /// Writes the records of a new upload: first which one the file continues, so that no record is
    /// left that nobody would find.
    pub(super) fn save(&mut self, ctx: &mut QueueContext, opening: Box<Opening>) {
        let Some(identity) = self.file.fingerprint().cloned() else {
            return self.save_upload(ctx, opening);
        };
        match self.file_record(ctx, Some(&opening.key)).encode() {
            Ok(value) => {
                let awaited = vec![ctx.kv_set(identity.key(), value)];
                self.job = Some(Job { awaited, step: Step::SaveFile { opening } });
            }
            Err(error) => self.saved(ctx, opening, Err(error)),
        }
    }

    fn save_upload(&mut self, ctx: &mut QueueContext, opening: Box<Opening>) {
        let records = opening.record.encode().and_then(|record| {
            let lease = Lease::unclaimed().encode()?;
            Ok([(opening.key.upload(), record), (opening.key.lease(), lease)])
        });
        match records {
            Ok(records) => {
                let awaited = records.map(|(key, value)| ctx.kv_set(key, value)).to_vec();
                self.job = Some(Job { awaited, step: Step::SaveUpload { opening } });
            }
            Err(error) => self.saved(ctx, opening, Err(error)),
        }
    }

    fn file_record(&self, ctx: &QueueContext, upload: Option<&UploadKey>) -> FileRecord {
        FileRecord {
            upload: upload.map(|key| key.as_str().to_owned()),
            media_id: self.media_id.clone(),
            written_at_ms: ctx.now().0,
        }
    }

    /// Whether the file's upload may have parts on the store.
    fn has_parts(&self) -> bool {
        use upload::Phase::{Completing, Receiving};
        self.stored.upload.as_ref().is_some_and(|StoredUpload { checkpoint, .. }| {
            let goes_on = matches!(checkpoint.phase, Receiving | Completing);
            goes_on && (checkpoint.upload_id.is_some() || !self.sent.is_zero())
        })
    }

    /// Deletes what the key-value store knows of the file; its media id stays with `keep_media`.
    pub(super) fn forget(&mut self, ctx: &mut QueueContext, keep_media: bool, then: AfterForget) {
        let has_parts = self.has_parts();
        let forgetting = Forgetting { keep_media, has_parts, then };
        self.durable = ByteCount::ZERO;
        self.sent = self.durable;
        if !keep_media {
            self.media_id = None;
            self.credential = None;
            self.address = None;
        }
        match self.stored.upload.take() {
            Some(upload) => {
                let awaited = vec![ctx.kv_get(upload.key.lease())];
                let upload = Box::new(upload);
                let step = Step::ReadLease { upload, forgetting };
                self.job = Some(Job { awaited, step });
            }
            None => self.delete_file(ctx, Vec::new(), forgetting),
        }
    }

    /// First what leads to the rest, so that nobody finds a part of it.
    fn delete_file(&mut self, ctx: &mut QueueContext, keys: Vec<String>, forgetting: Forgetting) {
        let Some(identity) = self.file.fingerprint().cloned() else {
            return self.delete(ctx, keys, forgetting);
        };
        let kept = forgetting.keep_media && self.media_id.is_some();
        let record = kept.then(|| self.file_record(ctx, None).encode().ok()).flatten();
        let awaited = vec![match record {
            Some(value) => ctx.kv_set(identity.key(), value),
            None => ctx.kv_delete(identity.key()),
        }];
        self.job = Some(Job { awaited, step: Step::DeleteFile { keys, forgetting } });
    }

    fn delete(&mut self, ctx: &mut QueueContext, keys: Vec<String>, forgetting: Forgetting) {
        if keys.is_empty() {
            return self.forgot(ctx, forgetting);
        }
        let awaited = keys.into_iter().map(|key| ctx.kv_delete(key)).collect();
        self.job = Some(Job { awaited, step: Step::Delete { forgetting } });
    }

    fn forgot(&mut self, ctx: &mut QueueContext, forgetting: Forgetting) {
        let Forgetting { keep_media, has_parts, then } = forgetting;
        self.stored = super::lookup::Stored::default();
        if keep_media {
            self.stored.media_id = self.media_id.clone();
        }
        self.forgotten(ctx, has_parts, then);
    }

    /// True where a job of this file waits for the operation `id`.
    pub(super) fn awaits_kv(&self, id: KvId) -> bool {
        self.job.as_ref().is_some_and(|job| job.awaited.contains(&id))
    }

    /// Takes the end of an operation that the job waits for.
    pub(super) fn kv_ended(
        &mut self,
        ctx: &mut QueueContext,
        id: KvId,
        result: std::result::Result<Option<Vec<u8>>, String>,
    ) {
        let Some(mut job) = self.job.take() else { return };
        job.awaited.retain(|awaited| *awaited != id);
        let result = result.map_err(|text| {
            Error::new(ErrorKind::KeyValueUnavailable, text).while_doing("key-value store")
        });
        match (job.step, result) {
            (Step::Look { mut lookup, then }, result) => {
                match result.and_then(|value| lookup.take(value)) {
                    Ok(()) => self.look_on(ctx, lookup, then),
                    Err(error) => self.look_failed(ctx, then, error),
                }
            }
            (Step::SaveFile { opening }, Ok(_)) => self.save_upload(ctx, opening),
            (Step::SaveUpload { opening }, Ok(_)) if job.awaited.is_empty() => {
                self.saved(ctx, opening, Ok(()));
            }
            (Step::SaveFile { opening } | Step::SaveUpload { opening }, Err(error)) => {
                self.saved(ctx, opening, Err(error));
            }
            (Step::ReadLease { upload, forgetting }, result) => {
                // Without the lease some small keys stay; they cost room and nothing else.
                let lease = result.ok().flatten();
                let lease = lease.and_then(|bytes| Lease::decode(&bytes).ok());
                self.delete_file(ctx, keys_of(&upload, lease.as_ref()), forgetting);
            }
            (Step::DeleteFile { keys, forgetting }, Ok(_)) => {
                self.delete(ctx, keys, forgetting);
            }
            // What still leads to the rest must not lead to a part of it.
            (Step::DeleteFile { forgetting, .. }, Err(_)) => self.forgot(ctx, forgetting),
            (Step::Delete { forgetting }, _) if job.awaited.is_empty() => {
                self.forgot(ctx, forgetting);
            }
            (step @ (Step::SaveUpload { .. } | Step::Delete { .. }), _) => {
                self.job = Some(Job { awaited: job.awaited, step });
            }
        }
    }

    fn look_failed(&mut self, ctx: &mut QueueContext, then: AfterLook, error: Error) {
        match then {
            AfterLook::Start => self.fail(ctx, error),
            // A record that cannot be read is deleted all the same; what it led to stays.
            AfterLook::Cancel => self.forget(ctx, false, AfterForget::Cancel(Some(error))),
            AfterLook::Clear => self.forget(ctx, false, AfterForget::Nothing),
        }
    }
}

/// The keys of an upload that there may be.
fn keys_of(upload: &StoredUpload, lease: Option<&Lease>) -> Vec<String> {
    let StoredUpload { key, checkpoint, .. } = upload;
    let mut keys = vec![key.upload(), key.lease()];
    if let Some(lease) = lease {
        keys.extend(lease.checkpoint_epochs().map(|epoch| key.checkpoint(epoch)));
        keys.extend(lease.epoch_keys(key));
    }
    keys.extend(checkpoint.full_pages.iter().map(|page| key.etag_page(page.page, page.turn)));
    keys.extend(checkpoint.tail.map(|tail| key.tail(tail.turn, tail.serial)));
    keys
}

/// What an operation on records ends with.
pub(super) type Saved = Result<()>;
