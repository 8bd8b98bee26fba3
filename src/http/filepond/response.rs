//! The responses to FilePond's requests.

use ::http::StatusCode;
use ::http::header::{CACHE_CONTROL, LOCATION};

use super::FilePondTransfer;
use crate::http::header::{UPLOAD_LENGTH, UPLOAD_OFFSET};
use crate::http::{Body, Response};
use crate::units::ByteCount;
use crate::upload::UploadId;

/// The response to a POST: the ID of the file. Its state, including the media ID, is at
/// `/v1/files/{id}` once its upload is created.
#[must_use]
pub fn transfer_created(id: &UploadId, media_id: &str) -> Response {
    let body = Body::Text(id.as_str().to_owned());
    Response::with_media_type("text/plain; charset=utf-8", StatusCode::CREATED, body)
        .with_header(LOCATION, format!("/v1/filepond/{}", id.as_str()))
        .with_media_id(media_id)
}

/// The response to a PATCH whose bytes are durable up to `offset`.
#[must_use]
pub fn filepond_stored(offset: ByteCount, media_id: &str) -> Response {
    Response::empty(StatusCode::NO_CONTENT)
        .with_header(UPLOAD_OFFSET, offset.bytes())
        .with_media_id(media_id)
}

/// The response to HEAD.
#[must_use]
pub fn filepond_offset(offset: ByteCount, transfer: &FilePondTransfer) -> Response {
    Response::empty(StatusCode::OK)
        .with_header(UPLOAD_OFFSET, offset.bytes())
        .with_header(UPLOAD_LENGTH, transfer.length().bytes())
        .with_header(CACHE_CONTROL, "no-store")
}
