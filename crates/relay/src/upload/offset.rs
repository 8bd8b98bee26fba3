//! The exact offset of an upload, for a client that is about to continue it.

use std::rc::Rc;

use vod_uploader::Result;
use vod_uploader::http::UploadStatus;
use vod_uploader::upload::{UploadId, UploadKind, UploadPhase};

use super::append::Appended;
use super::complete::complete;
use super::concatenate;
use super::status::{current_status, ended_error};
use super::stop::status_after_stop;
use crate::instance::Instance;
use crate::request::Caller;

/// The state with the exact offset. An active writer is stopped.
///
/// # Errors
/// Returns the errors of [`ended_error`].
pub(crate) async fn offset_status(
    instance: &Rc<Instance>,
    caller: &Caller,
    id: &UploadId,
) -> Result<UploadStatus> {
    let status = status_after_stop(instance, caller, id).await?;
    let status = concatenate::concatenated_status(instance, id, status).await?;
    match ended_error(&status) {
        Some(error) => Err(error),
        None => Ok(status),
    }
}

/// The state for a client that takes the last offset for a complete upload and sends no further
/// request. If all bytes are stored but the request that sent the last of them could not complete
/// the upload, it is completed first.
///
/// # Errors
/// Returns the errors of [`offset_status`], and the reason if the upload cannot be completed now.
pub(crate) async fn completed_status(
    instance: &Rc<Instance>,
    caller: &Caller,
    id: &UploadId,
) -> Result<UploadStatus> {
    let status = offset_status(instance, caller, id).await?;
    let is_open = status.checkpoint.phase == UploadPhase::Receiving && !status.paused;
    let is_final = matches!(status.record.kind, UploadKind::Final { .. });
    let durable = status.durable();
    if !is_open || is_final || status.length() != Some(durable) {
        return Ok(status);
    }
    match complete(instance, caller, id, &status.record, durable).await? {
        Appended::Completed(_) => {
            concatenate::after_completion(instance, id, &status.record).await;
        }
        Appended::Stored { .. } => {}
        Appended::Rejected { error, .. } => return Err(error),
    }
    current_status(instance, id).await
}
