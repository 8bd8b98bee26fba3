//! Aborts an open upload.

use std::rc::Rc;

use vod_uploader::Result;
use vod_uploader::credential::UploadCredential;
use vod_uploader::upload::{LeaseAcquisition, Purpose, SessionOutcome, UploadId, UploadRecord};

use super::run_session::{NO_SOURCE, SessionRequest, run_session};
use crate::instance::Instance;

/// Aborts an open upload and its multipart upload, unless the object turns out to be complete.
pub(crate) async fn abort(
    instance: &Rc<Instance>,
    id: &UploadId,
    record: &UploadRecord,
    credential: Option<UploadCredential>,
) -> Result<SessionOutcome> {
    let (lease, purpose) = (LeaseAcquisition::TakeOver, Purpose::Abort);
    let request = SessionRequest { id, record, lease, purpose, credential, source: NO_SOURCE };
    match run_session(instance, request).await? {
        SessionOutcome::Failed { error, .. } => Err(error),
        outcome => Ok(outcome),
    }
}

/// Returns true if retrying the abort would change nothing, so that the records can be deleted.
pub(super) fn is_cleanup_done(aborted: &Result<SessionOutcome>) -> bool {
    !aborted.as_ref().is_err_and(|error| error.kind().retry().is_later())
}
