//! Responses with problem details.

use ::http::header::{ACCEPT_ENCODING, RETRY_AFTER, WWW_AUTHENTICATE};
use ::http::{HeaderValue, StatusCode};

use super::{Body, Problem, Response};
use crate::error::{Error, ErrorKind};

impl From<Problem> for Response {
    fn from(problem: Problem) -> Self {
        let status = problem.status;
        let code = problem.code.clone();
        let body = Body::Problem(Box::new(problem));
        let response = Self::with_media_type("application/problem+json", status, body);
        response.with_remedy(&code)
    }
}

impl Response {
    /// The response with what the client can send instead, if it contains a problem with `code`:
    /// the time after which it may try again, the supported content coding (RFC 9110 §12.5.3), or
    /// the authentication scheme (RFC 9110 §11.6.1).
    pub(super) fn with_remedy(self, code: &str) -> Self {
        let response = match self.status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                self.with_header(RETRY_AFTER, RETRY_AFTER_S)
            }
            _ => self,
        };
        if code == ErrorKind::ContentEncodingUnsupported.code() {
            return response.with_header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        if code == ErrorKind::OperatorRequired.code() {
            return response.with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The response to a request that ended with `error`. `media_id` is that of the upload, which a new
/// upload may continue.
#[must_use]
pub fn problem_response(error: &Error, media_id: Option<&str>) -> Response {
    Problem::new(error, media_id).into()
}

/// Seconds after which a client may repeat a request whose response is 429 or 503.
const RETRY_AFTER_S: u64 = 5;
