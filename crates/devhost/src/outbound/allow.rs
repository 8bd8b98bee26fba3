//! The origins a component may send requests to: `allowed_outbound_hosts`, in Spin's syntax
//! `<scheme>://<host>[:<port>]` with `*` for any scheme, host, leading labels or port, a CIDR
//! block as the host and `first..end` (end excluded) as the port.
//!
//! The rules: <https://spinframework.dev/v3/http-outbound#granting-http-permissions-to-components>.

use std::net::IpAddr;
use std::ops::Range;

use http::Uri;
use ipnet::IpNet;

/// The origins that one component may send requests to.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllowedHosts(Vec<AllowedOrigin>);

impl AllowedHosts {
    /// Adds an entry, given as written and with its templates expanded.
    ///
    /// # Errors
    /// Returns an error if the entry is not in Spin's syntax. The error contains it as written: an
    /// expanded template may contain a secret.
    pub(crate) fn add(&mut self, written: &str, expanded: &str) -> Result<(), AllowedHostError> {
        let origin = AllowedOrigin::parse(expanded)
            .map_err(|reason| AllowedHostError { entry: written.to_owned(), reason })?;
        self.0.push(origin);
        Ok(())
    }

    /// Returns true if a request to this absolute URL is allowed.
    pub(crate) fn allow(&self, url: &Uri) -> bool {
        let (Some(scheme), Some(host)) = (url.scheme_str(), url.host()) else {
            return false;
        };
        let Some(port) = url.port_u16().or_else(|| default_port(scheme)) else {
            return false;
        };
        self.0.iter().any(|origin| origin.allows(scheme, host, port))
    }
}

/// An invalid entry.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "allowed outbound host {entry:?}: {reason}; write <scheme>://<host>[:<port>], \
     such as https://*.aliyuncs.com or http://127.0.0.1:9000"
)]
pub(crate) struct AllowedHostError {
    entry: String,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct AllowedOrigin {
    /// `None` is any scheme.
    scheme: Option<String>,
    host: Host,
    /// `None` is any port.
    ports: Option<Range<u32>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Any,
    /// Any name with this suffix, which starts with a dot.
    Below(String),
    Exactly(String),
    Block(IpNet),
}

impl AllowedOrigin {
    fn parse(entry: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = entry.trim().split_once("://").ok_or("it has no scheme")?;
        if scheme != "*" && (scheme.is_empty() || !scheme.bytes().all(|b| b.is_ascii_alphabetic()))
        {
            return Err("its scheme is not a word or *");
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = split_port(rest);
        let ports = match port {
            Some("*") => None,
            Some(port) => {
                Some(parse_ports(port).ok_or("its port is not a number, a range first..end or *")?)
            }
            None => {
                let port = default_port(scheme)
                    .ok_or("its scheme has no default port, so a port is required")?;
                Some(u32::from(port)..u32::from(port) + 1)
            }
        };
        Ok(Self {
            scheme: (scheme != "*").then(|| scheme.to_ascii_lowercase()),
            host: Host::parse(host)?,
            ports,
        })
    }

    fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.scheme.as_deref().is_none_or(|allowed| allowed.eq_ignore_ascii_case(scheme))
            && self.host.allows(host)
            && self.ports.as_ref().is_none_or(|ports| ports.contains(&u32::from(port)))
    }
}

impl Host {
    fn parse(host: &str) -> Result<Self, &'static str> {
        if host == "*" {
            return Ok(Self::Any);
        }
        if host == "self" || host.ends_with(".spin.internal") {
            return Err("calls between components of an application are not supported");
        }
        if let Ok(block) = host.parse::<IpNet>() {
            return Ok(Self::Block(block));
        }
        if host.is_empty() || host.contains('/') {
            return Err("it has no host, or a path after it");
        }
        let host = host.to_ascii_lowercase();
        match host.strip_prefix('*') {
            Some(suffix) if suffix.starts_with('.') && !suffix.contains('*') => {
                Ok(Self::Below(suffix.to_owned()))
            }
            None if !host.contains('*') => Ok(Self::Exactly(host)),
            _ => Err("a * in its host can only stand for all leading labels"),
        }
    }

