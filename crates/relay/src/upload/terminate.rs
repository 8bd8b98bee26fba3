//! Ends an upload.

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

/// How often one request tries to end an upload that other writers take over.
const ABORTS_MAX: u32 = 4;

/// Aborts an open upload. Of an upload that has ended, only the records are deleted: its object
/// belongs to VOD.
///
/// # Errors
/// [`ErrorKind::UploadAborted`] for an upload that was aborted before; [`ErrorKind::Busy`] if other
/// writers take it over again and again.
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
                // A request that started at the same moment took over; the client repeats nothing.
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
        let message = "the upload changes hands too fast to be ended";
        return Err(Error::new(ErrorKind::Busy, message));
    }
    if status.checkpoint.phase == UploadPhase::Aborted {
        records::delete_records(instance, id).await?;
        return Err(Error::new(ErrorKind::UploadAborted, "the upload was aborted before"));
    }
    delete_completed(instance, id, &record).await
}
