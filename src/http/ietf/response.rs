//! The responses to successful requests.

use ::http::StatusCode;
use ::http::header::CACHE_CONTROL;

use super::{InteropVersion, Limits, OffsetState};
use crate::http::header::{UPLOAD_LENGTH, UPLOAD_OFFSET};
use crate::http::{Response, UploadStatus, plain};
use crate::units::ByteCount;
use crate::upload::{CompletedObject, UploadId, UploadRecord};

/// The response to a request that created the upload `id` and did not complete it: 201 with the
/// URL of the upload (§4.2.2).
#[must_use]
pub fn creation_response(
    version: InteropVersion,
    id: &UploadId,
    media_id: &str,
    offset: ByteCount,
    limits: &Limits,
) -> Response {
    let response = Response::empty(StatusCode::CREATED).with_location(id);
    let response = version.with_completeness(with_offset(response, offset), false);
    with_identification(limits.with_upload_limit(response, version), version, media_id)
}

/// The response to HEAD: 204 with the offset, the completeness, the limits, and the length if known
/// (§4.3.2).
#[must_use]
pub fn head_response(version: InteropVersion, status: &UploadStatus, limits: &Limits) -> Response {
    let response = Response::empty(StatusCode::NO_CONTENT).with_header(CACHE_CONTROL, "no-store");
    with_status_headers(version, response, status, limits)
}

/// Adds the state of the upload, which a response to GET may contain like one to HEAD (§4.3).
#[must_use]
pub fn with_status_headers(
    version: InteropVersion,
    response: Response,
    status: &UploadStatus,
    limits: &Limits,
) -> Response {
    let response = with_state(version, response, OffsetState::from_status(status));
    with_identification(
        limits.with_upload_limit(response, version),
        version,
        &status.record.media_id,
    )
}

/// The response to a PATCH that did not complete the upload and whose bytes are durable up to
/// `offset`: 204, or 201 in drafts before -04 (§4.4.2).
#[must_use]
pub fn append_response(
    version: InteropVersion,
    offset: ByteCount,
    media_id: &str,
    limits: &Limits,
) -> Response {
    let response = with_offset(Response::empty(version.appended_status()), offset);
    let response = version.with_completeness(response, false);
    with_identification(limits.with_upload_limit(response, version), version, media_id)
}

/// The response to the request that completed the upload: that of a plain upload with
/// `Upload-Complete: ?1` (§4.4.2). `id` is `None` if the client already knows the URL.
#[must_use]
pub fn completion_response(
    version: InteropVersion,
    id: Option<&UploadId>,
    record: &UploadRecord,
    object: &CompletedObject,
) -> Response {
    let mut response = plain::created(record, object);
    if let Some(id) = id {
        response = response.with_location(id);
    }
    let response = with_offset(response, ByteCount(object.size_bytes));
    with_identification(version.with_completeness(response, true), version, &record.media_id)
}

/// The response to DELETE: 204 (§4.5.2).
#[must_use]
pub fn delete_response(version: InteropVersion) -> Response {
    version.with_interop_version(Response::empty(StatusCode::NO_CONTENT))
}

/// Adds the offset, the completeness and the length, if known.
fn with_state(version: InteropVersion, response: Response, state: OffsetState) -> Response {
    let response = version.with_completeness(with_offset(response, state.offset), state.complete);
    match state.length {
        Some(length) => response.with_header(UPLOAD_LENGTH, length.bytes()),
        None => response,
    }
}

pub(super) fn with_offset(response: Response, offset: ByteCount) -> Response {
    response.with_header(UPLOAD_OFFSET, offset.bytes())
}

/// Adds the interop version and the media ID.
fn with_identification(response: Response, version: InteropVersion, media_id: &str) -> Response {
    version.with_interop_version(response).with_media_id(media_id)
}

#[cfg(test)]
#[path = "response_tests.rs"]
mod tests;
