//! A response: status, headers and a small body.

use std::fmt;

use ::http::header::{AsHeaderName, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

use super::Problem;
use super::header::{MEDIA_ID, has_credential};
use crate::upload::UploadId;

/// A response: status, headers and a small body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers, without Content-Length.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

/// The body of a response.
#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    /// Text, such as JSON; may be empty.
    Text(String),
    /// Problem details, which are serialized when the response is sent.
    Problem(Box<Problem>),
}

impl Response {
    /// A response without a body.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Body::Text(String::new()) }
    }

    /// A response with a JSON body, which caches do not store.
    #[must_use]
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        // Serialization only fails for maps whose keys are not strings.
        let body = serde_json::to_string(body).unwrap_or_default();
        Self::with_media_type("application/json", status, Body::Text(body))
    }

    /// A response with a body of this media type, which caches do not store.
    pub(super) fn with_media_type(
        media_type: &'static str,
        status: StatusCode,
        body: Body,
    ) -> Self {
        Self { body, ..Self::empty(status) }
            .with_header(CONTENT_TYPE, media_type)
            .with_header(CACHE_CONTROL, "no-store")
    }

    /// The first header of this name. `None` also if its value is not visible ASCII.
    #[must_use]
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Adds a header. A value that is invalid in HTTP is omitted.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: impl TryInto<HeaderValue>) -> Self {
        if let Ok(mut value) = value.try_into() {
            value.set_sensitive(has_credential(&name));
            // Appending fails only if the map is full (32,768 headers).
            let _ = self.headers.try_append(name, value);
        }
        self
    }

    /// Adds the URL of an upload.
    #[must_use]
    pub fn with_location(self, id: &UploadId) -> Self {
        self.with_header(LOCATION, format!("/v1/files/{}", id.as_str()))
    }

    /// Adds the ID of an upload's media unless it is empty.
    pub(super) fn with_media_id(self, media_id: &str) -> Self {
        if media_id.is_empty() { self } else { self.with_header(MEDIA_ID, media_id) }
    }
}

impl Body {
    /// The bytes to send.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Problem(problem) => serde_json::to_vec(&problem).unwrap_or_default(),
        }
    }
}

impl fmt::Debug for Body {
    /// Prints only the length of a text, which may contain a media token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Problem(problem) => problem.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::header::MEDIA_TOKEN;
    use super::*;

    #[test]
    fn an_invalid_header_value_is_omitted() {
        let response = Response::empty(StatusCode::OK);
        let response = response.with_header(MEDIA_ID, "a\r\nX-Evil: 1");
        assert!(response.headers.is_empty());
        let response = response.with_header(LOCATION, "/ä".to_owned());
        assert_eq!(response.headers[LOCATION].as_bytes(), "/ä".as_bytes());
    }

    #[test]
    fn debug_output_does_not_contain_tokens() {
        let response = Response::json(StatusCode::OK, &["planted-token"]);
        let response = response.with_header(MEDIA_TOKEN, "planted-token");
        assert_eq!(response.header(MEDIA_TOKEN), Some("planted-token"));
        assert!(!format!("{response:?}").contains("planted"), "{response:?}");
    }
}
