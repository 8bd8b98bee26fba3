//! Enters uploads into the [index](vod_uploader::upload::ExpiryBucket) by which the cleanup finds
//! them.

use std::time::Duration;

use vod_uploader::units::UnixMillis;
use vod_uploader::upload::election::{Election, ElectionOutcome};
use vod_uploader::upload::{
    BucketWidth, ExpiryBucket, ExpiryCursor, ExpiryEntry, MediaRecord, UploadId,
};
use vod_uploader::{ErrorKind, Result};

use super::run_election::run_election;
use crate::instance::Instance;

/// The slot of an entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexSlot {
    bucket: ExpiryBucket,
    slot: u32,
}

/// Enters a new upload, and the record of its media asset if there is one, before their records
/// are created: a record without an entry would never be deleted.
///
/// # Errors
/// Returns those of the key-value store.
pub(super) async fn enter_new(
    instance: &Instance,
    upload: &UploadId,
    media_id: Option<&str>,
) -> Result<Option<IndexSlot>> {
    let Some(ttl) = instance.config.expire_after else { return Ok(None) };
    let entry = ExpiryEntry::new(upload, media_id.map(MediaRecord::key));
    enter(instance, BucketWidth::for_ttl(ttl), instance.now() + ttl, &entry).await.map(Some)
}

/// Enters a new upload again, after its records are stored, if that took so long that a cleanup may
/// already have visited the entry and found nothing. Returns its last slot.
///
/// # Errors
/// Returns those of the key-value store.
pub(super) async fn enter_again_if_late(
    instance: &Instance,
    upload: &UploadId,
    media_id: Option<&str>,
    slot: Option<IndexSlot>,
) -> Result<Option<IndexSlot>> {
    let Some((slot, ttl)) = slot.zip(instance.config.expire_after) else { return Ok(slot) };
    if instance.now() + ttl / 4 < slot.bucket.start() {
        return Ok(Some(slot));
    }
    enter_new(instance, upload, media_id).await
}

/// Deletes the entry of an upload of which nothing is left. The register that closes the slot
/// remains until its bucket has passed, and so does the one by which the bucket is found to be in
/// use.
///
/// # Errors
/// Returns those of the key-value store.
pub(super) async fn release(instance: &Instance, slot: IndexSlot) -> Result<()> {
    let IndexSlot { bucket, slot } = slot;
    instance.kv().delete(&bucket.entry_key(slot)).await?;
    if slot > 0 {
        instance.kv().delete(bucket.registers(slot).candidate()).await?;
    }
    Ok(())
}

/// Enters what expires at `instant`.
///
/// # Errors
/// Returns those of the key-value store.
pub(super) async fn enter(
    instance: &Instance,
    width: BucketWidth,
    instant: UnixMillis,
    entry: &ExpiryEntry,
) -> Result<IndexSlot> {
    let kv = instance.kv();
    let mut cursor = cursor_or_new(instance, width).await?;
    loop {
        let bucket = ExpiryBucket::containing(width, instant).max(cursor.first_open(width));
        let slot = acquire_slot(instance, bucket).await?;
        kv.set(&bucket.entry_key(slot), &entry.encode()?).await?;
        kv.set(&bucket.count_key(), &slot.saturating_add(1).to_le_bytes()).await?;
        // This creation may be slow, or the clock of the instance that cleans up ahead.
        cursor = cursor_or_new(instance, width).await?;
        if bucket.max(cursor.first_open(width)) == bucket {
            return Ok(IndexSlot { bucket, slot });
        }
        if bucket.max(cursor.bucket(width)) != bucket {
            // No cleanup visits the bucket again.
            delete_slot(instance, bucket, slot).await?;
            kv.delete(&bucket.count_key()).await?;
        }
    }
}

/// Deletes the keys of a slot: the entry first, and the candidate last.
pub(super) async fn delete_slot(
    instance: &Instance,
    bucket: ExpiryBucket,
    slot: u32,
) -> Result<()> {
    let [candidate, closed] = bucket.registers(slot).into_keys();
    for key in [bucket.entry_key(slot), closed, candidate] {
        instance.kv().delete(&key).await?;
    }
    Ok(())
}

/// The position of the cleanup, if anything was entered. A corrupt record counts as missing: no
/// upload could be created otherwise.
pub(super) async fn load_cursor(
    instance: &Instance,
    width: BucketWidth,
) -> Result<Option<ExpiryCursor>> {
    let Some(stored) = instance.kv().get(&width.cursor_key()).await? else { return Ok(None) };
    match ExpiryCursor::decode(&stored) {
        Ok(cursor) => Ok(Some(cursor)),
        Err(error) if error.kind() == ErrorKind::CheckpointCorrupt => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) async fn store_cursor(
    instance: &Instance,
    width: BucketWidth,
    cursor: &ExpiryCursor,
) -> Result<()> {
    Ok(instance.kv().set(&width.cursor_key(), &cursor.encode()?).await?)
}

/// How many slots of the bucket were occupied at some time; there may be more.
pub(super) async fn known_count(instance: &Instance, bucket: ExpiryBucket) -> Result<u32> {
    let stored = instance.kv().get(&bucket.count_key()).await?;
    let count = stored.and_then(|bytes| Some(u32::from_le_bytes(bytes.try_into().ok()?)));
    Ok(count.unwrap_or(0))
}

async fn cursor_or_new(instance: &Instance, width: BucketWidth) -> Result<ExpiryCursor> {
    if let Some(mut cursor) = load_cursor(instance, width).await? {
        cursor.rewind_if_ahead(width, instance.now());
        return Ok(cursor);
    }
    let cursor = ExpiryCursor::at(ExpiryBucket::containing(width, instance.now()));
    store_cursor(instance, width, &cursor).await?;
    Ok(cursor)
}

/// Acquires the first free slot. Competitors that lose try again after a random time, which grows:
/// many creations at once would otherwise compete for every slot in turn.
async fn acquire_slot(instance: &Instance, bucket: ExpiryBucket) -> Result<u32> {
    let random = &instance.ports.random;
    let (mut slot, mut backoff) = (0, BACKOFF_MIN);
    loop {
        slot = known_count(instance, bucket).await?.max(slot);
        while instance.kv().get(bucket.registers(slot).closed()).await?.is_some() {
            slot += 1;
        }
        let election = Election::with_id(bucket.registers(slot), random.bits64());
        if run_election(instance, election).await? == ElectionOutcome::Acquired {
            return Ok(slot);
        }
        instance.sleep(backoff.mul_f64(random.bits64() as f64 / u64::MAX as f64)).await;
        backoff = (backoff * 2).min(BACKOFF_MAX);
    }
}

/// The longest time after the first and after a later lost election.
const BACKOFF_MIN: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(2);
