//! The responses to failed requests, with the draft's problem types (§7 "Problem Types").

use ::http::StatusCode;

use super::limits::accept_patch;
use super::response::with_offset;
use super::{InteropVersion, Limits, OffsetState};
use crate::error::{Error, ErrorClass, ErrorKind, Retry};
use crate::http::{Problem, Response};
use crate::units::ByteCount;

/// An error, and what is known about the upload.
#[derive(Clone, Copy, Debug)]
pub struct ErrorContext<'a> {
    /// The error.
    pub error: &'a Error,
    /// The state of the upload, if known.
    pub progress: Option<OffsetState>,
    /// The offset in the request, if it is wrong.
    pub provided_offset: Option<ByteCount>,
    /// The media ID of the upload, if it has one.
    pub media_id: Option<&'a str>,
    /// The limits, which a 413 response MUST contain (§4.1.4).
    pub limits: &'a Limits,
}

/// The response to a failed request, in `version`.
///
/// It contains the offset if the upload is known, and `Upload-Complete: ?0`: the client may correct
/// the request, and every 409 without it is final (-12 §4.7). `?1` declares that the client must
/// not resume, since -12 also if the upload is incomplete (§4.1.2): the file exceeds the limit, or
/// OSS or VOD rejected it permanently.
#[must_use]
pub fn error_response(version: InteropVersion, context: &ErrorContext<'_>) -> Response {
    let mut response = version.with_interop_version(typed_problem(version, context).into());
    if let Some(progress) = context.progress {
        response = with_offset(response, progress.offset);
    }
    let is_over = version >= InteropVersion::V9 && is_permanent(context.error.kind());
    response = version.with_completeness(response, is_over);
    match response.status {
        StatusCode::PAYLOAD_TOO_LARGE => context.limits.with_upload_limit(response, version),
        _ if context.error.kind() == ErrorKind::MediaTypeUnsupported => accept_patch(response),
        _ => response,
    }
}

/// Returns true if no request can continue the upload.
fn is_permanent(kind: ErrorKind) -> bool {
    let is_rejected = kind.class() == ErrorClass::UpstreamRejected && kind.retry() == Retry::Never;
    is_rejected || kind == ErrorKind::FileTooLarge
}

/// The problem, with the draft's type for the error if there is one.
fn typed_problem(version: InteropVersion, context: &ErrorContext<'_>) -> Problem {
    let problem = Problem::new(context.error, context.media_id);
    match context.error.kind() {
        ErrorKind::OffsetMismatch => Problem {
            type_uri: MISMATCHING_OFFSET_TYPE,
            title: "Mismatching Upload Offset",
            expected_offset: context.progress.map(|progress| progress.offset.bytes()),
            provided_offset: context.provided_offset.map(ByteCount::bytes),
            ..problem
        },
        ErrorKind::LengthInconsistent | ErrorKind::LengthMismatch => Problem {
            type_uri: INCONSISTENT_LENGTH_TYPE,
            title: "Inconsistent Upload Length Values",
            ..problem
        },
        ErrorKind::UploadEnded if version >= InteropVersion::V9 => {
            Problem { status: StatusCode::BAD_REQUEST, title: "Bad Request", ..problem }
        }
        ErrorKind::UploadEnded => Problem {
            type_uri: COMPLETED_UPLOAD_TYPE,
            title: "Upload Is Completed",
            // The status of the type (§14.4 "HTTP Problem Types"). A client of the draft would
            // interpret the 409 of the kind as an offset mismatch.
            status: StatusCode::BAD_REQUEST,
            ..problem
        },
        _ => problem,
    }
}

const MISMATCHING_OFFSET_TYPE: &str =
    "https://iana.org/assignments/http-problem-types#mismatching-upload-offset";
const INCONSISTENT_LENGTH_TYPE: &str =
    "https://iana.org/assignments/http-problem-types#inconsistent-upload-length";
const COMPLETED_UPLOAD_TYPE: &str =
    "https://iana.org/assignments/http-problem-types#completed-upload";

#[cfg(test)]
#[path = "error_response_tests.rs"]
mod tests;
