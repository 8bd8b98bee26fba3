//! Reads, creates and deletes the stored records of an upload.

use futures::future::{try_join, try_join_all};
use vod_uploader::http::tus;
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{CheckpointSearch, RecordDeletion, RecordWrite, UploadId, UploadRecord};
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
    search_on(instance, &mut search).await?;
    Ok(search)
}

/// The stored state of an upload.
pub(super) struct StoredUpload {
    pub(super) record: UploadRecord,
    pub(super) is_paused: bool,
    pub(super) search: CheckpointSearch,
}

/// Reads the stored state of an upload. Independent reads are issued together.
pub(super) async fn read_upload(instance: &Instance, id: &UploadId) -> Result<StoredUpload> {
    let mut search = CheckpointSearch::new(id.clone());
    let (lease, is_paused) =
        try_join(read(instance, id.lease_key()), is_paused(instance, id)).await?;
    search.feed(lease)?;
    let mut record = None;
    while let Some(key) = search.next_key() {
        if search.is_at_candidate() {
            // The upload record is deleted first. If it exists after the checkpoint was read, the
            // checkpoint is not missing because of a deletion.
            let record_read = load_upload_record(instance, id);
            let (candidate, found) = try_join(read(instance, key), record_read).await?;
            record = Some(found);
            search.feed(candidate)?;
        } else {
            search.feed(read(instance, key).await?)?;
        }
    }
    let record = record.ok_or_else(not_found)?;
    Ok(StoredUpload { record, is_paused, search })
}

/// Reads the value of `key`.
pub(super) async fn read(instance: &Instance, key: String) -> Result<Option<Vec<u8>>> {
    Ok(instance.kv().get(&key).await?)
}

/// Continues a search to its end.
pub(super) async fn search_on(instance: &Instance, search: &mut CheckpointSearch) -> Result<()> {
    while let Some(name) = search.next_key() {
        search.feed(read(instance, name).await?)?;
    }
    Ok(())
}

/// Deletes the records of an upload that has ended. A deletion that stops halfway can be repeated.
/// A checkpoint that cannot be read does not prevent the deletion of the other records.
pub(super) async fn delete_records(instance: &Instance, id: &UploadId) -> Result<()> {
    let kv = instance.kv();
    let mut search = CheckpointSearch::new(id.clone());
    let checkpoint = match search_on(instance, &mut search).await {
        Ok(()) => search.clone().finish().ok().map(|(_, checkpoint)| checkpoint),
        Err(error) if is_unreadable(&error) => None,
        Err(error) => return Err(error),
    };
    let current_epoch = search.current_epoch();
    let deletion = RecordDeletion::new(id, search.lease(), current_epoch, checkpoint.as_ref());
    for keys in deletion.stages() {
        try_join_all(keys.iter().map(|key| kv.delete(key))).await?;
    }
    Ok(())
}

fn is_unreadable(error: &Error) -> bool {
    use ErrorKind::{CheckpointCorrupt, CheckpointNewer, UploadNotFound};
    matches!(error.kind(), CheckpointCorrupt | CheckpointNewer | UploadNotFound)
}
