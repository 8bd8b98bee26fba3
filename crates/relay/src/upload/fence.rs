//! Fences the previous writers of an upload.

use std::rc::Rc;

use vod_uploader::upload::{LeaseAcquisition, Purpose, SessionOutcome, UploadId};
use vod_uploader::{ErrorKind, Result};

use super::records::load_upload_record;
use super::run_session::{NO_SOURCE, SessionRequest, run_session};
use crate::instance::Instance;

/// Takes the upload over, so that no previous writer can change it.
pub(super) async fn fence(instance: &Rc<Instance>, id: &UploadId) -> Result<()> {
    let record = load_upload_record(instance, id).await?;
    let request = SessionRequest {
        id,
        record: &record,
        lease: LeaseAcquisition::TakeOver,
        purpose: Purpose::Fence,
        credential: None,
        source: NO_SOURCE,
    };
    ignore_takeover(run_session(instance, request).await?)
}

/// Ignores a takeover by another writer: it fences the previous writers as well.
pub(super) fn ignore_takeover(outcome: SessionOutcome) -> Result<()> {
    match outcome {
        SessionOutcome::Failed { error, .. } if error.kind() != ErrorKind::TakenOver => Err(error),
        _ => Ok(()),
    }
}
