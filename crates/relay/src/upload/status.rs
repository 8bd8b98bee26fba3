//! The state of an upload.

use std::rc::Rc;
use std::time::Duration;

use vod_uploader::http::UploadStatus;
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{Checkpoint, UploadId, UploadPhase, UploadRecord};
use vod_uploader::{Error, ErrorKind, Result};

use super::expiry;
use super::fence::fence;
use super::records::{StoredUpload, read_upload};
use crate::instance::Instance;

/// The current state of an upload. A writer that took the upload over and then stopped without
/// storing a checkpoint is fenced: the previous writer may still store bytes.
///
/// # Errors
/// Returns [`ErrorKind::UploadNotFound`], and [`ErrorKind::Busy`] if the writer changes too often.
pub(crate) async fn current_status(instance: &Rc<Instance>, id: &UploadId) -> Result<UploadStatus> {
    for _ in 0..FENCES_MAX {
        if let Some(status) = try_status(instance, id).await? {
            return Ok(status);
        }
        fence(instance, id).await?;
    }
    Err(Error::new(ErrorKind::Busy, "the upload's writer changes too often"))
}

/// Builds the state of an upload from its records.
///
/// # Errors
/// Returns the errors of the key-value store.
pub(super) async fn build_status(
    instance: &Instance,
    id: &UploadId,
    record: UploadRecord,
    checkpoint: Checkpoint,
    paused: bool,
) -> Result<UploadStatus> {
    let expires_at = match checkpoint.phase {
        UploadPhase::Receiving => expiry::expires_at(instance, id, &record, &checkpoint).await?,
        _ => None,
    };
    let expired = expires_at.is_some_and(|at| instance.now() >= at);
    Ok(UploadStatus { record, checkpoint, paused, expires_at, expired })
}

/// When an upload that receives bytes now expires.
pub(crate) fn upload_expires_at(instance: &Instance) -> Option<UnixMillis> {
    instance.config.expire_after.map(|ttl| instance.now() + ttl)
}

/// The current state of an upload that has not ended.
///
/// # Errors
/// Returns [`ErrorKind::UploadEnded`], and the errors of [`current_status`].
pub(super) async fn open_status(instance: &Rc<Instance>, id: &UploadId) -> Result<UploadStatus> {
    let status = current_status(instance, id).await?;
    if status.has_ended() {
        let message = format!("the upload is {}", status.state());
        return Err(Error::new(ErrorKind::UploadEnded, message));
    }
    Ok(status)
}

/// Why an upload accepts no more bytes; `None` if it is or may be complete.
pub(crate) fn ended_error(status: &UploadStatus) -> Option<Error> {
    status.checkpoint.phase.ended_error(status.expired)
}

/// The state, or `None` if the writer is changing and the new one has not stored its checkpoint:
/// bytes that the previous one stores meanwhile may not be continued.
async fn try_status(instance: &Instance, id: &UploadId) -> Result<Option<UploadStatus>> {
    for _ in 0..READS_MAX {
        let StoredUpload { record, is_paused, search } = read_upload(instance, id).await?;
        if search.is_conclusive() {
            let (_, checkpoint) = search.finish()?;
            return build_status(instance, id, record, checkpoint, is_paused).await.map(Some);
        }
        instance.sleep(READ_PAUSE).await;
    }
    Ok(None)
}

/// Maximum number of reads of an upload whose writer changes, and the pause between two reads: a
/// new writer stores its checkpoint within a few key-value operations.
const READS_MAX: u32 = 6;
const READ_PAUSE: Duration = Duration::from_millis(15);

/// Maximum number of silent writers that one request fences.
const FENCES_MAX: u32 = 4;
