//! The hosts that a request may be for. A page cannot reach a local worker by DNS rebinding if the
//! worker accepts only the names of its machine: the browser sends the name of the page's server in
//! `Host` (RFC 9110 §7.2).

use ::http::header::HOST;

use super::RequestHead;
use crate::error::{Error, ErrorKind, Result};

/// The hosts that the operator allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts {
    /// In lower case; empty: any host.
    hosts: Vec<String>,
}

impl AllowedHosts {
    /// The hosts in a list such as `localhost, [::1], *.example.com, a.example:8443`. Without a
    /// port, any port is allowed; `*.example.com` is all subdomains of `example.com`. An empty list
    /// and `*` allow any host.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Misconfigured`] with the first entry that is not a host.
    pub fn parse(list: &str) -> Result<Self> {
        let entries = list.split([',', ' ']).map(str::trim).filter(|host| !host.is_empty());
        let hosts: Vec<_> = entries.map(str::to_ascii_lowercase).collect();
        if hosts.iter().any(|host| host == "*") {
            return Ok(Self::default());
        }
        for host in &hosts {
            if !is_authority(host.strip_prefix("*.").unwrap_or(host)) {
                let message = format!("{host:?} is not a host such as example.com");
                return Err(Error::new(ErrorKind::Misconfigured, message));
            }
        }
        Ok(Self { hosts })
    }

    /// Checks that the request is for one of them.
    ///
    /// # Errors
    /// Returns [`ErrorKind::HostNotAllowed`] if not.
    pub fn check(&self, head: &RequestHead) -> Result<()> {
        let host = head.header(HOST).unwrap_or_default().to_ascii_lowercase();
        let allows = |allowed: &String| matches(allowed, &host) || matches(allowed, name(&host));
        if self.hosts.is_empty() || self.hosts.iter().any(allows) {
            return Ok(());
        }
        let message = "the Host of the request is not in allowed_hosts";
        Err(Error::new(ErrorKind::HostNotAllowed, message))
    }
}

fn matches(allowed: &str, host: &str) -> bool {
    match allowed.strip_prefix("*.") {
        Some(parent) => host.strip_suffix(parent).is_some_and(|name| name.ends_with('.')),
        None => allowed == host,
    }
}

/// The host without its port.
fn name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Returns true if `text` is a host with an optional port, in characters of RFC 3986 §3.2 that
/// hosts have in practice.
pub(super) fn is_authority(text: &str) -> bool {
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    !text.is_empty() && text.bytes().all(is_valid)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use ::http::Method;

    use super::*;

    fn allows(list: &str, host: Option<&str>) -> bool {
        let head = RequestHead::new(Method::GET, "/", host.map(|host| ("Host", host)));
        AllowedHosts::parse(list).unwrap().check(&head).is_ok()
    }

    #[test]
    fn only_listed_hosts_are_allowed() {
        let list = "localhost, 127.0.0.1, [::1], *.Example.com, a.example:8443";
        for host in [
            "localhost",
            "LOCALHOST:3000",
            "127.0.0.1:3000",
            "[::1]:3000",
            "[::1]",
            "x.y.example.com",
            "a.example:8443",
        ] {
            assert!(allows(list, Some(host)), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "example.com",
            "xexample.com",
            "a.example",
            "",
        ] {
            assert!(!allows(list, Some(host)), "{host:?}");
        }
        assert!(!allows(list, None));
    }

    #[test]
    fn an_empty_list_allows_any_host() {
        for list in ["", " ", "*", "localhost, *"] {
            assert!(allows(list, Some("any.example")) && allows(list, None), "{list:?}");
        }
    }

    #[test]
    fn anything_but_a_host_is_rejected() {
        for list in ["https://a.example", "a.example/path", "a.*.example", "a@b"] {
            let error = AllowedHosts::parse(list).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misconfigured, "{list}");
        }
    }
}
