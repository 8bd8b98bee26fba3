//! Reads, creates and deletes the stored records of an upload.

use futures::future::try_join_all;
use vod_uploader::http::tus;
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{
    CheckpointSearch, Lease, RecordDeletion, RecordWrite, UploadId, UploadRecord,
};
use vod_uploader::{Error, ErrorKind, Result};

use crate::instance::Instance;

/// Loads the record of an upload.
///
/// # Errors
/// Returns [`ErrorKind::UploadNotFound`] if no upload has this ID.
pub(crate) async fn load_upload_record(instance: &Instance, id: &UploadId) -> Result<UploadRecord> {
    match instance.kv().get(&id.record_key()).await? {
        Some(bytes) => UploadRecord::decode(&bytes),
        None => Err(not_found()),
    }
}

/// The error for an upload that does not exist.
pub(crate) fn not_found() -> Error {
    Error::new(ErrorKind::UploadNotFound, "no upload has this ID")
}

/// `None` if the upload of the result does not exist.
pub(crate) fn existing<T>(found: Result<T>) -> Result<Option<T>> {
    match found {
        Err(error) if error.kind() == ErrorKind::UploadNotFound => Ok(None),
        found => found.map(Some),
    }
}

/// The ID of the final upload that a partial one belongs to, if there is one.
pub(super) async fn load_final_upload_id(
    instance: &Instance,
    partial: &UploadId,
) -> Result<Option<UploadId>> {
    let id = instance.kv().get(&partial.final_upload_key()).await?;
    Ok(id.and_then(|id| UploadId::new(&String::from_utf8(id).ok()?)))
}

/// The IDs of the partial uploads with these addresses.
pub(super) fn partial_ids(partials: &[String]) -> impl Iterator<Item = UploadId> {
    partials.iter().filter_map(|address| tus::partial_upload_id(address))
}

/// Decodes an instant that is stored as little-endian milliseconds. `None` if it is malformed.
pub(super) fn decode_instant(stored: &[u8]) -> Option<UnixMillis> {
    stored.try_into().ok().map(|bytes| UnixMillis(u64::from_le_bytes(bytes)))
}

/// Returns true if the upload is paused.
pub(super) async fn is_paused(instance: &Instance, id: &UploadId) -> Result<bool> {
    Ok(instance.kv().get(&id.pause_key()).await?.is_some())
}

/// Stores the records of a new upload that has no writer. The upload record is stored last: a
/// request that finds it finds all of them.
pub(super) async fn create(
    instance: &Instance,
    id: &UploadId,
    record: &UploadRecord,
) -> Result<()> {
    for RecordWrite { key, value } in RecordWrite::for_new_upload(id, record)? {
        instance.kv().set(&key, &value).await?;
    }
    Ok(())
}

/// Searches for the last checkpoint of an upload.
pub(super) async fn find_checkpoint(
    instance: &Instance,
    id: &UploadId,
) -> Result<CheckpointSearch> {
    let mut search = CheckpointSearch::new(id.clone());
    while let Some(name) = search.next_key() {
        search.feed(instance.kv().get(&name).await?)?;
    }
    Ok(search)
}

/// Deletes the records of an upload that has ended. A deletion that stops halfway can be repeated.
pub(super) async fn delete_records(instance: &Instance, id: &UploadId) -> Result<()> {
    let kv = instance.kv();
    let lease = kv.get(&id.lease_key()).await?;
    let lease = lease.map(|bytes| Lease::decode(&bytes)).transpose()?;
    // A checkpoint that cannot be read must not prevent the deletion of the other records.
    let search = find_checkpoint(instance, id).await.ok();
    let checkpoint = search.and_then(|search| search.finish().ok()).map(|(_, found)| found);
    let deletion = RecordDeletion::new(id, lease.as_ref(), checkpoint.as_ref());
    for keys in deletion.stages() {
        try_join_all(keys.iter().map(|key| kv.delete(key))).await?;
    }
    Ok(())
}
