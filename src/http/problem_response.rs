//! Responses with problem details.

use ::http::StatusCode;
use ::http::header::RETRY_AFTER;

use super::{Body, Problem, Response};
use crate::error::Error;

impl From<Problem> for Response {
    fn from(problem: Problem) -> Self {
        let status = problem.status;
        let body = Body::Problem(Box::new(problem));
        let response = Self::with_media_type("application/problem+json", status, body);
        response.with_retry_after()
    }
}

impl Response {
    /// The response with the time after which the client may try again, if its status is 503.
    pub(super) fn with_retry_after(self) -> Self {
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => self.with_header(RETRY_AFTER, RETRY_AFTER_S),
            _ => self,
        }
    }
}

/// The response to a request that ended with `error`. `media_id` is that of the upload, which a new
/// upload may continue.
#[must_use]
pub fn problem_response(error: &Error, media_id: Option<&str>) -> Response {
    Problem::new(error, media_id).into()
}

/// Seconds after which a client may repeat a request whose response is 503.
const RETRY_AFTER_S: u64 = 5;
