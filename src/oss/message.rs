//! HTTP messages as values: what the driver sends, and what it hands back.

use std::fmt;

use url::Url;

use super::redact::{is_secret_header, redacted_url};
use crate::units::ByteCount;

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
    /// PUT
    Put,
    /// DELETE
    Delete,
}

impl Method {
    /// The method in capitals, as it is sent and signed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

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
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

impl Request {
    /// The first header of this name, compared without regard to case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }
}

/// Shows neither signatures nor tokens, whether they are headers or in the query.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &format_args!("{}", redacted_url(&self.url)))
            .field("headers", &ShownHeaders(&self.headers))
            .field("body", &self.body)
            .finish()
    }
}

/// A reply, complete with its body.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body; empty for HEAD.
    pub body: Vec<u8>,
}

impl Reply {
    /// The first header of this name, compared without regard to case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// True for a status of 200 to 299.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}

/// Shows the length of the body only: a VOD reply carries an UploadAuth.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("headers", &ShownHeaders(&self.headers))
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

struct ShownHeaders<'a>(&'a [(String, String)]);

impl fmt::Debug for ShownHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown =
            |name: &'_ str, value| if is_secret_header(name) { "[redacted]" } else { value };
        f.debug_map()
            .entries(self.0.iter().map(|(name, value)| (name, shown(name, value.as_str()))))
            .finish()
    }
}

fn find_header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}
