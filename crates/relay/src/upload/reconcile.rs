//! Resolves an unknown completion: its writer stopped between sending CompleteMultipartUpload and
//! storing the result.

use std::rc::Rc;
use std::time::Duration;

use vod_uploader::Result;
use vod_uploader::credential::UploadCredential;
use vod_uploader::http::UploadStatus;
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{LeaseAcquisition, Purpose, UploadId, UploadPhase, UploadRecord};

use super::credential::stored_credential;
use super::fence::ignore_takeover;
use super::run_session::{NO_SOURCE, SessionRequest, run_session};
use super::status::current_status;
use crate::instance::Instance;

/// How long the CompleteMultipartUpload of another request may take before it is reconciled.
pub(super) const COMPLETE_WAIT_MAX: Duration = Duration::from_secs(5);

/// Finds out whether the object is complete, and completes it if it is not.
pub(super) async fn reconcile(
    instance: &Rc<Instance>,
    id: &UploadId,
    record: &UploadRecord,
    credential: Option<UploadCredential>,
) -> Result<()> {
    let (lease, purpose) = (LeaseAcquisition::TakeOver, Purpose::Reconcile);
    let request = SessionRequest { id, record, lease, purpose, credential, source: NO_SOURCE };
    ignore_takeover(run_session(instance, request).await?)
}

/// The state after an unknown completion is reconciled. A recent completion is left to its writer.
///
/// # Errors
/// Returns the errors of [`reconcile`].
pub(super) async fn reconcile_if_stale(
    instance: &Rc<Instance>,
    id: &UploadId,
    status: UploadStatus,
) -> Result<UploadStatus> {
    let written_at = UnixMillis(status.checkpoint.written_at_ms);
    let is_completing = status.checkpoint.phase == UploadPhase::Completing;
    if !is_completing || instance.now().since(written_at) < COMPLETE_WAIT_MAX {
        return Ok(status);
    }
    let credential = stored_credential(instance, id, &status.record).await?;
    reconcile(instance, id, &status.record, credential).await?;
    current_status(instance, id).await
}
