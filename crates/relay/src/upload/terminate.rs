//! Ends an upload.

use std::rc::Rc;

use vod_uploader::credential::UploadCredential;
use vod_uploader::upload::{Claim, Outcome, Phase, Purpose, Role, UploadKey, UploadRecord};
use vod_uploader::{Error, ErrorKind, Result};

use super::{
    NO_SOURCE, SessionRequest, StopSignal, append, concatenate, current_status, media, reconcile,
    records, run_session,
};
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
    key: &UploadKey,
) -> Result<()> {
    let status = current_status(instance, key).await?;
    if status.checkpoint.writing {
        StopSignal::send(instance, key).await?;
    }
    let status = reconcile::reconciled_status(instance, caller, key).await?;
    let record = status.record;
    if matches!(status.checkpoint.phase, Phase::Receiving | Phase::Lost { .. }) {
        let credential = append::credential(instance, caller, key, &record).await?;
        for _ in 0..ABORTS_MAX {
            match abort(instance, key, &record, credential.clone()).await {
                // A request that started at the same moment took over; the client repeats nothing.
                Err(error) if error.kind() == ErrorKind::TakenOver => {
                    StopSignal::send(instance, key).await?;
                }
                // That request has completed the upload.
                Ok(Outcome::Completed(_)) => return delete_completed(instance, key, &record).await,
                ended => return ended.map(drop),
            }
        }
        let message = "the upload changes hands too fast to be ended";
        return Err(Error::new(ErrorKind::Busy, message));
    }
    if status.checkpoint.phase == Phase::Aborted {
        records::delete_records(instance, key).await?;
        return Err(Error::new(ErrorKind::UploadAborted, "the upload was aborted before"));
    }
    delete_completed(instance, key, &record).await
}

/// Deletes the records of a complete upload. Its object belongs to VOD, except that of a partial
/// upload. The media is closed first: otherwise a client that still has its token could overwrite
/// the object.
pub(super) async fn delete_completed(
    instance: &Rc<Instance>,
    key: &UploadKey,
    record: &UploadRecord,
) -> Result<()> {
    if record.role == Role::Partial {
        concatenate::delete_temporary(instance, record).await?;
    }
    media::close(instance, record).await?;
    records::delete_records(instance, key).await
}

/// Ends an open upload and aborts its multipart upload, unless the object turns out to be complete.
pub(crate) async fn abort(
    instance: &Rc<Instance>,
    key: &UploadKey,
    record: &UploadRecord,
    credential: Option<UploadCredential>,
) -> Result<Outcome> {
    let (claim, purpose) = (Claim::TakeOver, Purpose::Abort);
    let request = SessionRequest { key, record, claim, purpose, credential, source: NO_SOURCE };
    match run_session(instance, request).await? {
        Outcome::Failed { error, .. } => Err(error),
        outcome => Ok(outcome),
    }
}

/// Returns true if another attempt to abort would change nothing: the records can be deleted.
pub(super) fn is_cleanup_done(aborted: &Result<Outcome>) -> bool {
    !aborted.as_ref().is_err_and(|error| error.kind().retry().is_later())
}
