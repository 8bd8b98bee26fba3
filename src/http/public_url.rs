//! The URL of the worker as its clients see it: below a path, and behind a proxy.

use ::http::header::{FORWARDED, HOST, LOCATION};

use super::allowed_hosts::is_authority;
use super::base_path::{BasePath, path};
use super::parameters::parameters;
use super::{RequestHead, Response};

/// The start of the worker's URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The URL for the client of `head`. A proxy may remove the base path from the path of the
    /// request. If `trusts_proxy`, the origin and the path are those in `Forwarded` (RFC 7239) or
    /// `X-Forwarded-Proto`, `-Host`, `-Port` and `-Prefix`, as far as they are known and valid.
    #[must_use]
    pub fn new(head: &RequestHead, base_path: &BasePath, trusts_proxy: bool) -> Self {
        if !trusts_proxy {
            return Self(base_path.as_str().to_owned());
        }
        let origin = origin(head).unwrap_or_default();
        let is_below = base_path.strip(head.path()).is_some();
        let base = match first(head, "x-forwarded-prefix").and_then(path) {
            Some(prefix) if is_below => format!("{prefix}{}", base_path.as_str()),
            Some(prefix) => prefix.to_owned(),
            None => base_path.as_str().to_owned(),
        };
        Self(format!("{origin}{base}"))
    }

    /// The response, whose `Location` on this worker is below the URL.
    #[must_use]
    pub fn locate(&self, mut response: Response) -> Response {
        let location = response.header(LOCATION).filter(|location| location.starts_with('/'));
        let Some(location) = location.map(|path| format!("{}{path}", self.0)) else {
            return response;
        };
        response.headers.remove(LOCATION);
        response.with_header(LOCATION, location)
    }
}

/// The origin that the client's request had at the first proxy. `None` unless scheme and host are
/// known.
fn origin(head: &RequestHead) -> Option<String> {
    let forwarded = head.header(FORWARDED).and_then(|value| value.split(',').next());
    let forwarded = forwarded.and_then(parameters).unwrap_or_default();
    let sent = |name: &str| {
        let pair = forwarded.iter().find(|(known, _)| known == name);
        pair.map(|(_, value)| value.as_str())
            .or_else(|| first(head, &format!("x-forwarded-{name}")))
    };
    let scheme = sent("proto")?.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => "443",
        "http" => "80",
        _ => return None,
    };
    let host = sent("host").or_else(|| head.header(HOST)).filter(|host| is_authority(host))?;
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    let port = first(head, "x-forwarded-port")
        .filter(|port| !has_port && *port != default_port && port.parse::<u16>().is_ok());
    Some(match port {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

/// The first element of a list that each proxy appends to.
fn first<'a>(head: &'a RequestHead, name: &str) -> Option<&'a str> {
    let first = head.header(name)?.split(',').next()?.trim();
    (!first.is_empty()).then_some(first)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use ::http::{Method, StatusCode};

    use super::*;

    fn location(target: &str, headers: &[(&str, &str)], base: &str, trusts: bool) -> String {
        let head = RequestHead::new(Method::POST, target, headers.iter().copied());
        let url = PublicUrl::new(&head, &BasePath::parse(base).unwrap(), trusts);
        let response = Response::empty(StatusCode::CREATED).with_header(LOCATION, "/v1/files/a");
        url.locate(response).header(LOCATION).unwrap().to_owned()
    }

    #[test]
    fn a_location_is_below_the_base_path_whether_or_not_a_proxy_removes_it() {
        for (target, base, expected) in [
            ("/v1/files", "/", "/v1/files/a"),
            ("/v1/files", "/up/load/", "/up/load/v1/files/a"),
            ("/up/load/v1/files", "/up/load", "/up/load/v1/files/a"),
        ] {
            assert_eq!(location(target, &[], base, false), expected, "{base}");
        }
    }

    #[test]
    fn a_trusted_proxy_declares_the_origin_and_a_prefix() {
        for (headers, expected) in [
            (&[][..], "/up/v1/files/a"),
            (
                &[("Forwarded", "for=192.0.2.1;proto=HTTPS;host=\"a.example:8443\", proto=http")],
                "https://a.example:8443/up/v1/files/a",
            ),
            (
                &[("X-Forwarded-Proto", "https"), ("Host", "b.example")],
                "https://b.example/up/v1/files/a",
            ),
            (
                &[("X-Forwarded-Proto", "https, http"), ("X-Forwarded-Host", "a.example, b")],
                "https://a.example/up/v1/files/a",
            ),
            (
                &[
                    ("X-Forwarded-Proto", "https"),
                    ("X-Forwarded-Host", "a.example"),
                    ("X-Forwarded-Port", "8443"),
                ],
                "https://a.example:8443/up/v1/files/a",
            ),
            (
                &[
                    ("X-Forwarded-Proto", "http"),
                    ("X-Forwarded-Host", "[::1]"),
                    ("X-Forwarded-Port", "80"),
                ],
                "http://[::1]/up/v1/files/a",
            ),
            (&[("X-Forwarded-Prefix", "/edge/")], "/edge/v1/files/a"),
        ] {
            assert_eq!(location("/v1/files", headers, "/up", true), expected, "{headers:?}");
        }
        let prefix = [("X-Forwarded-Prefix", "/edge")];
        assert_eq!(location("/up/v1/files", &prefix, "/up", true), "/edge/up/v1/files/a");
    }

    #[test]
    fn invalid_and_untrusted_values_are_ignored() {
        for headers in [
            [("X-Forwarded-Proto", "javascript"), ("X-Forwarded-Host", "a.example")],
            [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "a.example/evil?")],
            [("X-Forwarded-Host", "a.example"), ("X-Forwarded-Prefix", "//evil.example")],
            [("Forwarded", "proto=https;host=\"a b\""), ("X-Forwarded-Prefix", "up")],
        ] {
            assert_eq!(location("/v1/files", &headers, "/", true), "/v1/files/a", "{headers:?}");
        }
        let headers = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "a.example")];
        assert_eq!(location("/v1/files", &headers, "/", false), "/v1/files/a");
    }

    #[test]
    fn the_location_of_another_server_is_unchanged() {
        let head = RequestHead::new(Method::POST, "/v1/uploads", [("Host", "a")]);
        let url = PublicUrl::new(&head, &BasePath::parse("/up").unwrap(), false);
        let elsewhere = "https://a.example/done";
        let response = Response::empty(StatusCode::SEE_OTHER).with_header(LOCATION, elsewhere);
        assert_eq!(url.locate(response).header(LOCATION), Some(elsewhere));
    }
}
