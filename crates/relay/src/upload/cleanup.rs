//! Deletes expired uploads: reads the index of the buckets of time that have passed, slot by slot.
//!
//! The worker has no timer: a request that creates an upload cleans up after its response, and an
//! operator may request a cleanup. One run is bounded, and the next one continues at the stored
//! cursor. Visiting an entry twice is harmless, so concurrent cleanups are avoided but not
//! excluded.

use std::rc::Rc;
use std::time::Duration;

use futures::future::{try_join, try_join_all};
use vod_uploader::Result;
use vod_uploader::http::{CleanupReport, UploadStatus};
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{
    BucketProgress, BucketWidth, ExpiryBucket, ExpiryCursor, ExpiryEntry, SessionOutcome, UploadId,
    UploadKind, UploadPhase,
};

use super::abort::{abort, is_cleanup_done};
use super::credential::stored_credential;
use super::delete::delete_completed;
use super::expiry_index::{delete_slot, enter, known_count, load_cursor, store_cursor};
use super::records::{self, existing, load_upload_record};
use super::status::current_status;
use super::temporary_storage::delete_temporary;
use super::{expiry, filepond_transfer, media_record};
use crate::instance::Instance;

/// Cleans up if a bucket has passed since the last run.
pub(crate) async fn clean_up_after_creation(instance: &Rc<Instance>) {
    let Some(ttl) = instance.config.expire_after else { return };
    if matches!(passed_index(instance, BucketWidth::for_ttl(ttl)).await, Ok(Some(_))) {
        // The next run repeats what fails.
        let _ = clean_up_expired(instance).await;
    }
}

/// Cleans up within the bounds of one run.
///
/// # Errors
/// Returns those of the key-value store. What fails for one upload is repeated by a later run.
pub(crate) async fn clean_up_expired(instance: &Rc<Instance>) -> Result<CleanupReport> {
    let mut report = CleanupReport::default();
    let Some(ttl) = instance.config.expire_after else { return Ok(report) };
    let width = BucketWidth::for_ttl(ttl);
    if let Some(cursor) = passed_index(instance, width).await? {
        clean_up_index(instance, width, cursor, &mut report).await?;
    }
    for other in BucketWidth::ALL.into_iter().filter(|other| *other != width) {
        clean_up_previous(instance, other, &mut report).await?;
    }
    Ok(report)
}

/// The position of the cleanup in the index of the configured time to live, if a bucket of it has
/// passed.
async fn passed_index(instance: &Rc<Instance>, width: BucketWidth) -> Result<Option<ExpiryCursor>> {
    let Some(mut cursor) = load_cursor(instance, width).await? else { return Ok(None) };
    let now = instance.now();
    cursor.rewind_if_ahead(width, now);
    cursor.close_passed(width, now);
    Ok(cursor.has_closed().then_some(cursor))
}

/// Cleans up an index of uploads that were created when another time to live was configured: those
/// that have not expired enter the present one.
async fn clean_up_previous(
    instance: &Rc<Instance>,
    width: BucketWidth,
    report: &mut CleanupReport,
) -> Result<()> {
    let Some(mut cursor) = load_cursor(instance, width).await? else { return Ok(()) };
    cursor.close_passed(width, instance.now() + width.horizon());
    if clean_up_index(instance, width, cursor, report).await? {
        instance.kv().delete(&width.cursor_key()).await?;
    }
    Ok(())
}

/// Cleans up the closed buckets of one index, unless another run does. Returns true if none is
/// left. The next run repeats what fails.
async fn clean_up_index(
    instance: &Rc<Instance>,
    width: BucketWidth,
    mut cursor: ExpiryCursor,
    report: &mut CleanupReport,
) -> Result<bool> {
    let now = instance.now();
    let claimed_until = UnixMillis(cursor.claimed_until_ms);
    // A claim that ends later was made by an instance whose clock is ahead.
    if now < claimed_until && claimed_until <= now + CLAIM {
        report.has_more = true;
        return Ok(false);
    }
    cursor.claimed_until_ms = (now + CLAIM).0;
    store_cursor(instance, width, &cursor).await?;
    let mut cleanup = Cleanup { instance, width, cursor, report, steps_left: STEPS_MAX };
    let result = cleanup.run().await;
    cleanup.cursor.claimed_until_ms = 0;
    cleanup.store_cursor().await?;
    let is_done = !cleanup.cursor.has_closed();
    report.has_more |= !is_done;
    result.map(|()| is_done)
}

