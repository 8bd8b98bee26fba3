//! A bucket at its endpoint: the URLs of its objects and the region of its signatures.

use std::fmt::Write as _;

use url::Url;

use super::{SignatureVersion, endpoint};
use crate::error::{Error, ErrorKind, Result};
use crate::percent::{encode_component, encode_path};

/// The properties of a bucket that do not follow from its endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BucketOptions {
    /// Whether the endpoint is a custom domain of the bucket. URLs then contain the bucket neither
    /// in the host nor in the path.
    pub cname: bool,
    /// The bucket's region, such as `cn-shanghai`. If `None`, the endpoint's host determines it.
    pub region: Option<String>,
    /// The signature version; V4 by default.
    pub signature_version: SignatureVersion,
}

/// A bucket at its endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    name: String,
    endpoint: String,
    /// The prefix of object URLs: the bucket's host, or its directory at the endpoint.
    base: Url,
    region: Option<String>,
    cname: bool,
    signature_version: SignatureVersion,
}

impl Bucket {
    /// Creates the bucket `name` at `endpoint`. An endpoint without a scheme uses https.
    ///
    /// Object URLs contain the bucket in the host (`https://name.oss-cn-shanghai.aliyuncs.com/key`),
    /// in the path if the host is an IP address or `localhost`, or not at all with
    /// [`BucketOptions::cname`].
    ///
    /// # Errors
    /// Returns [`ErrorKind::CredentialInvalid`], because endpoint and bucket are part of the
    /// UploadAddress, if
    /// - the endpoint is more than a scheme, a host and a port,
    /// - the name is not 3 to 63 of `a-z 0-9 -` without a hyphen at either end, or
    /// - V4 requires a region, and neither the options nor the host contain one (accelerate and
    ///   custom domains, IP addresses).
    pub fn new(endpoint: &str, name: &str, options: BucketOptions) -> Result<Self> {
        check_bucket_name(name)?;
        let url = endpoint::parse(endpoint)?;
        let region = match options.region.as_deref().filter(|region| !region.is_empty()) {
            Some(region) => Some(endpoint::valid_region(region).ok_or_else(|| {
                invalid("the region has characters other than lower-case letters, digits and '-'")
            })?),
            None => endpoint::region(&url),
        };
        if region.is_none() && options.signature_version == SignatureVersion::V4 {
            return Err(invalid(
                "a V4 signature requires the bucket's region, and neither UploadAuth (Region), \
                 the configuration nor the endpoint's host contains it",
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            endpoint: url.origin().ascii_serialization(),
            base: base_url(url, name, options.cname)?,
            region,
            cname: options.cname,
            signature_version: options.signature_version,
        })
    }

    /// The bucket's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The endpoint with its scheme and without a path. [`Bucket::new`] creates the same bucket
    /// from it, [`name`](Self::name) and [`options`](Self::options).
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The region of the signatures; always known for V4.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The signature version of the requests.
    #[must_use]
    pub const fn signature_version(&self) -> SignatureVersion {
        self.signature_version
    }

    /// The options from which [`Bucket::new`] creates this bucket.
    #[must_use]
    pub fn options(&self) -> BucketOptions {
        BucketOptions {
            cname: self.cname,
            region: self.region.clone(),
            signature_version: self.signature_version,
        }
    }

    /// The URL of an object. It encodes key and query. A parameter without a value is a bare name.
    ///
    /// The key must be valid according to
    /// [`check_object_key`](crate::credential::check_object_key).
    #[must_use]
    pub fn object_url(&self, key: &str, query: &[(&str, Option<&str>)]) -> Url {
        let mut url = self.base.clone();
        let directory = self.base.path().trim_end_matches('/');
        url.set_path(&format!("{directory}/{}", encode_path(key)));
        url.set_query(encoded_query(query).as_deref());
        url
    }
}

fn check_bucket_name(name: &str) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let valid = BUCKET_CHARS.contains(&name.len())
        && name.bytes().all(allowed)
        && !name.starts_with('-')
        && !name.ends_with('-');
    if valid {
        Ok(())
    } else {
        Err(invalid(
            "the bucket name (Bucket) is not 3 to 63 lower-case letters, digits and inner hyphens",
        ))
    }
}

fn base_url(mut endpoint: Url, bucket: &str, cname: bool) -> Result<Url> {
    if cname {
        return Ok(endpoint);
    }
    if endpoint::needs_path_style(&endpoint) {
        endpoint.set_path(&format!("/{bucket}/"));
        return Ok(endpoint);
    }
    let host = format!("{bucket}.{}", endpoint.host_str().unwrap_or_default());
    endpoint
        .set_host(Some(&host))
        .map_err(|_| invalid("the bucket name and the endpoint do not form a host name"))?;
    Ok(endpoint)
}

