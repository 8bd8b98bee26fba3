//! Which credentials of clients the worker uses.
//!
//! An UploadAddress contains the endpoint to which the worker sends the bytes. The policy restricts
//! it to OSS and to one origin of the operator, regardless of what the host allows.

use url::Url;

use super::endpoint;
use crate::credential::UploadCredential;
use crate::error::{Error, ErrorKind, Result};

/// Which credentials of clients the worker uses; by default none.
#[derive(Clone, Debug, Default)]
pub struct CredentialPolicy {
    accepts_credentials: bool,
    origin: Option<OriginPattern>,
}

/// An origin as in `allowed_outbound_hosts` of a Spin manifest
/// (<https://spinframework.dev/v3/http-outbound>): `https://*.example.com`, `http://127.0.0.1:*`.
#[derive(Clone, Debug)]
struct OriginPattern {
    /// `None`: any.
    scheme: Option<String>,
    /// In lower case. If it starts with `*.`, any subdomain.
    host: String,
    /// `None`: the default port of the scheme.
    port: Option<PortPattern>,
}

#[derive(Clone, Copy, Debug)]
enum PortPattern {
    Any,
    Only(u16),
}

impl CredentialPolicy {
    /// Accepts credentials if `accepts_credentials`, for the endpoints of OSS and of
    /// `store_origin`, which may be empty.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Misconfigured`] if `store_origin` is not an origin.
    pub fn new(accepts_credentials: bool, store_origin: &str) -> Result<Self> {
        let origin = match store_origin {
            "" => None,
            origin => Some(OriginPattern::parse(origin).ok_or_else(|| {
                let message = "it must be an origin such as https://media.example.com";
                Error::new(ErrorKind::Misconfigured, message)
            })?),
        };
        Ok(Self { accepts_credentials, origin })
    }

    /// Checks that credentials are accepted.
    ///
    /// # Errors
    /// Returns [`ErrorKind::ClientCredentialsOff`] if not.
    pub fn check_accepted(&self) -> Result<()> {
        if self.accepts_credentials {
            return Ok(());
        }
        let message = "the worker accepts no credentials of clients";
        Err(Error::new(ErrorKind::ClientCredentialsOff, message))
    }

    /// Checks that the worker may send a request with `credential`.
    ///
    /// # Errors
    /// Returns [`ErrorKind::ClientCredentialsOff`], [`ErrorKind::EndpointNotAllowed`] if its
    /// endpoint is neither one of OSS nor of the configured origin, and
    /// [`ErrorKind::CredentialInvalid`] if it is not an endpoint.
    pub fn check(&self, credential: &UploadCredential) -> Result<()> {
        self.check_accepted()?;
        let endpoint = endpoint::parse(&credential.address.endpoint)?;
        let is_configured = |origin: &OriginPattern| origin.contains(&endpoint);
        if endpoint::is_oss(&endpoint) || self.origin.as_ref().is_some_and(is_configured) {
            return Ok(());
        }
        let message = "the endpoint (Endpoint) is neither one of OSS nor of store_origin";
        Err(Error::new(ErrorKind::EndpointNotAllowed, message))
    }
}

