//! OSS endpoints: scheme, host, and the region in the host.
//!
//! <https://www.alibabacloud.com/help/en/oss/user-guide/regions-and-endpoints>

use url::{Host, Url};

use crate::error::{Error, ErrorKind, Result};

/// Parses an endpoint: a host and optionally a scheme (default: https) and a port.
pub(super) fn parse(endpoint: &str) -> Result<Url> {
    let text = endpoint.trim();
    let with_scheme =
        if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = Url::parse(&with_scheme).map_err(|_| invalid("is not a host name or a URL"))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(invalid("has a scheme other than https and http"));
    }
    let only_a_host = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !only_a_host || url.host().is_none() {
        return Err(invalid("has more than a scheme, a host and a port"));
    }
    Ok(url)
}

/// Returns true if the host is an endpoint of OSS, at the default port.
pub(super) fn is_oss(endpoint: &Url) -> bool {
    endpoint.port().is_none() && (region(endpoint).is_some() || is_accelerate(endpoint))
}

fn is_accelerate(endpoint: &Url) -> bool {
    let label = endpoint.domain().and_then(|domain| domain.strip_suffix(".aliyuncs.com"));
    matches!(label, Some("oss-accelerate" | "oss-accelerate-overseas"))
}

/// Returns true if the host cannot have subdomains, so that the path must contain the bucket.
pub(super) fn needs_path_style(endpoint: &Url) -> bool {
    match endpoint.host() {
        Some(Host::Domain(domain)) => domain == "localhost",
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        None => false,
    }
}

/// The region in the host, without the `oss-` prefix; `None` for accelerate and custom domains.
pub(super) fn region(endpoint: &Url) -> Option<String> {
    let label = endpoint.domain()?.strip_suffix(".aliyuncs.com")?;
    if let Some(region) = label.strip_suffix(".oss") {
        return valid_region(region);
    }
    let label = label.strip_suffix("-internal").unwrap_or(label);
    if label == "oss" {
        return Some(DEFAULT_REGION.to_owned());
    }
    valid_region(label.strip_prefix("oss-").filter(|_| !is_accelerate(endpoint))?)
}

/// A region ID as in signatures: `cn-hangzhou` for both `cn-hangzhou` and `oss-cn-hangzhou`.
pub(super) fn valid_region(region: &str) -> Option<String> {
    let id = region.strip_prefix("oss-").unwrap_or(region);
    let valid = !id.is_empty()
        && id
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    valid.then(|| id.to_owned())
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::CredentialInvalid, format!("the OSS endpoint (Endpoint) {what}"))
}

/// `oss.aliyuncs.com` is an old name of the Hangzhou endpoint.
const DEFAULT_REGION: &str = "cn-hangzhou";

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a failed assumption fails the test"
    )]

    use super::*;

    #[test]
    fn the_host_determines_the_region() {
        for (host, expected) in [
            ("oss-cn-shanghai.aliyuncs.com", Some("cn-shanghai")),
            ("https://oss-cn-shanghai.aliyuncs.com", Some("cn-shanghai")),
            ("oss-ap-southeast-1-internal.aliyuncs.com", Some("ap-southeast-1")),
            ("cn-hangzhou.oss.aliyuncs.com", Some("cn-hangzhou")),
            ("oss.aliyuncs.com", Some("cn-hangzhou")),
            ("oss-internal.aliyuncs.com", Some("cn-hangzhou")),
            ("OSS-CN-Shanghai.aliyuncs.com", Some("cn-shanghai")),
            ("oss-accelerate.aliyuncs.com", None),
            ("oss-accelerate-overseas.aliyuncs.com", None),
            ("media.example.com", None),
            ("oss-cn-shanghai.aliyuncs.com.example.com", None),
            ("localhost:9000", None),
            ("127.0.0.1:9000", None),
        ] {
            assert_eq!(region(&parse(host).unwrap()).as_deref(), expected, "{host}");
        }
    }

    #[test]
    fn only_a_host_and_a_port_are_accepted() {
        for endpoint in [
            "",
            "http://",
            "ftp://a.com",
            "https://a.com/b",
            "https://u:p@a.com",
            "https://a.com?x",
            "https://a.com#x",
            "a b",
            "https://[::1",
            "::",
        ] {
            let error = parse(endpoint).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::CredentialInvalid, "{endpoint}");
        }
        assert!(parse(" http://[::1]:80/ ").is_ok());
    }
}
