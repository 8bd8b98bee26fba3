//! Ends the session that writes to an upload, so that the offset is exact.

use std::rc::Rc;
use std::time::Duration;

use vod_uploader::http::UploadStatus;
use vod_uploader::upload::{Claim, Outcome, Phase, Purpose, Role, UploadKey};
use vod_uploader::{Error, ErrorKind, Result};

use super::{
    NO_SOURCE, SessionRequest, StopSignal, concatenate, current_status, load_upload_record,
    reconcile, run_session,
};
use crate::instance::Instance;
use crate::request::Caller;

/// How long a writer may take to store what it has after the signal: the response is due within
/// 0.2 s.
const STOP_WAIT_MAX: Duration = Duration::from_millis(120);
const STOP_POLL: Duration = Duration::from_millis(10);

/// The state for a client that is about to continue an upload.
///
/// # Errors
/// [`ErrorKind::UploadAborted`], [`ErrorKind::UploadLost`] or [`ErrorKind::UploadExpired`] if it
/// cannot be continued.
pub(crate) async fn offset_status(
    instance: &Rc<Instance>,
    caller: &Caller,
    key: &UploadKey,
) -> Result<UploadStatus> {
    let status = status_after_stop(instance, caller, key).await?;
    let status = concatenate::concatenated_status(instance, key, status).await?;
    match ended_error(&status) {
        Some(error) => Err(error),
        None => Ok(status),
    }
}

/// Why an upload accepts no more bytes, unless it is complete or may be.
pub(crate) fn ended_error(status: &UploadStatus) -> Option<Error> {
    match &status.checkpoint.phase {
        Phase::Aborted => Some(Error::new(ErrorKind::UploadAborted, "the upload was aborted")),
        Phase::Lost { code } => {
            let message = format!("the upload ended with {code}");
            Some(Error::new(ErrorKind::UploadLost, message))
        }
        _ if status.expired => Some(expired()),
        Phase::Receiving | Phase::Completing | Phase::Completed(_) => None,
    }
}

/// The error for an upload that has expired.
pub(super) fn expired() -> Error {
    Error::new(ErrorKind::UploadExpired, "nothing came for too long")
}

/// The state once no session writes to the upload. An active writer is asked to stop, and is fenced
/// if it does not: a client that asks for the offset has abandoned its last request, and continues
/// from the response.
pub(super) async fn status_after_stop(
    instance: &Rc<Instance>,
    caller: &Caller,
    key: &UploadKey,
) -> Result<UploadStatus> {
    let mut status = current_status(instance, key).await?;
    let is_final = matches!(status.record.role, Role::Final { .. });
    if is_receiving(&status) && !is_final {
        StopSignal::send(instance, key).await?;
        let sent_at = instance.now();
        // Counting the polls bounds the wait even if the clock goes back.
        let mut polls = 0;
        while status.checkpoint.writing
            && polls * STOP_POLL < STOP_WAIT_MAX
            && instance.now().since(sent_at) < STOP_WAIT_MAX
        {
            instance.sleep(STOP_POLL).await;
            polls += 1;
            status = current_status(instance, key).await?;
        }
        if is_receiving(&status) {
            fence(instance, key).await?;
            status = current_status(instance, key).await?;
        }
    }
    if status.checkpoint.phase == Phase::Completing {
        return reconcile::reconciled_status(instance, caller, key).await;
    }
    Ok(status)
}

/// Takes the upload over, so that no previous writer can change it.
pub(super) async fn fence(instance: &Rc<Instance>, key: &UploadKey) -> Result<()> {
    let record = load_upload_record(instance, key).await?;
    let request = SessionRequest {
        key,
        record: &record,
        claim: Claim::TakeOver,
        purpose: Purpose::Fence,
        credential: None,
        source: NO_SOURCE,
    };
    ignore_takeover(Box::pin(run_session(instance, request)).await?)
}

/// A session that another writer takes over has the same effect: a newer writer exists.
pub(super) fn ignore_takeover(outcome: Outcome) -> Result<()> {
    match outcome {
        Outcome::Failed { error, .. } if error.kind() != ErrorKind::TakenOver => Err(error),
        _ => Ok(()),
    }
}

fn is_receiving(status: &UploadStatus) -> bool {
    status.checkpoint.writing && status.checkpoint.phase == Phase::Receiving
}
