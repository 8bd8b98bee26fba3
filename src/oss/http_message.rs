//! HTTP messages as values: the requests that the driver sends and the responses that it returns.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

use super::redact::{is_secret_header, redacted_url};
use crate::units::ByteCount;

/// The body of a request.
#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    /// No body.
    Empty,
    /// These bytes.
    Bytes(Vec<u8>),
    /// Bytes that the driver reads from the source: a part or a small object.
    Source {
        /// The length.
        len: ByteCount,
    },
}

impl Body {
    /// The length of the body.
    #[must_use]
    pub fn len(&self) -> ByteCount {
        match self {
            Self::Empty => ByteCount::ZERO,
            Self::Bytes(bytes) => ByteCount(bytes.len() as u64),
            Self::Source { len } => *len,
        }
    }

    /// Returns true if the body has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len().is_zero()
    }
}

/// Prints lengths only: a form body contains a signature and a security token.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Source { len } => write!(f, "Source({len})"),
        }
    }
}

/// A request for one object, without its URL and signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsignedRequest {
    /// The method.
    pub method: Method,
    /// The object key, not encoded.
    pub key: String,
    /// The query; a parameter without a value is a bare name (`?uploads`).
    pub query: Vec<(String, Option<String>)>,
    /// The headers, with names in lower case, without those that the signer adds.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

impl UnsignedRequest {
    /// A request without a query, headers and a body.
    #[must_use]
    pub fn new(method: Method, key: &str) -> Self {
        let (query, headers) = (Vec::new(), Vec::new());
        Self { method, key: key.to_owned(), query, headers, body: Body::Empty }
    }
}

/// A signed request, to be sent unchanged.
///
/// It has `content-length`, except for a GET or HEAD without a body. It has no `host`, which
/// follows from the URL, and no `date`, which some hosts set themselves.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The URL. Its path and query are as signed and must not be encoded again.
    pub url: Url,
    /// The headers; those with a secret are marked as sensitive.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

impl Request {
    /// The first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        text_of(&self.headers, name)
    }
}

/// Omits signatures and tokens in the headers and the query.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &format_args!("{}", redacted_url(&self.url)))
            .field("headers", &self.headers)
            .field("body", &self.body)
            .finish()
    }
}

/// A response with its complete body.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers; those with a secret are marked as sensitive.
    pub headers: HeaderMap,
    /// The body; empty for HEAD.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// Creates a response. Headers that are invalid in HTTP are omitted.
    #[must_use]
    pub fn new<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        status: StatusCode,
        headers: impl IntoIterator<Item = (N, V)>,
        body: Vec<u8>,
    ) -> Self {
        Self { status, headers: header_map(headers), body }
    }

    /// The first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        text_of(&self.headers, name)
    }

    /// Returns true if the status is 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status.is_success()
    }
}

/// Prints only the length of the body: a VOD response contains an UploadAuth.
impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// Headers whose values are UTF-8. Those that are invalid in HTTP are omitted.
pub(super) fn header_map<N: AsRef<[u8]>, V: AsRef<[u8]>>(
    headers: impl IntoIterator<Item = (N, V)>,
) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_ref()).into_owned();
        if let (Ok(name), Ok(mut value)) =
            (HeaderName::from_bytes(name.as_ref()), HeaderValue::try_from(value))
        {
            value.set_sensitive(is_secret_header(name.as_str()));
            // Appending fails only if the map is full (32,768 headers).
            let _ = map.try_append(name, value);
        }
    }
    map
}

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    std::str::from_utf8(headers.get(name)?.as_bytes()).ok()
}
