//! Headers and query parameters that contain secrets.

use url::Url;

/// Returns true if the value of the header is secret.
pub(super) fn is_secret_header(name: &str) -> bool {
    SECRET_HEADERS.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

/// The URL without user information and with secret query values redacted.
pub(super) fn redacted_url(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let mut shown = format!("{}://{host}{port}{}", url.scheme(), url.path());
    for (index, pair) in url.query().into_iter().flat_map(|query| query.split('&')).enumerate() {
        shown.push(if index == 0 { '?' } else { '&' });
        match pair.split_once('=') {
            Some((name, _)) if is_secret_query(name) => {
                shown.push_str(name);
                shown.push_str("=[redacted]");
            }
            _ => shown.push_str(pair),
        }
    }
    shown
}

fn is_secret_query(name: &str) -> bool {
    SECRET_QUERIES.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

const SECRET_HEADERS: &[&str] =
    &["authorization", "x-oss-security-token", "cookie", "set-cookie", "proxy-authorization"];

const SECRET_QUERIES: &[&str] = &[
    "Signature",
    "OSSAccessKeyId",
    "security-token",
    "x-oss-signature",
    "x-oss-credential",
    "x-oss-security-token",
    "AccessKeyId",
    "SecurityToken",
];
