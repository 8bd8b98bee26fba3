//! The responses to tus clients.

use ::http::StatusCode;
use ::http::header::CACHE_CONTROL;

use super::{Concat, PROTOCOL_VERSION, with_version};
use crate::error::{Error, ErrorKind};
use crate::http::checksum::TUS_ALGORITHMS;
use crate::http::header::{
    TUS_CHECKSUM_ALGORITHM, TUS_EXTENSION, TUS_MAX_SIZE, TUS_RESUMABLE, TUS_VERSION, UPLOAD_CONCAT,
    UPLOAD_DEFER_LENGTH, UPLOAD_EXPIRES, UPLOAD_LENGTH, UPLOAD_METADATA, UPLOAD_OFFSET,
};
use crate::http::{Problem, RequestHead, Response, UploadStatus};
use crate::timestamp::imf_fixdate;
use crate::units::{ByteCount, UnixMillis};
use crate::upload::{UploadId, UploadKind};

/// The response to a request with another version of the protocol, or none ("Tus-Resumable").
/// `None` if the version is supported.
#[must_use]
pub fn unsupported_version(head: &RequestHead) -> Option<Response> {
    if head.header(TUS_RESUMABLE) == Some(PROTOCOL_VERSION) {
        return None;
    }
    let message = "Tus-Resumable is missing or is not 1.0.0";
    let error = Error::new(ErrorKind::ProtocolVersionUnsupported, message);
    Some(error_response(&error).with_header(TUS_VERSION, PROTOCOL_VERSION))
}

/// The response to OPTIONS; `size_max` is the size of the largest accepted file, `concatenates`
/// whether concatenation is available.
#[must_use]
pub fn options_response(size_max: ByteCount, expires: bool, concatenates: bool) -> Response {
    let mut extensions = EXTENSIONS.to_owned();
    if !expires {
        extensions = extensions.replace("expiration,", "");
    }
    if concatenates {
        extensions.push_str(CONCATENATION);
    }
    with_version(Response::empty(StatusCode::NO_CONTENT))
        .with_header(TUS_VERSION, PROTOCOL_VERSION)
        .with_header(TUS_EXTENSION, extensions)
        .with_header(TUS_MAX_SIZE, size_max.bytes())
        .with_header(TUS_CHECKSUM_ALGORITHM, TUS_ALGORITHMS)
}

/// The response to a POST that created the upload `id`; `offset` is the number of bytes stored
/// from the request, if it contained any.
#[must_use]
pub fn creation_response(
    id: &UploadId,
    media_id: &str,
    offset: Option<ByteCount>,
    expires_at: Option<UnixMillis>,
) -> Response {
    let response = with_version(Response::empty(StatusCode::CREATED)).with_location(id);
    let response = with_offset(response, offset);
    with_expiry(response, expires_at).with_media_id(media_id)
}

/// The response to HEAD.
#[must_use]
pub fn head_response(status: &UploadStatus) -> Response {
    // A final upload has no offset until it is complete.
    let is_final = matches!(status.record.kind, UploadKind::Final { .. });
    let offset = (!is_final || status.is_completed()).then(|| status.durable());
    let mut response = with_offset(with_version(Response::empty(StatusCode::OK)), offset)
        .with_header(CACHE_CONTROL, "no-store");
    response = match status.length() {
        Some(length) => response.with_header(UPLOAD_LENGTH, length.bytes()),
        None if is_final => response,
        None => response.with_header(UPLOAD_DEFER_LENGTH, "1"),
    };
    response = match &status.record.kind {
        UploadKind::Regular => response,
        UploadKind::Partial => response.with_header(UPLOAD_CONCAT, "partial"),
        UploadKind::Final { partials } => {
            response.with_header(UPLOAD_CONCAT, Concat::final_value(partials))
        }
    };
    if let Some(metadata) = &status.record.client_metadata {
        response = response.with_header(UPLOAD_METADATA, metadata.clone());
    }
    let expires_at = status.expires_at.filter(|_| !status.has_ended());
    with_expiry(response, expires_at).with_media_id(&status.record.media_id)
}

/// The response to a PATCH whose bytes are durable up to `offset`. `expires_at` is `None` once the
/// object is complete.
#[must_use]
pub fn patch_response(
    offset: ByteCount,
    media_id: &str,
    expires_at: Option<UnixMillis>,
) -> Response {
    let response = with_offset(with_version(Response::empty(StatusCode::NO_CONTENT)), Some(offset));
    with_expiry(response, expires_at).with_media_id(media_id)
}

/// The response to a PATCH that ended with `error`; `offset` is where the client continues.
/// `expires_at` is `None` if the upload has ended.
#[must_use]
pub fn patch_error_response(
    error: &Error,
    offset: Option<ByteCount>,
    media_id: &str,
    expires_at: Option<UnixMillis>,
) -> Response {
    let mut problem = Problem::new(error, Some(media_id));
    if error.kind() == ErrorKind::DigestMismatch
        && let Ok(status) = StatusCode::from_u16(CHECKSUM_MISMATCH)
    {
        problem = Problem { status, title: "Checksum Mismatch", ..problem };
    }
    with_expiry(with_offset(with_version(problem.into()), offset), expires_at)
}

/// The response to a request that failed with `error` before it had any effect.
#[must_use]
pub fn error_response(error: &Error) -> Response {
    patch_error_response(error, None, "", None)
}

/// The response to DELETE.
#[must_use]
pub fn delete_response() -> Response {
    with_version(Response::empty(StatusCode::NO_CONTENT))
}

fn with_offset(response: Response, offset: Option<ByteCount>) -> Response {
    match offset {
        Some(offset) => response.with_header(UPLOAD_OFFSET, offset.bytes()),
        None => response,
    }
}

fn with_expiry(response: Response, expires_at: Option<UnixMillis>) -> Response {
    match expires_at {
        Some(end) => response.with_header(UPLOAD_EXPIRES, imf_fixdate(end)),
        None => response,
    }
}

/// The status of a request whose bytes do not match its checksum
/// (<https://tus.io/protocols/resumable-upload#checksum>).
const CHECKSUM_MISMATCH: u16 = 460;

const EXTENSIONS: &str = "creation,creation-with-upload,creation-defer-length,expiration,\
checksum,checksum-trailer,termination";
const CONCATENATION: &str = ",concatenation,concatenation-unfinished";
