//! Uploads a file in a single request.

use std::rc::Rc;

use vod_uploader::upload::{CompletedObject, ReceiveOptions, SessionOutcome};
use vod_uploader::{Error, ErrorKind, Result};

use super::abort::{abort, is_cleanup_done};
use super::append::receive_first;
use super::create::{CreatedUpload, NewUpload, create};
use super::delete::delete_completed;
use super::expiry_index::release;
use super::limits::too_large;
use super::records;

use crate::body::{ByteStream, interrupted};
use crate::instance::Instance;
use crate::request::Caller;
use crate::session::Source;

/// A file in a single request: it is stored completely or not at all.
pub(crate) struct SingleRequestUpload<B> {
    pub(crate) new: NewUpload,
    pub(crate) source: Source<B>,
    /// Whether the response contains the upload's ID, so that its records are retained.
    pub(crate) has_url: bool,
}

/// Uploads a file from its first byte to its last. A file that cannot be completed is aborted.
///
/// # Errors
/// Returns the errors of creating the upload, before anything is stored.
pub(crate) async fn upload_single_request<B: ByteStream + 'static>(
    instance: &Rc<Instance>,
    caller: &Caller,
    file: SingleRequestUpload<B>,
) -> Result<(CreatedUpload, Result<CompletedObject>)> {
    let SingleRequestUpload { new, mut source, has_url } = file;
    let length = new.length;
    if !source.has_bytes().await {
        if source.is_interrupted() {
            return Err(interrupted());
        }
        return Err(Error::new(ErrorKind::FileEmpty, "the file has no bytes"));
    }
    let created = create(instance, caller, new).await?;
    let options = ReceiveOptions {
        request_bytes: length,
        complete_at_end: true,
        ..ReceiveOptions::default()
    };
    let error = match receive_first(instance, &created, options, source).await? {
        SessionOutcome::Completed(object) => {
            // No client can delete the records, because none has the upload's URL. If this fails,
            // they only occupy space until they expire.
            if !has_url {
                let _ = delete_all(instance, &created).await;
            }
            return Ok((created, Ok(object)));
        }
        // A body of undeclared length can only exceed the limit.
        SessionOutcome::Suspended { rejection: Some(error), .. }
            if length.is_none() && error.kind() == ErrorKind::LengthMismatch =>
        {
            too_large(instance.config.upload_max)
        }
        SessionOutcome::Suspended { rejection, .. } => rejection.unwrap_or_else(interrupted),
        SessionOutcome::Failed { error, .. } | SessionOutcome::Lost(error) => error,
        SessionOutcome::Aborted => Error::new(ErrorKind::UploadAborted, "the upload was aborted"),
    };
    // No client has the upload's URL. If the abort fails too, the cleanup of expired uploads or the
    // bucket's lifecycle rule deletes its parts.
    let credential = Some(created.credential.clone());
    let aborted = abort(instance, &created.id, &created.record, credential).await;
    if is_cleanup_done(&aborted) {
        let _ = records::delete_records(instance, &created.id).await;
    }
    Ok((created, Err(error)))
}

async fn delete_all(instance: &Instance, created: &CreatedUpload) -> Result<()> {
    delete_completed(instance, &created.id, &created.record).await?;
    match created.slot {
        Some(slot) => release(instance, slot).await,
        None => Ok(()),
    }
}