impl OriginPattern {
    fn parse(origin: &str) -> Option<Self> {
        let (scheme, authority) = origin.trim_end_matches('/').split_once("://")?;
        let scheme = match scheme {
            "*" => None,
            "http" | "https" => Some(scheme.to_owned()),
            _ => return None,
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let port = match port {
            None => None,
            Some("*") => Some(PortPattern::Any),
            Some(port) => Some(PortPattern::Only(port.parse().ok()?)),
        };
        // Also an address or a name with characters that the host of no URL has.
        Url::parse(&format!("https://{}/", host.strip_prefix("*.").unwrap_or(host))).ok()?;
        let is_host = !host.is_empty() && !host.contains(['/', '@', '?', '#']) && host != "*";
        let is_plain = !host.trim_start_matches("*.").contains('*');
        (is_host && is_plain).then(|| Self { scheme, host: host.to_ascii_lowercase(), port })
    }

    fn contains(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let is_host = match self.host.strip_prefix('*') {
            Some(parent) => host.ends_with(parent) && host.len() > parent.len(),
            None => host == self.host,
        };
        let is_port = match self.port {
            None => url.port().is_none(),
            Some(PortPattern::Any) => true,
            Some(PortPattern::Only(port)) => url.port_or_known_default() == Some(port),
        };
        is_host && is_port && self.scheme.as_ref().is_none_or(|scheme| scheme == url.scheme())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;
    use crate::credential::{Secret, UploadAddress};

    fn check(policy: &CredentialPolicy, endpoint: &str) -> Option<ErrorKind> {
        let address = UploadAddress {
            endpoint: endpoint.to_owned(),
            bucket: "bucket".to_owned(),
            object: "a.mp4".to_owned(),
        };
        let credential = UploadCredential::from_access_key(
            address,
            "id".to_owned(),
            Secret::new("secret"),
            None,
            None,
        );
        policy.check(&credential).err().map(|error| error.kind())
    }

    #[test]
    fn endpoints_of_oss_are_allowed_and_all_others_are_not() {
        let policy = CredentialPolicy::new(true, "").unwrap();
        for endpoint in [
            "https://oss-cn-shanghai.aliyuncs.com",
            "http://oss-ap-southeast-1-internal.aliyuncs.com",
            "OSS-accelerate.aliyuncs.com",
            "cn-hangzhou.oss.aliyuncs.com",
        ] {
            assert_eq!(check(&policy, endpoint), None, "{endpoint}");
        }
        for endpoint in [
            "https://evil.example",
            "https://oss-cn-shanghai.aliyuncs.com.evil.example",
            "https://vod.cn-shanghai.aliyuncs.com",
            "https://oss-cn-shanghai.aliyuncs.com:8443",
            "https://evil.oss-cn-shanghai.aliyuncs.com",
            "http://127.0.0.1",
            "http://127.1:80",
            "http://[::1]",
            "http://[::ffff:10.0.0.1]",
            "http://10.0.0.1",
            "http://192.168.1.1",
            "http://169.254.169.254",
            "http://100.100.100.200",
            "http://2852039166",
            "localhost:9000",
        ] {
            assert_eq!(check(&policy, endpoint), Some(ErrorKind::EndpointNotAllowed), "{endpoint}");
        }
        let invalid = "https://user@oss-cn-shanghai.aliyuncs.com";
        assert_eq!(check(&policy, invalid), Some(ErrorKind::CredentialInvalid));
    }

    #[test]
    fn the_configured_origin_is_allowed_beside_oss() {
        for (origin, allowed, rejected) in [
            ("https://media.example.com", "https://Media.example.com", "http://media.example.com"),
            ("https://media.example.com", "media.example.com", "https://media.example.com:8443"),
            ("https://*.example.com", "https://a.b.example.com", "https://example.com"),
            ("https://*.example.com", "https://a.example.com", "https://aexample.com"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000", "http://127.0.0.1:9001"),
            ("http://127.0.0.1:*/", "http://127.0.0.1:9001", "http://127.0.0.2:9001"),
            ("*://[::1]:9000", "http://[::1]:9000", "http://[::2]:9000"),
        ] {
            let policy = CredentialPolicy::new(true, origin).unwrap();
            assert_eq!(check(&policy, allowed), None, "{origin} {allowed}");
            let refused = check(&policy, rejected);
            assert_eq!(refused, Some(ErrorKind::EndpointNotAllowed), "{origin} {rejected}");
            assert_eq!(check(&policy, "oss-cn-shanghai.aliyuncs.com"), None);
        }
    }

    #[test]
    fn an_origin_of_any_host_is_rejected() {
        for origin in [
            "https://*",
            "*",
            "media.example.com",
            "ftp://a.example",
            "https://",
            "https://a.example/path",
            "https://a.*.example",
            "https://a.example:port",
            "https://user@a.example",
        ] {
            let error = CredentialPolicy::new(true, origin).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misconfigured, "{origin}");
        }
    }

    #[test]
    fn a_worker_that_accepts_no_credentials_rejects_all() {
        let policy = CredentialPolicy::new(false, "").unwrap();
        let refused = check(&policy, "oss-cn-shanghai.aliyuncs.com");
        assert_eq!(refused, Some(ErrorKind::ClientCredentialsOff));
    }
}
