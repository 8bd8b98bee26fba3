//! CORS: which web pages of other origins may use the worker
//! (<https://fetch.spec.whatwg.org/#http-cors-protocol>).

use ::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use ::http::{HeaderName, Method, StatusCode};

use super::{Origins, RequestHead, Response};
use crate::error::{Error, ErrorKind, Result};

/// Which pages may use the worker, and with which headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cors {
    origins: Origins,
    extra_headers: ExtraHeaders,
}

/// The headers that a page may send beside those of the protocols.
#[derive(Clone, Debug, PartialEq, Eq)]
enum ExtraHeaders {
    /// As in `Access-Control-Allow-Headers`; may be empty.
    Listed(String),
    /// Those that the preflight requests.
    Any,
}

impl Default for ExtraHeaders {
    fn default() -> Self {
        Self::Listed(String::new())
    }
}

impl Cors {
    /// The pages of `origins`, a list as for [`Origins::parse`], which may also send the headers in
    /// `headers`, a comma-separated list; `*`: any header.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Misconfigured`] with the variable `cors_origins` or `cors_headers`, and
    /// its first invalid entry.
    pub fn parse(origins: &str, headers: &str) -> Result<Self> {
        let origins =
            Origins::parse(origins).map_err(|error| error.with_context("cors_origins"))?;
        let mut listed = Vec::new();
        for name in headers.split([',', ' ']).map(str::trim).filter(|name| !name.is_empty()) {
            if name == "*" {
                return Ok(Self { origins, extra_headers: ExtraHeaders::Any });
            }
            if HeaderName::from_bytes(name.as_bytes()).is_err() {
                let message = format!("cors_headers: {name:?} is not the name of a header");
                return Err(Error::new(ErrorKind::Misconfigured, message));
            }
            listed.push(name);
        }
        Ok(Self { origins, extra_headers: ExtraHeaders::Listed(listed.join(", ")) })
    }

    /// The headers that the page of a preflight may send.
    fn request_headers(&self, head: &RequestHead) -> String {
        let extra = match &self.extra_headers {
            ExtraHeaders::Listed(names) => names.clone(),
            ExtraHeaders::Any => {
                let requested = head.header_values(ACCESS_CONTROL_REQUEST_HEADERS);
                let names = requested.flat_map(|names| names.split(',')).map(str::trim);
                let valid = |name: &&str| HeaderName::from_bytes(name.as_bytes()).is_ok();
                names.filter(valid).collect::<Vec<_>>().join(", ")
            }
        };
        if extra.is_empty() {
            REQUEST_HEADERS.to_owned()
        } else {
            format!("{REQUEST_HEADERS}, {extra}")
        }
    }
}

/// The response to a preflight; `None` if `head` is not a preflight.
#[must_use]
pub fn preflight(head: &RequestHead, cors: &Cors) -> Option<Response> {
    let origin = head.header(ORIGIN)?;
    head.header(ACCESS_CONTROL_REQUEST_METHOD)?;
    if head.method() != Method::OPTIONS {
        return None;
    }
    let response = with_cors(Response::empty(StatusCode::NO_CONTENT), head, cors);
    if !cors.origins.contains(origin) {
        return Some(response);
    }
    let response = match cors.extra_headers {
        ExtraHeaders::Listed(_) => response,
        ExtraHeaders::Any => response.with_header(VARY, "Access-Control-Request-Headers"),
    };
    Some(
        response
            .with_header(ACCESS_CONTROL_ALLOW_METHODS, METHODS)
            .with_header(ACCESS_CONTROL_ALLOW_HEADERS, cors.request_headers(head))
            .with_header(ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE_S),
    )
}

