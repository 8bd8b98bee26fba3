//! The stored records of an upload.

use futures::future::try_join_all;
use vod_uploader::upload::{CheckpointSearch, Lease, UploadKey, UploadRecord};
use vod_uploader::{Error, ErrorKind, Result};

use crate::instance::Instance;

/// Loads the record of an upload.
///
/// # Errors
/// [`ErrorKind::UploadNotFound`].
pub(crate) async fn load_upload_record(
    instance: &Instance,
    key: &UploadKey,
) -> Result<UploadRecord> {
    match instance.kv().get(&key.upload()).await? {
        Some(bytes) => UploadRecord::decode(&bytes),
        None => Err(not_found()),
    }
}

/// The error for an upload that does not exist.
pub(crate) fn not_found() -> Error {
    Error::new(ErrorKind::UploadNotFound, "no upload has this id")
}

/// Returns true if the upload is paused.
pub(super) async fn is_paused(instance: &Instance, key: &UploadKey) -> Result<bool> {
    Ok(instance.kv().get(&key.pause()).await?.is_some())
}

/// Stores the records of a new upload that has no writer. The upload record comes last: a request
/// that finds it finds all of them.
pub(super) async fn create(
    instance: &Instance,
    key: &UploadKey,
    record: &UploadRecord,
) -> Result<()> {
    instance.kv().set(&key.lease(), &Lease::unclaimed().encode()?).await?;
    Ok(instance.kv().set(&key.upload(), &record.encode()?).await?)
}

/// Searches for the last checkpoint of an upload.
pub(super) async fn find_checkpoint(
    instance: &Instance,
    key: &UploadKey,
) -> Result<CheckpointSearch> {
    let mut search = CheckpointSearch::new(key.clone());
    while let Some(name) = search.next_key() {
        search.take(instance.kv().get(&name).await?)?;
    }
    Ok(search)
}

/// Deletes the records of an upload that has ended. The upload record is deleted first: no request
/// finds the others without it.
pub(super) async fn delete_records(instance: &Instance, key: &UploadKey) -> Result<()> {
    let kv = instance.kv();
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
    try_join_all(names.iter().map(|name| kv.delete(name))).await?;
    Ok(())
}