/// One run.
struct Cleanup<'a> {
    instance: &'a Rc<Instance>,
    width: BucketWidth,
    cursor: ExpiryCursor,
    report: &'a mut CleanupReport,
    /// Bounds the run: each step visits one slot, or performs up to [`BATCH`] operations at once.
    steps_left: u32,
}

impl Cleanup<'_> {
    async fn run(&mut self) -> Result<()> {
        while self.steps_left > 0 && self.cursor.has_closed() {
            self.steps_left -= 1;
            match self.cursor.progress {
                BucketProgress::Visiting(0) => {
                    if !self.skip_empty().await? {
                        self.visit_slot(0).await?;
                    }
                }
                BucketProgress::Visiting(slot) => self.visit_slot(slot).await?,
                BucketProgress::Deleting(count) => self.delete_slots(count).await?,
            }
        }
        Ok(())
    }

    const fn bucket(&self) -> ExpiryBucket {
        self.cursor.bucket(self.width)
    }

    async fn store_cursor(&self) -> Result<()> {
        store_cursor(self.instance, self.width, &self.cursor).await
    }

    /// Skips buckets without slots. Returns false if the present one has some.
    async fn skip_empty(&mut self) -> Result<bool> {
        let (kv, open) = (self.instance.kv(), self.cursor.first_open(self.width));
        let buckets = std::iter::successors(Some(self.bucket()), |bucket| Some(bucket.next()));
        let closed: Vec<_> = buckets.take_while(|bucket| *bucket != open).take(BATCH).collect();
        // This register exists as soon as a creation competes for the first slot.
        let reads = closed.iter().map(|bucket| async move {
            Ok::<_, vod_uploader::Error>(kv.get(bucket.registers(0).candidate()).await?.is_some())
        });
        let is_used = try_join_all(reads).await?;
        let empty = is_used.iter().take_while(|is_used| !**is_used).count();
        (0..empty).for_each(|_| self.cursor.advance());
        Ok(empty > 0)
    }

    async fn visit_slot(&mut self, slot: u32) -> Result<()> {
        let (kv, bucket) = (self.instance.kv(), self.bucket());
        let (registers, entry_key) = (bucket.registers(slot), bucket.entry_key(slot));
        let (closed, entry) = try_join(kv.get(registers.closed()), kv.get(&entry_key)).await?;
        if closed.is_none() && entry.is_none() && slot >= known_count(self.instance, bucket).await?
        {
            // Also deletes what a creation left that stopped while it competed for this slot.
            self.cursor.progress = BucketProgress::Deleting(slot.saturating_add(1));
            return self.store_cursor().await;
        }
        let visited = BucketProgress::Visiting(slot.saturating_add(1));
        // An entry that cannot be read does not prevent the deletion of the others.
        if let Some(entry) = entry.and_then(|bytes| ExpiryEntry::decode(&bytes).ok()) {
            self.visit(&entry).await?;
            self.cursor.progress = visited;
            self.store_cursor().await?;
            kv.delete(&entry_key).await?;
        }
        self.cursor.progress = visited;
        Ok(())
    }

    /// Deletes what has expired, and enters the rest again.
    async fn visit(&mut self, entry: &ExpiryEntry) -> Result<()> {
        let now = self.instance.now();
        let (count, next) = match clean_up_entry(self.instance, entry).await {
            Ok(None) => (&mut self.report.deleted, None),
            Ok(Some(next)) => (&mut self.report.kept, Some(next.max(now))),
            Err(_) => (&mut self.report.failed, Some(now + RETRY_INTERVAL)),
        };
        *count += 1;
        let Some(next) = next else { return Ok(()) };
        let ttl = self.instance.config.expire_after;
        let width = ttl.map_or(self.width, BucketWidth::for_ttl);
        enter(self.instance, width, next, entry).await.map(drop)
    }

    /// Deletes the keys of the last slots of a bucket, of which `count` are left. The register by
    /// which the bucket is found to be in use is the last one.
    async fn delete_slots(&mut self, count: u32) -> Result<()> {
        let bucket = self.bucket();
        if count > 1 {
            let left = count.saturating_sub(DELETED_SLOTS).max(1);
            let slots = (left..count).map(|slot| delete_slot(self.instance, bucket, slot));
            try_join_all(slots).await?;
            self.cursor.progress = BucketProgress::Deleting(left);
            return Ok(());
        }
        self.instance.kv().delete(&bucket.count_key()).await?;
        delete_slot(self.instance, bucket, 0).await?;
        self.cursor.advance();
        self.store_cursor().await
    }
}