fn encoded_query(query: &[(&str, Option<&str>)]) -> Option<String> {
    let mut encoded = String::new();
    for (name, value) in query {
        if !encoded.is_empty() {
            encoded.push('&');
        }
        // Writing to a String cannot fail.
        let _ = write!(encoded, "{}", encode_component(name));
        if let Some(value) = value {
            let _ = write!(encoded, "={}", encode_component(value));
        }
    }
    (!encoded.is_empty()).then_some(encoded)
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::CredentialInvalid, message)
}

const BUCKET_CHARS: std::ops::RangeInclusive<usize> = 3..=63;

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
    fn the_bucket_is_in_the_host() {
        let bucket = bucket("https://oss-cn-shanghai.aliyuncs.com", BucketOptions::default());
        assert_eq!(
            bucket.object_url("sv/a b+c.mp4", &[("uploads", None)]).as_str(),
            "https://outin-1.oss-cn-shanghai.aliyuncs.com/sv/a%20b%2Bc.mp4?uploads"
        );
        assert_eq!(bucket.region(), Some("cn-shanghai"));
        assert_eq!(bucket.endpoint(), "https://oss-cn-shanghai.aliyuncs.com");
    }

    #[test]
    fn the_bucket_is_in_the_path_if_the_host_is_an_ip_address_or_localhost() {
        for host in ["127.0.0.1:9000", "localhost:9000", "[::1]:9000"] {
            let bucket = bucket(&format!("http://{host}"), in_region("cn-shanghai"));
            assert_eq!(
                bucket.object_url("a/b", &[("partNumber", Some("3"))]).as_str(),
                format!("http://{host}/outin-1/a/b?partNumber=3")
            );
        }
    }

    #[test]
    fn a_custom_domain_replaces_the_bucket() {
        let options = BucketOptions { cname: true, ..in_region("cn-shanghai") };
        let bucket = bucket("media.example.com", options);
        assert_eq!(bucket.object_url("a", &[]).as_str(), "https://media.example.com/a");
    }

    #[test]
    fn http_is_used_only_if_the_endpoint_specifies_it() {
        for (endpoint, expected) in [
            ("oss-cn-shanghai.aliyuncs.com", "https://outin-1.oss-cn-shanghai.aliyuncs.com/a"),
            (
                "http://oss-cn-shanghai.aliyuncs.com",
                "http://outin-1.oss-cn-shanghai.aliyuncs.com/a",
            ),
        ] {
            let bucket = bucket(endpoint, BucketOptions::default());
            assert_eq!(bucket.object_url("a", &[]).as_str(), expected);
        }
    }

    #[test]
    fn keys_and_queries_are_encoded_once_and_completely() {
        let bucket = bucket("oss-cn-shanghai.aliyuncs.com", BucketOptions::default());
        let url =
            bucket.object_url("é%2F?#'\\\u{1}~", &[("a+b", Some("'/&=#\n")), ("e", Some(""))]);
        assert_eq!(url.path(), "/%C3%A9%252F%3F%23%27%5C%01~");
        assert_eq!(url.query(), Some("a%2Bb=%27%2F%26%3D%23%0A&e="));
    }

    #[test]
    fn the_configured_region_takes_precedence_without_its_prefix() {
        let bucket = bucket("oss-cn-shanghai.aliyuncs.com", in_region("oss-cn-beijing"));
        assert_eq!(bucket.region(), Some("cn-beijing"));
    }

    #[test]
    fn v4_requires_a_region_and_v1_does_not() {
        for endpoint in ["oss-accelerate.aliyuncs.com", "http://127.0.0.1:9000", "a.example.com"] {
            let error = Bucket::new(endpoint, "outin-1", BucketOptions::default()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::CredentialInvalid);
            assert!(error.message().contains("region"), "{error}");
            let options =
                BucketOptions { signature_version: SignatureVersion::V1, ..Default::default() };
            assert_eq!(bucket(endpoint, options).region(), None);
        }
    }

    #[test]
    fn invalid_names_are_rejected() {
        let long = "b".repeat(64);
        for name in ["", "ab", &long, "-abc", "abc-", "Abc", "a_c", "a.c", "a/c"] {
            let error =
                Bucket::new("oss-cn-shanghai.aliyuncs.com", name, Default::default()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::CredentialInvalid, "{name}");
        }
    }

    #[test]
    fn a_bucket_round_trips_through_its_options() {
        for endpoint in ["http://localhost:9000", "https://oss-cn-shanghai.aliyuncs.com:8443"] {
            let made = bucket(endpoint, in_region("cn-shanghai"));
            let again = Bucket::new(made.endpoint(), made.name(), made.options()).unwrap();
            assert_eq!(again, made);
        }
    }

    fn bucket(endpoint: &str, options: BucketOptions) -> Bucket {
        Bucket::new(endpoint, "outin-1", options).unwrap()
    }

    fn in_region(region: &str) -> BucketOptions {
        BucketOptions { region: Some(region.to_owned()), ..BucketOptions::default() }
    }
}
