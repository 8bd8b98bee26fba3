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
    key: &UploadId,
) -> Result<()> {
    let status = current_status(instance, key).await?;
    if status.checkpoint.writer_active {
        StopSignal::send(instance, key).await?;
    }
    let status = reconciled_status(instance, caller, key).await?;
    let record = status.record;
    if matches!(status.checkpoint.phase, UploadPhase::Receiving | UploadPhase::Lost { .. }) {
        let credential = credential(instance, caller, key, &record).await?;
        for _ in 0..ABORTS_MAX {
            match abort(instance, key, &record, credential.clone()).await {
                // A request that started at the same moment took over; the client repeats nothing.
                Err(error) if error.kind() == ErrorKind::TakenOver => {
                    StopSignal::send(instance, key).await?;
                }
                // That request has completed the upload.
                Ok(SessionOutcome::Completed(_)) => {
                    return delete_completed(instance, key, &record).await;
                }
                ended => return ended.map(drop),
            }
        }
        let message = "the upload changes hands too fast to be ended";
        return Err(Error::new(ErrorKind::Busy, message));
    }
    if status.checkpoint.phase == UploadPhase::Aborted {
        records::delete_records(instance, key).await?;
        return Err(Error::new(ErrorKind::UploadAborted, "the upload was aborted before"));
    }
    delete_completed(instance, key, &record).await
}
