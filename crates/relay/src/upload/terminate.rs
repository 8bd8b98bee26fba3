//! Terminates an upload at the request of its client.

use std::rc::Rc;

use vod_uploader::upload::{SessionOutcome, UploadId, UploadPhase};
use vod_uploader::{Error, ErrorKind, Result};

use super::abort::abort;
use super::credential::credential;
use super::delete::delete_completed;
use super::reconciled_status::reconciled_status;
use super::records;
use super::status::current_status;
use super::stop_signal::StopSignal;
use crate::instance::Instance;
use crate::request::Caller;

/// Aborts an open upload. If the upload has ended, only its records are deleted: its object belongs
/// to VOD.
///
/// # Errors
/// Returns [`ErrorKind::UploadAborted`] for an upload that was aborted before, and
/// [`ErrorKind::Busy`] if other writers take it over [`ABORTS_MAX`] times.
pub(crate) async fn terminate(
    instance: &Rc<Instance>,
    caller: &Caller,
    id: &UploadId,
) -> Result<()> {
    let status = current_status(instance, id).await?;
    if status.checkpoint.writer_active {
        StopSignal::send(instance, id).await?;
    }
    let status = reconciled_status(instance, caller, id).await?;
    let record = status.record;
    if matches!(status.checkpoint.phase, UploadPhase::Receiving | UploadPhase::Lost { .. }) {
        let credential = credential(instance, caller, id, &record).await?;
        for _ in 0..ABORTS_MAX {
            match abort(instance, id, &record, credential.clone()).await {
                // A concurrent request took over.
                Err(error) if error.kind() == ErrorKind::TakenOver => {
                    StopSignal::send(instance, id).await?;
                }
                // That request has completed the upload.
                Ok(SessionOutcome::Completed(_)) => {
                    return delete_completed(instance, id, &record).await;
                }
                ended => return ended.map(drop),
            }
        }
        return Err(Error::new(ErrorKind::Busy, "the upload's writer changes too often"));
    }
    if status.checkpoint.phase == UploadPhase::Aborted {
        records::delete_records(instance, id).await?;
        return Err(Error::new(ErrorKind::UploadAborted, "the upload is already aborted"));
    }
    delete_completed(instance, id, &record).await
}

/// Maximum number of attempts of one request to abort an upload that other writers take over.
const ABORTS_MAX: u32 = 4;
