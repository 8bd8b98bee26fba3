//! The record of a chunked file, which exists before its upload.

use std::rc::Rc;

use vod_uploader::Result;
use vod_uploader::http::{FilePondTransfer, UploadStatus};
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::UploadId;

use super::expiry_index;
use super::kv_lock::KvLock;
use super::records::{existing, not_found};
use super::status::{current_status, ended_error};
use crate::credential_source::CredentialSource;
use crate::instance::Instance;

/// Loads the record.
///
/// # Errors
/// Returns [`UploadNotFound`](vod_uploader::ErrorKind::UploadNotFound) if there is none.
pub(crate) async fn load(instance: &Instance, id: &UploadId) -> Result<FilePondTransfer> {
    match instance.kv().get(&FilePondTransfer::name(id)).await? {
        Some(bytes) => FilePondTransfer::decode(&bytes),
        None => Err(not_found()),
    }
}

/// Stores the record of a new file.
pub(crate) async fn create(
    instance: &Instance,
    id: &UploadId,
    transfer: &FilePondTransfer,
) -> Result<()> {
    let slot = expiry_index::enter_new(instance, id, None).await?;
    store(instance, id, transfer).await?;
    expiry_index::enter_again_if_late(instance, id, None, slot).await.map(drop)
}

pub(crate) async fn store(
    instance: &Instance,
    id: &UploadId,
    transfer: &FilePondTransfer,
) -> Result<()> {
    Ok(instance.kv().set(&FilePondTransfer::name(id), &transfer.encode()?).await?)
}

/// Deletes the records. The transfer itself is deleted first, so that no request creates an upload
/// after that.
pub(crate) async fn delete(instance: &Instance, id: &UploadId) -> Result<()> {
    instance.kv().delete(&FilePondTransfer::name(id)).await?;
    instance.kv().delete(&id.credential_key()).await?;
    lock(instance, id).clear().await
}

/// The record of a file, and the state of its upload if it has one.
///
/// # Errors
/// Returns the error of an upload that accepts no more chunks.
pub(crate) async fn status(
    instance: &Rc<Instance>,
    id: &UploadId,
) -> Result<(FilePondTransfer, Option<UploadStatus>)> {
    let transfer = load(instance, id).await?;
    let status = existing(current_status(instance, id).await)?;
    check_exists(&transfer, status.as_ref())?;
    if let Some(status) = &status {
        if !transfer.is_upload_created() {
            // The request that created the upload has not stored this yet, or has stopped.
            let marked = load(instance, id).await?.mark_upload_created();
            store(instance, id, &marked).await?;
        }
        if let Some(error) = ended_error(status) {
            return Err(error);
        }
    }
    Ok((transfer, status))
}

/// The credential of the POST, before the upload exists.
pub(crate) fn credential_source(instance: &Rc<Instance>, id: &UploadId) -> CredentialSource {
    CredentialSource::new(instance, id, None)
}

/// The lock for creating the upload.
pub(crate) fn lock<'a>(instance: &'a Instance, id: &UploadId) -> KvLock<'a> {
    KvLock::new(instance, FilePondTransfer::name(id))
}

/// Deletes the record of a file that has received no bytes for too long. Otherwise returns when
/// that is the case, unless the file has an upload, with which it expires.
pub(super) async fn clean_up(instance: &Instance, id: &UploadId) -> Result<Option<UnixMillis>> {
    let Some(ttl) = instance.config.expire_after else { return Ok(None) };
    let Some(transfer) = existing(load(instance, id).await)? else {
        // A request that stopped halfway may have left the registers of the lock.
        lock(instance, id).clear().await?;
        return Ok(None);
    };
    let expires_at = UnixMillis(transfer.created_at_ms) + ttl;
    if instance.now() < expires_at {
        return Ok(Some(expires_at));
    }
    if instance.kv().get(&id.record_key()).await?.is_none() {
        delete(instance, id).await?;
    }
    Ok(None)
}

/// Checks that the upload which was created for the file still exists.
pub(crate) fn check_exists(
    transfer: &FilePondTransfer,
    status: Option<&UploadStatus>,
) -> Result<()> {
    if transfer.is_upload_created() && status.is_none() { Err(not_found()) } else { Ok(()) }
}
