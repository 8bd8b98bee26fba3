//! What the worker answers.

use super::{Concat, PROTOCOL_VERSION, with_version};
use crate::error::{Error, ErrorKind};
use crate::http::checksum::TUS_ALGORITHMS;
use crate::http::problem::problem_of_status;
use crate::http::{Head, Response, UploadStatus, problem};
use crate::timestamp::imf_fixdate;
use crate::units::{ByteCount, UnixMillis};
use crate::upload::{Role, UploadKey};

const EXTENSIONS: &str = "creation,creation-with-upload,creation-defer-length,expiration,\
checksum,checksum-trailer,termination";
const CONCATENATION: &str = ",concatenation,concatenation-unfinished";

/// The status of a chunk whose bytes are not those that its checksum names
/// (<https://tus.io/protocols/resumable-upload#checksum>).
const CHECKSUM_MISMATCH: u16 = 460;

/// The answer to a request that names another version of the protocol, or none ("Tus-Resumable").
/// `None` where the version is right.
#[must_use]
pub fn wrong_version(head: &Head) -> Option<Response> {
    if head.header("tus-resumable") == Some(PROTOCOL_VERSION) {
        return None;
    }
    let message = "Tus-Resumable is missing or another version than the one that is spoken";
    let error = Error::new(ErrorKind::ProtocolVersionUnsupported, message);
    Some(refused(&error).with_header("tus-version", PROTOCOL_VERSION))
}

/// The answer to OPTIONS; `size_max` is the largest file that is taken, `concatenates` whether
/// uploads can be joined.
#[must_use]
pub fn discovered(size_max: ByteCount, expires: bool, concatenates: bool) -> Response {
    let mut extensions = EXTENSIONS.to_owned();
    if !expires {
        extensions = extensions.replace("expiration,", "");
    }
    if concatenates {
        extensions.push_str(CONCATENATION);
    }
    with_version(Response::empty(204))
        .with_header("tus-version", PROTOCOL_VERSION)
        .with_header("tus-extension", extensions)
        .with_header("tus-max-size", size_max.bytes().to_string())
        .with_header("tus-checksum-algorithm", TUS_ALGORITHMS)
}

/// The answer to a POST that created the upload `key`; `offset` is how far the bytes that came
/// with it have been taken, where some did.
#[must_use]
pub fn resource_created(
    key: &UploadKey,
    media_id: &str,
    offset: Option<ByteCount>,
    expires_at: Option<UnixMillis>,
) -> Response {
    let response = with_version(Response::empty(201))
        .with_header("location", format!("/v1/files/{}", key.as_str()));
    let response = with_offset(response, offset);
    with_media_id(with_expiry(response, expires_at), media_id)
}

/// The answer to HEAD.
#[must_use]
pub fn offset(status: &UploadStatus) -> Response {
    // An upload that is made of others has no offset before all is there.
    let is_final = matches!(status.record.role, Role::Final { .. });
    let offset = (!is_final || status.is_completed()).then(|| status.durable());
    let mut response = with_offset(with_version(Response::empty(200)), offset)
        .with_header("cache-control", "no-store");
    response = match status.length() {
        Some(length) => response.with_header("upload-length", length.bytes().to_string()),
        None if is_final => response,
        None => response.with_header("upload-defer-length", "1"),
    };
    response = match &status.record.role {
        Role::Whole => response,
        Role::Partial => response.with_header("upload-concat", "partial"),
        Role::Final { partials } => {
            response.with_header("upload-concat", Concat::final_value(partials))
        }
    };
    if let Some(metadata) = &status.record.client_metadata {
        response = response.with_header("upload-metadata", metadata.clone());
    }
    let expires_at = status.expires_at.filter(|_| !status.has_ended());
    with_media_id(with_expiry(response, expires_at), &status.record.media_id)
}

/// The answer to a PATCH whose bytes are durable up to `offset`. `expires_at` is `None` once the
/// object is whole.
#[must_use]
pub fn chunk_stored(offset: ByteCount, media_id: &str, expires_at: Option<UnixMillis>) -> Response {
    let response = with_offset(with_version(Response::empty(204)), Some(offset));
    with_media_id(with_expiry(response, expires_at), media_id)
}

/// The answer to a PATCH that ended with `error`; `offset` is where the client goes on.
#[must_use]
pub fn chunk_ended(error: &Error, offset: Option<ByteCount>, media_id: &str) -> Response {
    let response = match error.kind() {
        ErrorKind::DigestMismatch => {
            problem_of_status(CHECKSUM_MISMATCH, "Checksum Mismatch", error, Some(media_id))
        }
        _ => problem(error, Some(media_id)),
    };
    with_offset(with_version(response), offset)
}

/// The answer to a request that ended with `error` before anything was touched.
#[must_use]
pub fn refused(error: &Error) -> Response {
    chunk_ended(error, None, "")
}

/// The answer to DELETE.
#[must_use]
pub fn terminated() -> Response {
    with_version(Response::empty(204))
}

fn with_offset(response: Response, offset: Option<ByteCount>) -> Response {
    match offset {
        Some(offset) => response.with_header("upload-offset", offset.bytes().to_string()),
        None => response,
    }
}

fn with_expiry(response: Response, expires_at: Option<UnixMillis>) -> Response {
    match expires_at {
        Some(end) => response.with_header("upload-expires", imf_fixdate(end)),
        None => response,
    }
}

fn with_media_id(response: Response, media_id: &str) -> Response {
    if media_id.is_empty() { response } else { response.with_header("media-id", media_id) }
}
