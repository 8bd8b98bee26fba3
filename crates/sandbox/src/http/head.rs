//! Request heads.

use http::request::Parts;
use http::{HeaderMap, Method};

use crate::encoding::{decode_pairs, percent_decode};

/// The decoded head of a request.
#[derive(Debug, Clone)]
pub(crate) struct RequestHead {
    /// The method.
    pub(crate) method: Method,
    /// The `Host` header as sent, port included.
    pub(crate) host: String,
    /// The path, percent-decoded.
    pub(crate) path: String,
    /// Query names and values, percent-decoded, in the order sent.
    pub(crate) query: Vec<(String, String)>,
    headers: HeaderMap,
}

impl RequestHead {
    /// Decodes the head that hyper parsed.
    ///
    /// Returns `None` if the path or the query is not valid percent-encoded UTF-8.
    pub(crate) fn decode(parts: Parts) -> Option<Self> {
        let host = parts
            .headers
            .get("host")
            .and_then(|host| host.to_str().ok())
            .or_else(|| parts.uri.authority().map(|authority| authority.as_str()))
            .unwrap_or_default()
            .to_owned();
        Some(Self {
            method: parts.method,
            host,
            path: percent_decode(parts.uri.path())?,
            query: decode_pairs(parts.uri.query().unwrap_or_default())?,
            headers: parts.headers,
        })
    }

    /// The value of a header, several values joined by `,` as both signature versions join them.
    ///
    /// `name` is lower-case.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<_> = self
            .headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
            .collect();
        (!values.is_empty()).then(|| values.join(","))
    }

    /// The names of all headers sent, lower-case, sorted, each once.
    pub(crate) fn header_names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    /// The first value of a query parameter.
    pub(crate) fn query_value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Returns true if a query parameter is present, with or without a value.
    pub(crate) fn has_query(&self, name: &str) -> bool {
        self.query_value(name).is_some()
    }

    /// The declared length of the body in bytes; `None` if absent or not a number.
    pub(crate) fn content_length(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    /// The host name without its port.
    pub(crate) fn host_name(&self) -> &str {
        match self.host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => &self.host,
        }
    }
}
