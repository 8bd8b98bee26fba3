//! Continues, with a new upload, a media asset that the worker created.
//!
//! A media ID is public, so a client proves with a token that the worker created the asset for it.
//! A complete asset, whose object is published, is never overwritten.

use std::rc::Rc;

use vod_uploader::Result;
use vod_uploader::http::{MediaClaim, media_not_owned};
use vod_uploader::upload::{SessionOutcome, UploadId, UploadPhase};

use super::abort::{abort, is_cleanup_done};
use super::credential::stored_credential;
use super::media_record;
use super::records::existing;
use super::status::current_status;
use crate::instance::Instance;

/// The media asset that a new upload continues.
pub(crate) enum ContinuedMedia {
    /// From this request, whose token has to be verified.
    Claimed(MediaClaim),
    /// From an earlier request, whose token has been verified.
    Verified(String),
    /// Created by the worker for this upload, whose creation was interrupted.
    Created(String),
}

impl ContinuedMedia {
    pub(crate) fn media_id(&self) -> &str {
        match self {
            Self::Claimed(claim) => &claim.media_id,
            Self::Verified(media_id) | Self::Created(media_id) => media_id,
        }
    }
}

/// Checks that the client owns `media`, and that it was never complete.
///
/// # Errors
/// Returns [`MediaNotOwned`](vod_uploader::ErrorKind::MediaNotOwned) if not.
pub(super) async fn check_owned(instance: &Instance, media: &ContinuedMedia) -> Result<()> {
    match media {
        ContinuedMedia::Claimed(claim) => media_record::verify(instance, claim).await,
        ContinuedMedia::Verified(media_id) => {
            let record = media_record::load(instance, media_id).await?;
            record.map(drop).ok_or_else(media_not_owned)
        }
        ContinuedMedia::Created(_) => Ok(()),
    }
}

/// Checks that a new upload may continue `media`, and ends the asset's current upload.
///
/// # Errors
/// Returns [`MediaNotOwned`](vod_uploader::ErrorKind::MediaNotOwned) unless the client owns the
/// asset, this worker created it, and it was never complete.
pub(super) async fn continue_media(instance: &Rc<Instance>, media: &ContinuedMedia) -> Result<()> {
    let media_id = media.media_id();
    let record = match media_record::load(instance, media_id).await? {
        Some(record) => record,
        None if matches!(media, ContinuedMedia::Created(_)) => return Ok(()),
        None => return Err(media_not_owned()),
    };
    let Some(previous) = record.upload() else { return Ok(()) };
    if end_previous(instance, &previous).await? {
        return Ok(());
    }
    media_record::delete(instance, media_id).await?;
    Err(media_not_owned())
}

/// Ends the asset's current upload, so that only the new one can write its object. Returns false if
/// that upload is complete.
async fn end_previous(instance: &Rc<Instance>, id: &UploadId) -> Result<bool> {
    let Some(status) = existing(current_status(instance, id).await)? else { return Ok(true) };
    match status.checkpoint.phase {
        UploadPhase::Completed(_) => Ok(false),
        UploadPhase::Aborted => Ok(true),
        UploadPhase::Receiving | UploadPhase::Completing | UploadPhase::Lost { .. } => {
            let credential = stored_credential(instance, id, &status.record).await?;
            let ended = abort(instance, id, &status.record, credential).await;
            if is_cleanup_done(&ended) {
                return Ok(!matches!(ended, Ok(SessionOutcome::Completed(_))));
            }
            ended.map(|_| false)
        }
    }
}
