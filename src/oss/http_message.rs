//! HTTP messages as values: what the driver sends, and what it hands back.

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
    /// Bytes that the driver holds: a part, or a whole small object.
    Source {
        /// How many bytes.
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

    /// True for a body without bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len().is_zero()
    }
}

/// Lengths only: a form body carries a signature and a security token.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Source { len } => write!(f, "Source({len})"),
        }
    }
}

/// A request for one object, before its URL and its signature are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsignedRequest {
    /// The method.
    pub method: Method,
    /// The object key, as text and not encoded.
    pub key: String,
    /// The query: `None` makes a bare name (`?uploads`).
    pub query: Vec<(String, Option<String>)>,
    /// Headers, names in lower case, without any that the signer adds.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

/// A request to be sent as it is.
///
/// It carries `content-length` for every body, and for a POST or PUT without one. It carries no
/// `host`, which follows from the URL, and no `date`, which a host may want to write itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The URL. Its path and query are exactly as signed: they must not be encoded again.
    pub url: Url,
    /// The headers; those with a secret are sensitive.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

impl Request {
    /// The first header of this name, compared without regard to case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        text_of(&self.headers, name)
    }
}

/// Shows neither signatures nor tokens, whether they are headers or in the query.
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

/// A response, complete with its body.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers; those with a secret are sensitive.
    pub headers: HeaderMap,
    /// The body; empty for HEAD.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// A response with these headers. Those that HTTP does not allow are left out.
    #[must_use]
    pub fn new<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        status: StatusCode,
        headers: impl IntoIterator<Item = (N, V)>,
        body: Vec<u8>,
    ) -> Self {
        Self { status, headers: header_map(headers), body }
    }

    /// The first header of this name, compared without regard to case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        text_of(&self.headers, name)
    }

    /// True for a status of 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status.is_success()
    }
}

/// Shows the length of the body only: a VOD response carries an UploadAuth.
impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// Headers whose values are UTF-8. Those that HTTP does not allow are left out.
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
            // No message has so many headers that the map is full.
            let _ = map.try_append(name, value);
        }
    }
    map
}

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    std::str::from_utf8(headers.get(name)?.as_bytes()).ok()
}