/// Deletes what has expired of an entry. Returns when the rest expires, if there is a rest.
async fn clean_up_entry(
    instance: &Rc<Instance>,
    entry: &ExpiryEntry,
) -> Result<Option<UnixMillis>> {
    let mut next = None;
    if let Some(id) = entry.upload() {
        next = clean_up_upload(instance, &id).await?;
        next = next.max(filepond_transfer::clean_up(instance, &id).await?);
    }
    if let Some(key) = entry.media_key() {
        next = next.max(media_record::clean_up(instance, key).await?);
    }
    Ok(next)
}

/// Aborts the upload and deletes its records if it has expired. Otherwise returns when it expires.
async fn clean_up_upload(instance: &Rc<Instance>, id: &UploadId) -> Result<Option<UnixMillis>> {
    let Some(ttl) = instance.config.expire_after else {
        return Ok(Some(instance.now() + RETRY_INTERVAL));
    };
    let Some(record) = existing(load_upload_record(instance, id).await)? else {
        // A creation or a deletion that stopped halfway may have left the others.
        records::delete_records(instance, id).await?;
        return Ok(None);
    };
    let earliest = UnixMillis(record.created_at_ms) + ttl;
    if instance.now() < earliest {
        return Ok(Some(earliest));
    }
    // Fences a writer that stopped before it stored a checkpoint; otherwise the upload would never
    // expire.
    let status = current_status(instance, id).await?;
    let UploadStatus { record, checkpoint, .. } = &status;
    let expires_at = expiry::expires_at(instance, id, record, checkpoint).await?;
    if let Some(expires_at) = expires_at.filter(|at| instance.now() < *at) {
        return Ok(Some(expires_at));
    }
    match &checkpoint.phase {
        UploadPhase::Receiving | UploadPhase::Completing | UploadPhase::Lost { .. } => {
            let credential = stored_credential(instance, id, record).await?;
            // Without a credential, the bucket's lifecycle rule deletes the parts.
            let aborted = abort(instance, id, record, credential).await;
            if matches!(aborted, Ok(SessionOutcome::Completed(_))) {
                // The response to CompleteMultipartUpload was lost.
                delete_completed(instance, id, record).await?;
                return Ok(None);
            }
            if !is_cleanup_done(&aborted) {
                return aborted.map(|_| Some(instance.now() + RETRY_INTERVAL));
            }
        }
        UploadPhase::Completed(_) => {
            delete_completed(instance, id, record).await?;
            return Ok(None);
        }
        UploadPhase::Aborted => {}
    }
    if record.kind == UploadKind::Partial {
        // A writer may have stopped before it recorded that it had stored the object.
        delete_temporary(instance, record).await?;
    }
    records::delete_records(instance, id).await?;
    Ok(None)
}

/// The largest number of steps of one run.
const STEPS_MAX: u32 = 200;

/// The largest number of operations of one step that are issued together.
const BATCH: usize = 32;

/// The number of slots whose keys are deleted together.
const DELETED_SLOTS: u32 = 10;

/// How long one run excludes others. A run that takes longer, or was stopped, is continued by the
/// next one.
const CLAIM: Duration = Duration::from_secs(60);

/// The time after which a cleanup that failed is repeated.
const RETRY_INTERVAL: Duration = Duration::from_secs(15 * 60);
