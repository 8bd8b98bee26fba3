//! The requests and responses of clients.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::Value;
use vod_uploader_relay::engine::http::RequestHead;
use vod_uploader_relay::{Response, ResponseBody};

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// How long the client pauses in the middle of the body.
    pause: Duration,
}

/// A response.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            body: Vec::new(),
            pause: Duration::ZERO,
        }
    }

    /// A request of a tus client.
    pub(crate) fn tus(method: &'static str, path: impl Into<String>) -> Self {
        Self::new(method, path).with("tus-resumable", "1.0.0")
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same creation of a tus client with more metadata.
    pub(crate) fn with_metadata(mut self, pairs: &[(&str, &str)]) -> Self {
        let encoded = pairs.iter().map(|(key, value)| format!("{key} {}", STANDARD.encode(value)));
        let encoded = encoded.collect::<Vec<_>>().join(",");
        let known = self.headers.iter_mut().find(|(name, _)| name == "upload-metadata");
        match known {
            Some((_, value)) => *value = format!("{value},{encoded}"),
            None => self.headers.push(("upload-metadata".to_owned(), encoded)),
        }
        self
    }

    /// The same request with a body of declared length.
    pub(crate) fn with_body(mut self, bytes: &[u8]) -> Self {
        self.body = bytes.to_vec();
        let length = bytes.len().to_string();
        self.with("content-length", length)
    }

    /// The same request, in the middle of whose body the client pauses.
    pub(crate) fn with_pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// The same request with a body of undeclared length.
    pub(crate) fn with_chunked_body(mut self, bytes: &[u8]) -> Self {
        self.body = bytes.to_vec();
        self
    }

    /// How long the client pauses in the middle of the body.
    pub(super) const fn pause(&self) -> Duration {
        self.pause
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(super) const fn method(&self) -> &'static str {
        self.method
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header_in(&self.headers, name)
    }

    pub(super) fn head(&self) -> RequestHead {
        let method = Method::from_bytes(self.method.as_bytes()).unwrap();
        RequestHead::new(method, &self.path, self.headers.clone())
    }
}

impl Reply {
    #[cfg(test)]
    pub(super) fn new(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { status, headers: headers.collect(), body: body.as_bytes().to_vec() }
    }

    /// The response as the client receives it. A stream of events is not read.
    pub(super) fn from_response(response: Response) -> Self {
        let (head, body) = response.into_parts();
        let body = match body {
            ResponseBody::Bytes(bytes) => bytes,
            ResponseBody::Stream(_) => Vec::new(),
        };
        let headers = head.headers.iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        Self { status: head.status.as_u16(), headers: headers.collect(), body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header_in(&self.headers, name)
    }

    pub(super) fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn offset(&self) -> Option<u64> {
        self.header("upload-offset").map(|offset| offset.parse().unwrap())
    }

    /// The media ID in a header.
    pub(crate) fn media_id(&self) -> String {
        self.header("media-id").unwrap_or_default().to_owned()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body as JSON, or null.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Returns `true` if the upload is gone: the file has to be sent again.
    pub(crate) const fn is_gone(&self) -> bool {
        matches!(self.status, 404 | 410)
    }
}

fn header_in<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}
