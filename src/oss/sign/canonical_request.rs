//! V4, step 5: the canonical request.

use http::Method;

/// The components of a canonical request.
#[derive(Clone, Copy, Debug)]
pub struct CanonicalParts<'a> {
    /// The method.
    pub method: &'a Method,
    /// From [`canonical_uri`](super::canonical_uri::canonical_uri).
    pub uri: &'a str,
    /// From [`canonical_query`](super::canonical_query::canonical_query).
    pub query: &'a str,
    /// From [`canonical_headers`](super::canonical_headers::canonical_headers).
    pub headers: &'a str,
    /// From [`additional_headers`](super::additional_headers::additional_headers).
    pub additional: &'a [String],
}

/// The components and the payload hash, one per line.
#[must_use]
pub fn canonical_request(parts: CanonicalParts<'_>) -> String {
    let CanonicalParts { method, uri, query, headers, additional } = parts;
    let additional = additional.join(";");
    format!("{method}\n{uri}\n{query}\n{headers}\n{additional}\n{UNSIGNED_PAYLOAD}")
}

/// The only payload hash that OSS supports: the body is not part of the signature.
pub(super) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
