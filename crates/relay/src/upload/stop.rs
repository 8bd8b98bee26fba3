//! Ends the session that writes to an upload, so that the offset is exact.

use std::rc::Rc;
use std::time::Duration;

use vod_uploader::Result;
use vod_uploader::http::UploadStatus;
use vod_uploader::upload::{UploadId, UploadKind, UploadPhase};

use super::fence::fence;
use super::reconciled_status::reconciled_status;
use super::status::current_status;
use super::stop_signal::StopSignal;
use crate::instance::Instance;
use crate::request::Caller;

/// The state once no session writes to the upload. An active writer is asked to stop, and is fenced
/// if it does not: a client that asks for the offset has abandoned its last request, and continues
/// from the response.
pub(super) async fn status_after_stop(
    instance: &Rc<Instance>,
    caller: &Caller,
    id: &UploadId,
) -> Result<UploadStatus> {
    let mut status = current_status(instance, id).await?;
    let is_final = matches!(status.record.kind, UploadKind::Final { .. });
    if is_receiving(&status) && !is_final {
        StopSignal::send(instance, id).await?;
        let sent_at = instance.now();
        // Counting the polls bounds the wait even if the clock goes back.
        let mut polls = 0;
        while status.checkpoint.writer_active
            && polls * STOP_POLL < STOP_WAIT_MAX
            && instance.now().since(sent_at) < STOP_WAIT_MAX
        {
            instance.sleep(STOP_POLL).await;
            polls += 1;
            status = current_status(instance, id).await?;
        }
        if is_receiving(&status) {
            fence(instance, id).await?;
            status = current_status(instance, id).await?;
        }
    }
    if status.checkpoint.phase == UploadPhase::Completing {
        return reconciled_status(instance, caller, id).await;
    }
    Ok(status)
}

fn is_receiving(status: &UploadStatus) -> bool {
    status.checkpoint.writer_active && status.checkpoint.phase == UploadPhase::Receiving
}

/// How long a writer may take to store its bytes after the signal: the response is due within
/// 0.2 s.
const STOP_WAIT_MAX: Duration = Duration::from_millis(120);
const STOP_POLL: Duration = Duration::from_millis(10);
