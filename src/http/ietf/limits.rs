//! `Upload-Limit` (§4.1.4 "Limits") and what an answer to OPTIONS says of the draft.

use super::{InteropVersion, PARTIAL_UPLOAD};
use crate::http::header::{ACCEPT_PATCH, UPLOAD_LIMIT};
use crate::http::{Response, structured_fields};
use crate::units::ByteCount;

/// The limits that an upload has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest upload: `max-size`.
    pub size_max: ByteCount,
    /// The most content of one request: `max-append-size`.
    pub append_size_max: Option<ByteCount>,
    /// The least content of one request that does not complete the upload: `min-append-size`.
    pub append_size_min: Option<ByteCount>,
    /// How long the upload is kept from now on, in seconds: `max-age`.
    pub max_age_s: Option<u64>,
}

impl Limits {
    /// The answer to OPTIONS with what the draft asks for there: `Accept-Patch`, which has to name
    /// `application/partial-upload`, and `Upload-Limit` (§4.1.4). `response` is an answer that says
    /// already what tus asks for: both protocols share their addresses.
    #[must_use]
    pub fn with_options_headers(&self, response: Response) -> Response {
        self.with_upload_limit(accept_patch(response), InteropVersion::NEWEST)
    }

    /// The answer with these limits, in the words of `version`.
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

    /// The Dictionary. It is never empty: `min-size=0`, which the text before -09 has a server
    /// without limits send in place of an empty value, has no place in it.
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

/// The answer with the media type that PATCH takes (RFC 5789 §3.1).
pub(super) fn accept_patch(response: Response) -> Response {
    response.with_header(ACCEPT_PATCH, PARTIAL_UPLOAD)
}
