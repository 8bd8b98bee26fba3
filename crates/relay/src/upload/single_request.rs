//! Uploads a file that comes in one request.

use std::rc::Rc;

use vod_uploader::units::ByteCount;
use vod_uploader::upload::{
    CompletedObject, LeaseAcquisition, Purpose, ReceiveOptions, SessionOutcome,
};
use vod_uploader::{Error, ErrorKind, Result};

use super::abort::{abort, is_cleanup_done};
use super::create::{CreatedUpload, NewUpload, create};
use super::delete::delete_completed;
use super::limits::too_large;
use super::records;
use super::run_session::{SessionRequest, run_session};
use crate::body::{ByteStream, interrupted};
use crate::instance::Instance;
use crate::request::Caller;
use crate::session::Source;

/// A file that comes in one request: it is stored completely, or nothing of it is kept.
pub(crate) struct SingleRequestUpload<B> {
    pub(crate) new: NewUpload,
    pub(crate) source: Source<B>,
    /// Whether the client learns the upload's id, so that its records are kept.
    pub(crate) has_url: bool,
}

/// Uploads a file from its first byte to its last. A file that cannot be completed is aborted.
///
/// # Errors
/// Those of creating the upload, before anything is stored.
pub(crate) async fn upload_single_request<B: ByteStream + 'static>(
    instance: &Rc<Instance>,
    caller: &Caller,
    file: SingleRequestUpload<B>,
) -> Result<(CreatedUpload, Result<CompletedObject>)> {
    let SingleRequestUpload { new, mut source, has_url } = file;
    let length = new.length;
    if !source.has_bytes().await {
        return Err(Error::new(ErrorKind::FileEmpty, "the file has no bytes"));
    }
    let created = create(instance, caller, new).await?;
    let request = SessionRequest {
        id: &created.id,
        record: &created.record,
        lease: LeaseAcquisition::New,
        purpose: Purpose::Receive(ReceiveOptions {
            offset: ByteCount::ZERO,
            request_bytes: length,
            complete_at_end: true,
            length: None,
            atomic: false,
            keep_open: false,
        }),
        credential: Some(created.credential.clone()),
        source: Some(source),
    };
    let error = match run_session(instance, request).await? {
        SessionOutcome::Completed(object) => {
            // No client knows this upload's URL, so no client could delete its records. If that
            // fails, they only cost space until they expire.
            if !has_url {
                let _ = delete_completed(instance, &created.id, &created.record).await;
            }
            return Ok((created, Ok(object)));
        }
        // A body of undeclared length can only exceed the limit.
        SessionOutcome::Suspended { rejection: Some(error), .. }
            if length.is_none() && error.kind() == ErrorKind::LengthMismatch =>
        {
            too_large(&instance.config)
        }
        SessionOutcome::Suspended { rejection, .. } => rejection.unwrap_or_else(interrupted),
        SessionOutcome::Failed { error, .. } | SessionOutcome::Lost(error) => error,
        SessionOutcome::Aborted => Error::new(ErrorKind::UploadAborted, "the upload was aborted"),
    };
    // No client knows this upload's URL. If the abort fails too, the cleanup of expired uploads
    // deletes its parts, or the bucket's lifecycle rule.
    let credential = Some(created.credential.clone());
    let aborted = abort(instance, &created.id, &created.record, credential).await;
    if is_cleanup_done(&aborted) {
        let _ = records::delete_records(instance, &created.id).await;
    }
    Ok((created, Err(error)))
}
