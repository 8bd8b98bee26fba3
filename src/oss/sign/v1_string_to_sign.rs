//! V1, step 1: the string to sign.

use http::Method;

use super::canonical_headers::header_lines;
use super::v1_sub_resources::is_sub_resource;

/// The components of a request that V1 signs.
#[derive(Clone, Copy, Debug)]
pub struct V1Parts<'a> {
    /// The method.
    pub method: &'a Method,
    /// The headers, of which `content-md5`, `content-type` and `x-oss-` headers are signed.
    pub headers: &'a [(String, String)],
    /// The date as sent, or the Unix time at which a signed URL expires.
    pub date: &'a str,
    /// The bucket, even if it is not in the path of the URL.
    pub bucket: Option<&'a str>,
    /// The object key, not encoded.
    pub key: Option<&'a str>,
    /// The query, of which the sub-resources are signed.
    pub query: &'a [(String, Option<String>)],
    /// Additional names in the query that are signed.
    pub extra_sub_resources: &'a [&'a str],
}

/// Method, Content-MD5, Content-Type and date, one per line, then the `x-oss-` headers, then the
/// resource.
#[must_use]
pub fn v1_string_to_sign(parts: &V1Parts<'_>) -> String {
    let header = |name: &str| {
        let found = parts.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim()).unwrap_or_default()
    };
    format!(
        "{}\n{}\n{}\n{}\n{}{}",
        parts.method,
        header("content-md5"),
        header("content-type"),
        parts.date,
        header_lines(parts.headers, |name| name.starts_with("x-oss-")),
        canonicalized_resource(parts),
    )
}

/// `/bucket/key?sub-resources`, not encoded.
fn canonicalized_resource(parts: &V1Parts<'_>) -> String {
    let mut resource = match parts.bucket {
        Some(bucket) => format!("/{bucket}/{}", parts.key.unwrap_or_default()),
        None => "/".to_owned(),
    };
    let mut sub_resources: Vec<(&str, &str)> = parts
        .query
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_deref().unwrap_or_default()))
        .filter(|(name, _)| is_sub_resource(name) || parts.extra_sub_resources.contains(name))
        .collect();
    sub_resources.sort_unstable();
    for (index, (name, value)) in sub_resources.into_iter().enumerate() {
        resource.push(if index == 0 { '?' } else { '&' });
        resource.push_str(name);
        if !value.is_empty() {
            resource.push('=');
            resource.push_str(value);
        }
    }
    resource
}
