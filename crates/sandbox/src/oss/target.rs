//! The bucket and key that a request addresses: by virtual host, by path, or by a bound domain.

use std::collections::HashMap;
use std::net::IpAddr;

use super::error::{Code, OssError};
use crate::http::RequestHead;

/// The bucket and key of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// `None` at service level.
    pub(crate) bucket: Option<String>,
    /// `None` at bucket level.
    pub(crate) key: Option<String>,
}

impl Target {
    /// Determines bucket and key.
    ///
    /// `bound_domains` maps host names to buckets, like CNAME bindings. Path style is accepted only
    /// for IP addresses and `localhost`: OSS rejects it for a service domain.
    pub(crate) fn locate(
        head: &RequestHead,
        bound_domains: &HashMap<String, String>,
    ) -> Result<Self, OssError> {
        let path = head.path.strip_prefix('/').unwrap_or(&head.path);
        let host = head.host_name().to_ascii_lowercase();
        if let Some(bucket) = bound_domains.get(&host) {
            return Ok(Self::in_bucket(bucket, path));
        }
        if is_local(&host) {
            let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
            return Ok(if bucket.is_empty() {
                Self::service()
            } else {
                Self::in_bucket(bucket, key)
            });
        }
        match host.split_once('.') {
            Some((bucket, endpoint)) if is_endpoint(endpoint) => Ok(Self::in_bucket(bucket, path)),
            _ if is_endpoint(&host) && path.is_empty() => Ok(Self::service()),
            _ if is_endpoint(&host) => Err(OssError::new(
                Code::SecondLevelDomainForbidden,
                "The bucket you are attempting to access must be addressed using OSS third level \
                 domain.",
            )),
            _ => Err(OssError::new(
                Code::NonStandardHostForbidden,
                "The host is not bound to a bucket; bind it with --cname-host NAME=BUCKET.",
            )),
        }
    }

    /// The resource as it is signed: `/`, `/bucket/` or `/bucket/key`, never percent-encoded.
    pub(crate) fn resource(&self) -> String {
        match (&self.bucket, &self.key) {
            (None, _) => "/".to_owned(),
            (Some(bucket), key) => format!("/{bucket}/{}", key.as_deref().unwrap_or_default()),
        }
    }

    fn service() -> Self {
        Self { bucket: None, key: None }
    }

    fn in_bucket(bucket: &str, key: &str) -> Self {
        Self { bucket: Some(bucket.to_owned()), key: (!key.is_empty()).then(|| key.to_owned()) }
    }
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

/// Returns true if `host` can follow the bucket in a virtual host: a local name, or two labels
/// before `aliyuncs.com` at most, as in `oss-cn-shanghai` or the dual-stack `cn-shanghai.oss`.
fn is_endpoint(host: &str) -> bool {
    if is_local(host) {
        return true;
    }
    let Some(region) = host.strip_suffix(".aliyuncs.com") else {
        return false;
    };
    !region.contains('.') || region.ends_with(".oss")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn locate(host: &str, path: &str) -> Result<Target, OssError> {
        let (parts, ()) =
            http::Request::put(path).header("host", host).body(()).unwrap().into_parts();
        let bound = HashMap::from([("media.example.com".to_owned(), "films".to_owned())]);
        Target::locate(&RequestHead::decode(parts).unwrap(), &bound)
    }

    fn resource(host: &str, path: &str) -> String {
        locate(host, path).unwrap().resource()
    }

    #[test]
    fn a_bucket_is_determined_by_host_path_or_binding() {
        assert_eq!(resource("127.0.0.1:9000", "/films/a%20b/c"), "/films/a b/c");
        assert_eq!(resource("localhost", "/films"), "/films/");
        assert_eq!(resource("films.localhost:1", "/a/b"), "/films/a/b");
        assert_eq!(resource("films.127.0.0.1:1", "/a"), "/films/a");
        assert_eq!(resource("films.oss-cn-shanghai.aliyuncs.com", "/a"), "/films/a");
        assert_eq!(resource("films.cn-shanghai.oss.aliyuncs.com", "/a"), "/films/a");
        assert_eq!(resource("media.example.com", "/a"), "/films/a");
        assert_eq!(resource("127.0.0.1", "/"), "/");
    }

    #[test]
    fn path_style_at_a_service_domain_is_rejected() {
        let error = locate("oss-cn-shanghai.aliyuncs.com", "/films/a").unwrap_err();
        assert!(format!("{error:?}").contains("SecondLevelDomainForbidden"));
        let error = locate("unbound.example.com", "/films/a").unwrap_err();
        assert!(format!("{error:?}").contains("NonStandardHostForbidden"));
    }
}
