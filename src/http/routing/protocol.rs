//! Detects the protocol of a request.

use super::Route;
use crate::error::Error;
use crate::http::header::TUS_RESUMABLE;
use crate::http::ietf::{ErrorContext, InteropVersion, Limits};
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
    /// header otherwise.
    #[must_use]
    pub fn detect(head: &RequestHead, route: &Route) -> Self {
        let version = InteropVersion::detect(head);
        match route {
            Route::Create | Route::Append(_) | Route::Offset(_) | Route::Terminate(_) => {
                if head.header(TUS_RESUMABLE).is_some() {
                    return Self::Tus;
                }
                match (version, route) {
                    (Some(version), _) => Self::Ietf(version),
                    (None, Route::Offset(_) | Route::Terminate(_)) => {
                        Self::Ietf(InteropVersion::NEWEST)
                    }
                    (None, _) => Self::Tus,
                }
            }
            Route::File { .. } => version.map_or(Self::Plain, Self::Ietf),
            _ => Self::Plain,
        }
    }

    /// The response to a request that failed with `error` before it had any effect.
    #[must_use]
    pub fn error_response(self, error: &Error, limits: &Limits) -> Response {
        match self {
            Self::Plain => problem_response(error, None),
            Self::Tus => tus::error_response(error),
            Self::Ietf(version) => {
                let (progress, provided_offset, media_id) = (None, None, None);
                let context = ErrorContext { error, progress, provided_offset, media_id, limits };
                ietf::error_response(version, &context)
            }
        }
    }
}
