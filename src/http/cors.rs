//! CORS: which web pages of other origins may use the worker
//! (<https://fetch.spec.whatwg.org/#http-cors-protocol>).

use ::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use ::http::{Method, StatusCode};

use super::{RequestHead, Response};
use crate::error::{Error, ErrorKind, Result};

/// The origins whose pages may use the worker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    any: bool,
    allowed: Vec<String>,
}

impl Origins {
    /// The origins in a list such as `https://a.example, https://b.example:8443`; `*` is any.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Misconfigured`] with the first entry that is not an origin: scheme,
    /// host and an optional port.
    pub fn parse(list: &str) -> Result<Self> {
        let mut origins = Self::default();
        for origin in list.split([',', ' ']).map(str::trim).filter(|origin| !origin.is_empty()) {
            if origin == "*" {
                origins.any = true;
                continue;
            }
            let parsed = url::Url::parse(origin).ok().filter(|url| {
                matches!(url.scheme(), "http" | "https")
                    && url.path() == "/"
                    && url.query().is_none()
            });
            let Some(url) = parsed else {
                let message = format!("{origin:?} is not an origin such as https://example.com");
                return Err(Error::new(ErrorKind::Misconfigured, message));
            };
            origins.allowed.push(url.origin().ascii_serialization());
        }
        Ok(origins)
    }

    /// Returns true if pages of `origin` may use the worker.
    #[must_use]
    pub fn contains(&self, origin: &str) -> bool {
        self.any || self.allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
    }

    /// Returns true if any origin is allowed.
    #[must_use]
    pub const fn has_any(&self) -> bool {
        self.any
    }

    const fn is_empty(&self) -> bool {
        !self.any && self.allowed.is_empty()
    }
}

/// The response to a preflight; `None` if `head` is not a preflight.
#[must_use]
pub fn preflight(head: &RequestHead, origins: &Origins) -> Option<Response> {
    let origin = head.header(ORIGIN)?;
    head.header(ACCESS_CONTROL_REQUEST_METHOD)?;
    if head.method() != Method::OPTIONS {
        return None;
    }
    let response = with_cors(Response::empty(StatusCode::NO_CONTENT), head, origins);
    if !origins.contains(origin) {
        return Some(response);
    }
    Some(
        response
            .with_header(ACCESS_CONTROL_ALLOW_METHODS, METHODS)
            .with_header(ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS)
            .with_header(ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE_S),
    )
}

/// The response with the headers that let the requesting page read it, if its origin is allowed.
#[must_use]
pub fn with_cors(response: Response, head: &RequestHead, origins: &Origins) -> Response {
    if origins.is_empty() {
        return response;
    }
    // A cache must not reuse the response for another origin.
    let response = response.with_header(VARY, "Origin");
    match head.header(ORIGIN) {
        Some(origin) if origins.contains(origin) && super::is_header_value(origin) => response
            .with_header(ACCESS_CONTROL_ALLOW_ORIGIN, origin)
            .with_header(ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS),
        _ => response,
    }
}

/// How long a browser may cache the response to a preflight, in seconds. Chromium caches it for at
/// most two hours, Firefox for a day
/// (<https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Access-Control-Max-Age>).
const PREFLIGHT_MAX_AGE_S: u32 = 86_400;

const METHODS: &str = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";

/// The headers that clients of all protocols send. `*` does not cover `Authorization`, and covers
/// nothing in requests with credentials.
const REQUEST_HEADERS: &str = "Accept, Authorization, Cache-Control, Content-Digest, \
Content-Disposition, Content-Type, Last-Event-ID, Repr-Digest, Tus-Resumable, Upload-Address, \
Upload-Auth, Upload-Checksum, Upload-Complete, Upload-Concat, Upload-Defer-Length, \
Upload-Draft-Interop-Version, Upload-Incomplete, Upload-Length, Upload-Media-Id, \
Upload-Media-Token, Upload-Metadata, Upload-Name, Upload-Offset, Want-Repr-Digest, \
X-HTTP-Method-Override, X-Request-ID, X-Requested-With";

/// The headers of responses that a page may read.
const RESPONSE_HEADERS: &str = "Accept-Patch, Content-Length, Location, Media-Id, Media-Token, \
Repr-Digest, Retry-After, Tus-Checksum-Algorithm, Tus-Extension, Tus-Max-Size, Tus-Resumable, \
Tus-Version, Upload-Complete, Upload-Concat, Upload-Defer-Length, \
Upload-Draft-Interop-Version, Upload-Expires, Upload-Incomplete, Upload-Length, Upload-Limit, \
Upload-Metadata, Upload-Offset";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn head(method: Method, headers: &[(&str, &str)]) -> RequestHead {
        RequestHead::new(method, "/v1/files", headers.iter().copied())
    }

    const PREFLIGHT: &[(&str, &str)] =
        &[("Origin", "https://a.example"), ("Access-Control-Request-Method", "PATCH")];

    #[test]
    fn a_preflight_of_an_allowed_origin_succeeds_and_is_cacheable() {
        let origins = Origins::parse("https://a.example, https://b.example:8443").unwrap();
        let response = preflight(&head(Method::OPTIONS, PREFLIGHT), &origins).unwrap();
        assert_eq!(response.status, 204);
        assert_eq!(response.header("access-control-allow-origin"), Some("https://a.example"));
        assert_eq!(response.header("access-control-max-age"), Some("86400"));
        assert!(response.header("access-control-allow-headers").unwrap().contains("Upload-Offset"));
        assert_eq!(response.header("vary"), Some("Origin"));
    }

    #[test]
    fn other_origins_are_not_allowed() {
        for list in ["", "https://b.example", "http://a.example"] {
            let origins = Origins::parse(list).unwrap();
            let response = preflight(&head(Method::OPTIONS, PREFLIGHT), &origins).unwrap();
            assert_eq!(response.header("access-control-allow-origin"), None, "{list}");
            assert_eq!(response.header("access-control-allow-methods"), None, "{list}");
        }
    }

    #[test]
    fn a_response_is_readable_by_the_page_of_the_request() {
        let origins = Origins::parse("*").unwrap();
        let asked = head(Method::HEAD, &[("Origin", "https://c.example")]);
        let response = with_cors(Response::empty(StatusCode::OK), &asked, &origins);
        assert_eq!(response.header("access-control-allow-origin"), Some("https://c.example"));
        let exposed = response.header("access-control-expose-headers").unwrap();
        assert!(exposed.contains("Upload-Offset") && exposed.contains("Media-Id"));
    }

    #[test]
    fn an_options_request_without_an_origin_is_no_preflight() {
        assert_eq!(preflight(&head(Method::OPTIONS, &[]), &Origins::default()), None);
        assert_eq!(preflight(&head(Method::GET, PREFLIGHT), &Origins::default()), None);
    }

    #[test]
    fn anything_but_an_origin_is_rejected() {
        for list in ["example.com", "https://a.example/path", "ftp://a.example", "null"] {
            let error = Origins::parse(list).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misconfigured, "{list}");
        }
    }
}