    fn allows(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        match self {
            Self::Any => true,
            Self::Below(suffix) => host.ends_with(suffix),
            Self::Exactly(allowed) => *allowed == host,
            Self::Block(block) => {
                let address = host.trim_start_matches('[').trim_end_matches(']');
                address.parse::<IpAddr>().is_ok_and(|address| block.contains(&address))
            }
        }
    }
}

/// Splits at the colon of the port; a colon inside the brackets of an IPv6 address is none.
fn split_port(host_and_port: &str) -> (&str, Option<&str>) {
    match host_and_port.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (host_and_port, None),
    }
}

fn parse_ports(port: &str) -> Option<Range<u32>> {
    match port.split_once("..") {
        Some((first, end)) => {
            Some(u32::from(first.parse::<u16>().ok()?)..u32::from(end.parse::<u16>().ok()?))
        }
        None => {
            let port = u32::from(port.parse::<u16>().ok()?);
            Some(port..port + 1)
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn allowed(entry: &str) -> Result<AllowedHosts, AllowedHostError> {
        let mut hosts = AllowedHosts::default();
        hosts.add(entry, entry).map(|()| hosts)
    }

    #[test]
    fn each_entry_allows_only_matching_urls() {
        let cases = [
            ("https://*.aliyuncs.com", "https://oss-cn-shanghai.aliyuncs.com/a?b", true),
            ("https://*.aliyuncs.com", "https://b.oss-cn-shanghai.aliyuncs.com:443/", true),
            ("https://*.aliyuncs.com", "https://B.OSS.ALIYUNCS.COM/", true),
            ("https://*.aliyuncs.com", "https://aliyuncs.com/", false),
            ("https://*.aliyuncs.com", "https://evilaliyuncs.com/", false),
            ("https://*.aliyuncs.com", "https://aliyuncs.com.evil.example/", false),
            ("https://*.aliyuncs.com", "http://oss.aliyuncs.com/", false),
            ("https://*.aliyuncs.com", "https://oss.aliyuncs.com:8443/", false),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000/x", true),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9001/x", false),
            ("http://127.0.0.1:9000", "http://localhost:9000/x", false),
            ("http://127.0.0.1:*", "http://127.0.0.1:1/", true),
            ("http://127.0.0.1:*", "https://127.0.0.1:1/", false),
            ("http://localhost:9000..9002", "http://localhost:9001/", true),
            ("http://localhost:9000..9002", "http://localhost:9002/", false),
            ("http://10.0.0.0/8", "http://10.1.2.3/", true),
            ("http://10.0.0.0/8", "http://11.1.2.3/", false),
            ("http://10.0.0.0/8", "http://ten.example/", false),
            ("http://[::1]:9000", "http://[::1]:9000/", true),
            ("http://example.com/", "http://example.com/", true),
            ("*://example.com:80", "http://example.com/", true),
            ("*://*:*", "https://anything.example:1234/", true),
        ];
        for (entry, url, expected) in cases {
            let hosts = allowed(entry).unwrap();
            let url: Uri = url.parse().unwrap();
            assert_eq!(hosts.allow(&url), expected, "{entry} {url}");
        }
    }

    #[test]
    fn an_empty_list_allows_nothing() {
        let hosts = AllowedHosts::default();
        assert!(!hosts.allow(&Uri::from_static("https://example.com/")));
    }

    #[test]
    fn a_user_name_in_the_url_is_not_treated_as_the_host() {
        let hosts = allowed("https://good.example").unwrap();
        assert!(!hosts.allow(&Uri::from_static("https://good.example@evil.example/")));
    }

    #[test]
    fn an_invalid_entry_is_rejected_with_its_text() {
        for entry in [
            "",
            "*",
            "example.com",
            "://example.com",
            "*://example.com",
            "https://",
            "https://example.com/path",
            "https://a.*.example",
            "https://*example",
            "https://example.com:port",
            "https://example.com:99999",
            "http://self",
            "http://other.spin.internal",
        ] {
            let error = allowed(entry).unwrap_err();
            assert!(error.to_string().contains(&format!("{entry:?}")), "{error}");
        }
    }

    #[test]
    fn an_error_contains_the_template_but_not_its_expansion() {
        let error = AllowedHosts::default().add("{{ token }}", "top-secret").unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("{{ token }}") && !shown.contains("top-secret"), "{shown}");
    }
}
