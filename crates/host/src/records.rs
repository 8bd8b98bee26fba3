//! Reads an upload's records: what it is and how far it is.

use vod_uploader::http::UploadStatus;
use vod_uploader::upload::{Checkpoint, Lease, UploadKey, UploadRecord};
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
/// The lease is read before and after the checkpoint: an offset that a writer had not acknowledged
/// when it was fenced is never reported.
pub(crate) async fn status(kv: &KeyValue, key: &UploadKey) -> Result<UploadStatus> {
    let record = upload_record(kv, key).await?;
    let mut lease = kv.get(&key.lease()).await?;
    for _ in 0..READS_MAX {
        let checkpoint = checkpoint(kv, key, lease.as_deref()).await?;
        let lease_after = kv.get(&key.lease()).await?;
        if lease == lease_after {
            return Ok(UploadStatus { record, checkpoint });
        }
        lease = lease_after;
    }
    Err(Error::new(ErrorKind::Busy, "the upload changes hands too fast to be read"))
}

async fn checkpoint(kv: &KeyValue, key: &UploadKey, lease: Option<&[u8]>) -> Result<Checkpoint> {
    let Some(lease) = lease else {
        return Err(Error::new(ErrorKind::UploadNotFound, "no upload has this id"));
    };
    let lease = Lease::decode(lease)?;
    for epoch in lease.checkpoint_epochs() {
        if let Some(bytes) = kv.get(&key.checkpoint(epoch)).await? {
            return Checkpoint::decode(&bytes);
        }
    }
    if lease.fresh {
        return Ok(Checkpoint::empty());
    }
    Err(Error::new(ErrorKind::CheckpointCorrupt, "the upload's checkpoint is missing"))
}

/// Forgets an upload that has ended.
pub(crate) async fn forget(kv: &KeyValue, key: &UploadKey) -> Result<()> {
    if let Some(lease) = kv.get(&key.lease()).await? {
        for epoch in Lease::decode(&lease)?.checkpoint_epochs() {
            kv.delete(&key.checkpoint(epoch)).await?;
        }
    }
    for name in [key.credential(), key.lease(), key.upload()] {
        kv.delete(&name).await?;
    }
    Ok(())
}