/// The response with the headers that let the requesting page read it, if its origin is allowed.
#[must_use]
pub fn with_cors(response: Response, head: &RequestHead, cors: &Cors) -> Response {
    if cors.origins.is_empty() {
        return response;
    }
    // A cache must not reuse the response for another origin.
    let response = response.with_header(VARY, "Origin");
    match head.header(ORIGIN) {
        Some(origin) if cors.origins.contains(origin) && super::is_header_value(origin) => response
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
const RESPONSE_HEADERS: &str = "Accept-Encoding, Accept-Patch, Allow, Content-Length, Location, \
Media-Id, Media-Token, Repr-Digest, Retry-After, Tus-Checksum-Algorithm, Tus-Extension, \
Tus-Max-Size, Tus-Resumable, Tus-Version, Upload-Complete, Upload-Concat, Upload-Defer-Length, \
Upload-Draft-Interop-Version, Upload-Expires, Upload-Incomplete, Upload-Length, Upload-Limit, \
Upload-Metadata, Upload-Offset";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn head(method: Method, headers: &[(&str, &str)]) -> RequestHead {
        RequestHead::new(method, "/v1/files", headers.iter().copied())
    }

    fn cors(origins: &str, headers: &str) -> Cors {
        Cors::parse(origins, headers).unwrap()
    }

    const PREFLIGHT: &[(&str, &str)] = &[
        ("Origin", "https://a.example"),
        ("Access-Control-Request-Method", "PATCH"),
        ("Access-Control-Request-Headers", "x-tenant, not a name,upload-offset"),
    ];

    #[test]
    fn a_preflight_of_an_allowed_origin_succeeds_and_is_cacheable() {
        let cors = cors("https://a.example, https://b.example:8443", "");
        let response = preflight(&head(Method::OPTIONS, PREFLIGHT), &cors).unwrap();
        assert_eq!(response.status, 204);
        assert_eq!(response.header("access-control-allow-origin"), Some("https://a.example"));
        assert_eq!(response.header("access-control-max-age"), Some("86400"));
        assert!(response.header("access-control-allow-headers").unwrap().contains("Upload-Offset"));
        assert_eq!(response.header("vary"), Some("Origin"));
    }

    #[test]
    fn other_origins_are_not_allowed() {
        for list in ["", "https://b.example", "http://a.example"] {
            let response = preflight(&head(Method::OPTIONS, PREFLIGHT), &cors(list, "")).unwrap();
            assert_eq!(response.header("access-control-allow-origin"), None, "{list}");
            assert_eq!(response.header("access-control-allow-methods"), None, "{list}");
        }
    }

    #[test]
    fn a_page_may_send_the_configured_headers_too() {
        let allowed = |headers| {
            let response = preflight(&head(Method::OPTIONS, PREFLIGHT), &cors("*", headers));
            let response = response.unwrap();
            let varies = response.headers.get_all(VARY).iter().count();
            let names = response.header("access-control-allow-headers").unwrap().to_owned();
            (names.split(", ").last().unwrap().to_owned(), varies)
        };
        assert_eq!(allowed(""), ("X-Requested-With".to_owned(), 1));
        assert_eq!(allowed("X-Csrf-Token, X-Tenant"), ("X-Tenant".to_owned(), 1));
        assert_eq!(allowed("*"), ("upload-offset".to_owned(), 2));
        for invalid in ["X Y, b\u{e4}d", "a:b"] {
            let error = Cors::parse("*", invalid).unwrap_err();
            assert!(error.message().contains("cors_headers"), "{error}");
        }
        assert!(Cors::parse("a", "").unwrap_err().message().contains("cors_origins"));
    }

    #[test]
    fn a_response_is_readable_by_the_page_of_the_request() {
        let asked = head(Method::HEAD, &[("Origin", "https://c.example")]);
        let response = with_cors(Response::empty(StatusCode::OK), &asked, &cors("*", ""));
        assert_eq!(response.header("access-control-allow-origin"), Some("https://c.example"));
        let exposed = response.header("access-control-expose-headers").unwrap();
        assert!(exposed.contains("Upload-Offset") && exposed.contains("Media-Id"));
    }

    #[test]
    fn an_options_request_without_an_origin_is_no_preflight() {
        assert_eq!(preflight(&head(Method::OPTIONS, &[]), &Cors::default()), None);
        assert_eq!(preflight(&head(Method::GET, PREFLIGHT), &Cors::default()), None);
    }
}
