//! Lists of origins (RFC 6454 §6.2, <https://www.rfc-editor.org/rfc/rfc6454#section-6.2>).

use crate::error::{Error, ErrorKind, Result};

/// Origins that the operator allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// Any origin but `null`.
    any: bool,
    /// The origin of local files and sandboxed frames, which has no name.
    null: bool,
    /// In lower case, without default ports.
    exact: Vec<String>,
    /// The text before and after the name of a subdomain: `https://` and `.example.com`.
    subdomains: Vec<(String, String)>,
}

impl Origins {
    /// The origins in a list such as `https://a.example, https://*.b.example:8443,
    /// capacitor://localhost`. `*` is any origin but `null`, and `https://*.b.example` all
    /// subdomains of `b.example`.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Misconfigured`] with the first entry that is not an origin: scheme,
    /// host and an optional port.
    pub fn parse(list: &str) -> Result<Self> {
        let mut origins = Self::default();
        for origin in list.split([',', ' ']).map(str::trim).filter(|origin| !origin.is_empty()) {
            origins.add(origin).ok_or_else(|| {
                let message = format!("{origin:?} is not an origin such as https://example.com");
                Error::new(ErrorKind::Misconfigured, message)
            })?;
        }
        Ok(origins)
    }

    /// Returns true if `origin` is one of them.
    #[must_use]
    pub fn contains(&self, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        if origin == NULL {
            return self.null;
        }
        let is_subdomain = |(scheme, suffix): &(String, String)| {
            let host = origin.strip_prefix(scheme.as_str());
            let name = host.and_then(|host| host.strip_suffix(suffix.as_str()));
            name.is_some_and(|name| !name.is_empty() && !name.contains(['/', ':', '@']))
        };
        self.any || self.exact.contains(&origin) || self.subdomains.iter().any(is_subdomain)
    }

    /// Returns true if any origin is allowed.
    #[must_use]
    pub const fn has_any(&self) -> bool {
        self.any
    }

    /// Returns true if no origin is allowed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn add(&mut self, origin: &str) -> Option<()> {
        match origin {
            "*" => self.any = true,
            NULL => self.null = true,
            _ => {
                let (scheme, host) = origin.split_once("://")?;
                match host.strip_prefix("*.") {
                    Some(parent) => {
                        let parent = normalized(scheme, parent)?;
                        let start = format!("{}://", scheme.to_ascii_lowercase());
                        let suffix = format!(".{}", parent.strip_prefix(&start)?);
                        self.subdomains.push((start, suffix));
                    }
                    None => self.exact.push(normalized(scheme, host)?),
                }
            }
        }
        Some(())
    }
}

/// An origin as browsers send it. A slash at its end is ignored.
fn normalized(scheme: &str, host: &str) -> Option<String> {
    let host = host.strip_suffix('/').unwrap_or(host);
    if host.is_empty() || host.contains(['/', '?', '#', '@', '*', '\\']) {
        return None;
    }
    let url = url::Url::parse(&format!("{scheme}://{host}")).ok()?;
    url.host_str()?;
    match url.origin() {
        url::Origin::Tuple(..) => Some(url.origin().ascii_serialization()),
        // Apps in a web view and extensions have other schemes.
        url::Origin::Opaque(_) if url.path().is_empty() => {
            Some(format!("{scheme}://{host}").to_ascii_lowercase())
        }
        url::Origin::Opaque(_) => None,
    }
}

/// The origin of a page without one.
const NULL: &str = "null";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use proptest::prelude::*;

    use super::*;

    fn contains(list: &str, origin: &str) -> bool {
        Origins::parse(list).unwrap().contains(origin)
    }

    #[test]
    fn an_origin_is_compared_without_case_and_default_port() {
        for (entry, origin) in [
            ("https://a.example", "https://a.example"),
            ("https://a.example/", "https://a.example"),
            ("HTTPS://A.Example:443", "https://a.example"),
            ("http://localhost:80", "http://localhost"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://b\u{fc}cher.example", "https://xn--bcher-kva.example"),
        ] {
            assert!(contains(entry, origin), "{entry}");
        }
        for origin in ["https://b.example", "http://a.example", "https://a.example:444", "null"] {
            assert!(!contains("https://a.example", origin), "{origin}");
        }
    }

    #[test]
    fn apps_in_a_web_view_and_extensions_have_origins() {
        for origin in [
            "capacitor://localhost",
            "ionic://localhost",
            "tauri://localhost",
            "app://.",
            "chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb",
            "moz-extension://b4f2b0a3-3d1c-4a1c-9b39-0d6d2d8c3a51",
        ] {
            assert!(contains(origin, origin), "{origin}");
            assert!(!contains("https://a.example", origin), "{origin}");
        }
        assert!(!contains("capacitor://localhost", "capacitor://localhost.evil.example"));
    }

    #[test]
    fn a_wildcard_is_every_subdomain() {
        let list = "https://*.a.example, http://*.b.example:8080";
        for origin in ["https://x.a.example", "https://X.y.A.example", "http://x.b.example:8080"] {
            assert!(contains(list, origin), "{origin}");
        }
        for origin in [
            "https://a.example",
            "http://x.a.example",
            "https://x.a.example:8443",
            "https://xa.example",
            "https://x.a.example.evil.example",
            "https://evil.example/.a.example",
            "http://x.b.example",
        ] {
            assert!(!contains(list, origin), "{origin}");
        }
    }

    #[test]
    fn null_is_allowed_only_by_its_name() {
        assert!(!contains("*", "null"));
        assert!(contains("*", "https://a.example"));
        assert!(contains("*, null", "null"));
        assert!(!contains("null", "https://a.example"));
    }

    #[test]
    fn anything_but_an_origin_is_rejected() {
        for list in [
            "example.com",
            "https://a.example/path",
            "https://user@a.example",
            "https://a.*.example",
            "https://*",
            "https://*.",
            "https://",
            "://a.example",
            "1a://b",
            "capacitor://localhost/index.html",
            "data:text/plain",
        ] {
            let error = Origins::parse(list).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misconfigured, "{list}");
        }
    }

    proptest! {
        #[test]
        fn comparing_never_panics(origin: String) {
            let _ = contains("https://*.a.example, capacitor://localhost", &origin);
            let _ = Origins::parse(&origin);
        }
    }
}
