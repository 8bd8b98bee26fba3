//! Reads an upload's records: what it is and how far it is.

use std::time::Duration;

use vod_uploader::http::UploadStatus;
use vod_uploader::upload::{Checkpoint, CheckpointSearch, Lease, Phase, UploadKey, UploadRecord};
use vod_uploader::{Error, ErrorKind, Result};

use crate::key_value::KeyValue;
use crate::{clock, life};

/// How often a reader looks again while the upload changes hands, and how long it waits between:
/// a writer that has taken over stores its checkpoint within a few key-value operations.
const READS_MAX: u32 = 6;
const READ_PAUSE: Duration = Duration::from_millis(15);

/// What the upload is.
pub(crate) async fn upload_record(kv: &KeyValue, key: &UploadKey) -> Result<UploadRecord> {
    match kv.get(&key.upload()).await? {
        Some(bytes) => UploadRecord::decode(&bytes),
        None => Err(Error::new(ErrorKind::UploadNotFound, "no upload has this id")),
    }
}

/// Whether the upload's owner has paused it.
pub(crate) async fn is_paused(kv: &KeyValue, key: &UploadKey) -> Result<bool> {
    Ok(kv.get(&key.pause()).await?.is_some())
}

/// How the upload stands, by what was read of it.
///
/// # Errors
/// Where the rest of its records cannot be read.
pub(crate) async fn status_of(
    kv: &KeyValue,
    key: &UploadKey,
    record: UploadRecord,
    checkpoint: Checkpoint,
    expire_after: Option<Duration>,
) -> Result<UploadStatus> {
    let paused = is_paused(kv, key).await?;
    let expires_at = match checkpoint.phase {
        Phase::Receiving => life::end(kv, key, &record, &checkpoint, expire_after).await?,
        _ => None,
    };
    let expired = expires_at.is_some_and(|end| clock::now() >= end);
    Ok(UploadStatus { record, checkpoint, paused, expires_at, expired })
}

/// Stores a new upload, that nobody has written to.
pub(crate) async fn create(kv: &KeyValue, key: &UploadKey, record: &UploadRecord) -> Result<()> {
    // What it is comes last: nobody finds an upload before all of it is there.
    kv.set(&key.lease(), &Lease::unclaimed().encode()?).await?;
    kv.set(&key.upload(), &record.encode()?).await
}

/// What the upload is and how far it is; `None` where it changes hands right now, and its new
/// writer has not said yet where it goes on.
///
/// The lease is read before and after the checkpoint: what a writer stores while it is being fenced
/// is never acknowledged, and must not be reported either.
pub(crate) async fn status(
    kv: &KeyValue,
    key: &UploadKey,
    expire_after: Option<Duration>,
) -> Result<Option<UploadStatus>> {
    let mut lease = kv.get(&key.lease()).await?;
    for _ in 0..READS_MAX {
        let search = match search(kv, key).await {
            Ok(search) => search,
            // Records that are being deleted are missing, not corrupt.
            Err(error) => return Err(upload_record(kv, key).await.err().unwrap_or(error)),
        };
        let lease_after = kv.get(&key.lease()).await?;
        if lease == lease_after && search.is_settled() {
            let checkpoint = match search.finish() {
                Ok((_, checkpoint)) => checkpoint,
                Err(error) => return Err(upload_record(kv, key).await.err().unwrap_or(error)),
            };
            // Last, because it is what is deleted first: nothing else was missing before.
            let record = upload_record(kv, key).await?;
            return status_of(kv, key, record, checkpoint, expire_after).await.map(Some);
        }
        lease = lease_after;
        clock::sleep(READ_PAUSE).await;
    }
    Ok(None)
}

/// Searches for the upload's last checkpoint.
pub(crate) async fn search(kv: &KeyValue, key: &UploadKey) -> Result<CheckpointSearch> {
    let mut search = CheckpointSearch::new(key.clone());
    while let Some(name) = search.next_key() {
        search.take(kv.get(&name).await?)?;
    }
    Ok(search)
}

/// Forgets an upload that has ended: what it is first, so that nobody finds the rest of it, and then
/// everything else at once.
pub(crate) async fn forget(kv: &KeyValue, key: &UploadKey) -> Result<()> {
    let lease = kv.get(&key.lease()).await?;
    kv.delete(&key.upload()).await?;
    let mut names = vec![
        key.credential(),
        key.lease(),
        key.stop(),
        key.pause(),
        key.alive(),
        key.digest(),
        key.joined_into(),
    ];
    if let Some(lease) = lease {
        let lease = Lease::decode(&lease)?;
        names.extend(lease.checkpoint_epochs().map(|epoch| key.checkpoint(epoch)));
        names.extend(lease.epoch_keys(key));
    }
    let deleted = names.iter().map(|name| kv.delete(name));
    futures::future::try_join_all(deleted).await.map(drop)
}
