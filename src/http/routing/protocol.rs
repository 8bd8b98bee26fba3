//! Detects the protocol of a request.

use ::http::{Method, StatusCode};

use super::Route;
use crate::error::{Error, Result};
use crate::http::header::{
    TUS_MAX_SIZE, TUS_RESUMABLE, UPLOAD_COMPLETE, UPLOAD_DRAFT_INTEROP_VERSION, UPLOAD_INCOMPLETE,
};
use crate::http::ietf::{ErrorContext, InteropVersion, Limits};
use crate::http::media_type::{PARTIAL_UPLOAD, has_media_type};
use crate::http::{RequestHead, Response, ietf, problem_response, tus};

/// The protocol of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Plain HTTP.
    Plain,
    /// tus 1.0.0.
    Tus,
    /// The IETF draft for resumable uploads, in one interop version.
    Ietf(InteropVersion),
}

impl Protocol {
    /// The protocol of a request for `route`. tus requests always contain Tus-Resumable. Requests
    /// of the IETF draft contain Upload-Complete if they create or append, and no identifying
    /// header otherwise. A request that has no route uses the protocol of its headers.
    #[must_use]
    pub fn detect(head: &RequestHead, route: &Result<Route>) -> Self {
        let version = InteropVersion::detect(head);
        let is_tus = head.header(TUS_RESUMABLE).is_some();
        match route {
            Ok(
                Route::Create
                | Route::Append(_)
                | Route::Offset(_)
                | Route::Terminate(_)
                | Route::MethodNotAllowed(_),
            )
            | Err(_)
                if is_tus =>
            {
                Self::Tus
            }
            Ok(Route::Create | Route::Append(_)) => {
                version.or_else(|| implied_version(head)).map_or(Self::Tus, Self::Ietf)
            }
            Ok(Route::Offset(_) | Route::Terminate(_)) => {
                Self::Ietf(version.unwrap_or(InteropVersion::NEWEST))
            }
            // Without a valid declaration of completeness, it is not a resumable upload (§4.1.2).
            Ok(Route::File { .. }) => version
                .filter(|version| version.declares_complete(head).is_some())
                .map_or(Self::Plain, Self::Ietf),
            Ok(Route::Status(_) | Route::MethodNotAllowed(_)) | Err(_) => {
                version.map_or(Self::Plain, Self::Ietf)
            }
            Ok(_) => Self::Plain,
        }
    }

    /// The response to a request that failed with `error` before it had any effect.
    #[must_use]
    pub fn error_response(self, error: &Error, limits: &Limits) -> Response {
        match self {
            Self::Plain => problem_response(error, None),
            Self::Tus => match tus::error_response(error) {
                response if response.status == StatusCode::PAYLOAD_TOO_LARGE => {
                    response.with_header(TUS_MAX_SIZE, limits.size_max.bytes())
                }
                response => response,
            },
            Self::Ietf(version) => {
                let (progress, provided_offset, media_id) = (None, None, None);
                let context = ErrorContext { error, progress, provided_offset, media_id, limits };
                ietf::error_response(version, &context)
            }
        }
    }

    /// The response with the headers that the protocol requires in every response: Tus-Resumable,
    /// except to OPTIONS, or the interop version.
    #[must_use]
    pub fn with_required_headers(self, head: &RequestHead, response: Response) -> Response {
        let is_options = head.effective_method() == Some(Method::OPTIONS);
        match self {
            Self::Tus | Self::Plain if is_options || head.header(TUS_RESUMABLE).is_none() => {
                response
            }
            Self::Tus | Self::Plain if response.header(TUS_RESUMABLE).is_some() => response,
            Self::Tus | Self::Plain => tus::with_version(response),
            Self::Ietf(_) if response.header(UPLOAD_DRAFT_INTEROP_VERSION).is_some() => response,
            Self::Ietf(version) => version.with_interop_version(response),
        }
    }
}

/// The version of a request that cannot be one of tus: it declares completeness with a value that
/// is not a Boolean, or appends content of the draft's type.
fn implied_version(head: &RequestHead) -> Option<InteropVersion> {
    if head.header(UPLOAD_COMPLETE).is_some() || has_media_type(head, PARTIAL_UPLOAD) {
        return Some(InteropVersion::NEWEST);
    }
    head.header(UPLOAD_INCOMPLETE).map(|_| InteropVersion::V3)
}
