//! Pauses and resumes an upload.

use std::rc::Rc;

use vod_uploader::http::UploadStatus;
use vod_uploader::upload::{UploadId, UploadKind};
use vod_uploader::{Error, ErrorKind, Result};

use super::reconciled_status::read_only_status;
use super::status::{ended_error, open_status};
use super::stop::status_after_stop;
use super::stop_signal::StopSignal;
use crate::instance::Instance;
use crate::request::Caller;

/// Stops the writer; no request can append until the upload is resumed.
///
/// # Errors
/// Returns [`ErrorKind::UploadEnded`] or [`ErrorKind::UploadIsFinal`].
pub(crate) async fn pause(
    instance: &Rc<Instance>,
    caller: &Caller,
    id: &UploadId,
) -> Result<UploadStatus> {
    let status = open_status(instance, id).await?;
    if matches!(status.record.kind, UploadKind::Final { .. }) {
        let message = "a final upload cannot be paused: pause its partial uploads";
        return Err(Error::new(ErrorKind::UploadIsFinal, message));
    }
    instance.kv().set(&id.pause_key(), &[]).await?;
    // Even if no writer is visible: one may have started after it checked for the pause.
    StopSignal::send(instance, id).await?;
    status_after_stop(instance, caller, id).await
}

/// Allows appends again.
///
/// # Errors
/// Returns [`ErrorKind::UploadEnded`] or [`ErrorKind::UploadExpired`].
pub(crate) async fn resume(
    instance: &Rc<Instance>,
    caller: &Caller,
    id: &UploadId,
) -> Result<UploadStatus> {
    let status = open_status(instance, id).await?;
    if let Some(error) = ended_error(&status) {
        return Err(error);
    }
    instance.kv().delete(&id.pause_key()).await?;
    read_only_status(instance, caller, id).await
}
