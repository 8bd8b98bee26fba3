//! The state of an upload whose completion may be unknown.

use std::rc::Rc;
use std::time::Duration;

use futures::future::{Either, select};
use vod_uploader::http::UploadStatus;
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{UploadId, UploadPhase, UploadRecord};
use vod_uploader::{Error, ErrorKind, Result};

use super::concatenate;
use super::credential::credential;
use super::reconcile::{COMPLETE_WAIT_MAX, reconcile};
use super::status::current_status;
use crate::instance::Instance;
use crate::request::Caller;
use crate::single_flight::Running;

/// The state of an upload. A completion in progress is awaited for a while and then reconciled.
///
/// # Errors
/// Returns [`ErrorKind::Busy`] if OSS takes longer than a client waits: the reconciliation
/// continues.
pub(super) async fn reconciled_status(
    instance: &Rc<Instance>,
    caller: &Caller,
    id: &UploadId,
) -> Result<UploadStatus> {
    let mut status = current_status(instance, id).await?;
    let mut polls = 0;
    // Counting the polls bounds the wait even if the clock goes back.
    while status.checkpoint.phase == UploadPhase::Completing && polls < COMPLETE_POLLS_MAX {
        let written_at = UnixMillis(status.checkpoint.written_at_ms);
        if instance.now().since(written_at) >= COMPLETE_WAIT_MAX {
            break;
        }
        instance.sleep(COMPLETE_POLL).await;
        polls += 1;
        status = current_status(instance, id).await?;
    }
    if status.checkpoint.phase != UploadPhase::Completing {
        return Ok(status);
    }
    let running = join_reconciliation(instance, caller, id, status.record);
    let limit = instance.ports.clock.sleep(RECONCILE_WAIT_MAX);
    if let Either::Left((result, _)) = select(running, limit).await {
        result?;
        let status = current_status(instance, id).await?;
        if status.is_completed() {
            // Before the response, so that nothing of a partial upload remains after it.
            concatenate::after_completion(instance, id, &status.record).await;
        }
        if status.checkpoint.phase != UploadPhase::Completing {
            return Ok(status);
        }
    }
    Err(Error::new(ErrorKind::Busy, "OSS is still completing the upload: retry later"))
}

/// The state for a request that must not stop a writer that may still wait for
/// CompleteMultipartUpload. If a completion cannot be reconciled now, the state is still that of a
/// completion in progress.
pub(crate) async fn read_only_status(
    instance: &Rc<Instance>,
    caller: &Caller,
    id: &UploadId,
) -> Result<UploadStatus> {
    let mut status = current_status(instance, id).await?;
    let written_at = UnixMillis(status.checkpoint.written_at_ms);
    let is_completing = status.checkpoint.phase == UploadPhase::Completing;
    if is_completing && instance.now().since(written_at) > instance.config.complete_timeout() {
        status = reconciled_status(instance, caller, id).await.unwrap_or(status);
    }
    concatenate::concatenated_status(instance, id, status).await
}

/// The reconciliation in progress, or a new one.
fn join_reconciliation(
    instance: &Rc<Instance>,
    caller: &Caller,
    id: &UploadId,
    record: UploadRecord,
) -> Running {
    let owned = (Rc::clone(instance), caller.clone(), id.clone());
    let work = async move {
        let (instance, caller, id) = owned;
        let credential = credential(&instance, &caller, &id, &record).await?;
        reconcile(&instance, &id, &record, credential).await
    };
    instance.reconciliations.join_or_start(&*instance.ports.spawn, id.as_str(), work)
}

/// Interval and maximum number of polls for the CompleteMultipartUpload of another request.
const COMPLETE_POLL: Duration = Duration::from_millis(100);
const COMPLETE_POLLS_MAX: u32 = 50;

/// How long one request waits for a reconciliation.
const RECONCILE_WAIT_MAX: Duration = Duration::from_secs(5);
