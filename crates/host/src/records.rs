//! Reads an upload's records: what it is and how far it is.

use vod_uploader::http::UploadStatus;
use vod_uploader::upload::{Checkpoint, CheckpointSearch, Lease, UploadKey, UploadRecord};
use vod_uploader::{Error, ErrorKind, Result};

use crate::key_value::KeyValue;

/// A reader that finds the lease changed under it looks again this often.
const READS_MAX: usize = 8;

/// What the upload is.
pub(crate) async fn upload_record(kv: &KeyValue, key: &UploadKey) -> Result<UploadRecord> {
    match kv.get(&key.upload()).await? {
        Some(bytes) => UploadRecord::decode(&bytes),
        None => Err(Error::new(ErrorKind::UploadNotFound, "no upload has this id")),
    }
}

/// Stores a new upload, that nobody has written to.
pub(crate) async fn create(kv: &KeyValue, key: &UploadKey, record: &UploadRecord) -> Result<()> {
    kv.set(&key.upload(), &record.encode()?).await?;
    kv.set(&key.lease(), &Lease::unclaimed().encode()?).await
}

/// What the upload is and how far it is.
///
/// The lease is read before and after the checkpoint: what a writer stores while it is being fenced
/// is never acknowledged, and must not be reported either.
pub(crate) async fn status(kv: &KeyValue, key: &UploadKey) -> Result<UploadStatus> {
    let record = upload_record(kv, key).await?;
    let mut lease = kv.get(&key.lease()).await?;
    for _ in 0..READS_MAX {
        let checkpoint = checkpoint(kv, key).await?;
        let lease_after = kv.get(&key.lease()).await?;
        if lease == lease_after {
            return Ok(UploadStatus { record, checkpoint });
        }
        lease = lease_after;
    }
    Err(Error::new(ErrorKind::Busy, "the upload changes hands too fast to be read"))
}

async fn checkpoint(kv: &KeyValue, key: &UploadKey) -> Result<Checkpoint> {
    search(kv, key).await?.finish().map(|(_, checkpoint)| checkpoint)
}

/// Searches for the upload's last checkpoint.
pub(crate) async fn search(kv: &KeyValue, key: &UploadKey) -> Result<CheckpointSearch> {
    let mut search = CheckpointSearch::new(key.clone());
    while let Some(name) = search.next_key() {
        search.take(kv.get(&name).await?)?;
    }
    Ok(search)
}

/// Forgets an upload that has ended.
pub(crate) async fn forget(kv: &KeyValue, key: &UploadKey) -> Result<()> {
    if let Some(lease) = kv.get(&key.lease()).await? {
        let lease = Lease::decode(&lease)?;
        let checkpoints = lease.checkpoint_epochs().map(|epoch| key.checkpoint(epoch));
        for name in checkpoints.chain(lease.epoch_keys(key)) {
            kv.delete(&name).await?;
        }
    }
    for name in [key.credential(), key.lease(), key.upload()] {
        kv.delete(&name).await?;
    }
    Ok(())
}
