//! `Upload-Limit` (§4.1.4 "Limits") and the draft's headers in the response to OPTIONS.

use super::InteropVersion;
use crate::http::header::{ACCEPT_PATCH, UPLOAD_LIMIT};
use crate::http::media_type::PARTIAL_UPLOAD;
use crate::http::{Response, structured_fields};
use crate::units::ByteCount;

/// The limits of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest upload, in bytes: `max-size`.
    pub size_max: ByteCount,
    /// Longest content of one request, in bytes: `max-append-size`.
    pub append_size_max: Option<ByteCount>,
    /// Shortest content of a request that does not complete the upload, in bytes:
    /// `min-append-size`.
    pub append_size_min: Option<ByteCount>,
    /// Remaining time until the upload expires, in seconds: `max-age`.
    pub max_age_s: Option<u64>,
}

impl Limits {
    /// Adds the headers that the draft requires in the response to OPTIONS: `Accept-Patch` with
    /// `application/partial-upload`, and `Upload-Limit` (§4.1.4). tus shares the path, so
    /// `response` already contains its headers.
    #[must_use]
    pub fn with_options_headers(&self, response: Response) -> Response {
        self.with_upload_limit(accept_patch(response), InteropVersion::NEWEST)
    }

    /// Adds these limits, in `version`.
    pub(super) fn with_upload_limit(
        &self,
        response: Response,
        version: InteropVersion,
    ) -> Response {
        match version.age_limit() {
            Some(age) => response.with_header(UPLOAD_LIMIT, self.dictionary(age)),
            None => response,
        }
    }

    /// The Dictionary. It is never empty, so `min-size=0`, which drafts before -09 use in place of
    /// an empty value, is not needed.
    fn dictionary(&self, age: &str) -> String {
        let members = [
            ("max-size", Some(self.size_max.bytes())),
            ("max-append-size", self.append_size_max.map(ByteCount::bytes)),
            ("min-append-size", self.append_size_min.map(ByteCount::bytes)),
            (age, self.max_age_s),
        ];
        let members: Vec<String> = members
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?.min(structured_fields::INTEGER_MAX))))
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        members.join(", ")
    }
}

/// Adds the media type that PATCH accepts (RFC 5789 §3.1).
pub(super) fn accept_patch(response: Response) -> Response {
    response.with_header(ACCEPT_PATCH, PARTIAL_UPLOAD)
}
