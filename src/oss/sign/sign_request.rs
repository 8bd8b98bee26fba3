//! Signs a request with the bucket's signature version.

use std::time::Duration;

use http::Method;
use url::Url;

use super::{Signer, v1_header, v1_query, v4_header, v4_query};
use crate::error::Result;
use crate::oss::http_message::header_map;
use crate::oss::{Request, SignatureVersion, UnsignedRequest};

impl Signer<'_> {
    /// Signs a request in its `authorization` header. It must be sent within 15 minutes.
    #[must_use]
    pub fn sign(&self, request: UnsignedRequest) -> Request {
        self.finish(match self.bucket.signature_version() {
            SignatureVersion::V4 => v4_header::sign(self, request),
            SignatureVersion::V1 => v1_header::sign(self, request),
        })
    }

    /// Signs a request in its URL, which is valid for `expires`. It must be sent with exactly the
    /// headers in the result.
    ///
    /// # Errors
    /// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) if `expires` is below one
    /// second or, with V4, above seven days.
    pub fn presign(&self, request: UnsignedRequest, expires: Duration) -> Result<Request> {
        let signed = match self.bucket.signature_version() {
            SignatureVersion::V4 => v4_query::presign(self, request, expires),
            SignatureVersion::V1 => v1_query::presign(self, request, expires),
        };
        Ok(self.finish(signed?))
    }

    /// Adds the URL, and the headers that do not depend on the signature version.
    fn finish(&self, request: UnsignedRequest) -> Request {
        let url = self.url(&request);
        let UnsignedRequest { method, mut headers, body, .. } = request;
        // Spin and wasmtime send a request without a length in chunks. OSS rejects a POST or PUT
        // without one with 411.
        if !body.is_empty() || !matches!(method, Method::GET | Method::HEAD) {
            headers.push(("content-length".to_owned(), body.len().bytes().to_string()));
        }
        Request { method, url, headers: header_map(headers), body }
    }

    fn url(&self, request: &UnsignedRequest) -> Url {
        let query: Vec<_> =
            request.query.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
        self.bucket.object_url(&request.key, &query)
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a failed assumption fails the test"
    )]

    use super::*;
    use crate::credential::{AccessKey, Secret};
    use crate::error::ErrorKind;
    use crate::oss::action::{
        AbortMultipartUpload, CompleteMultipartUpload, HeadObject, InitiateMultipartUpload,
        PutObject,
    };
    use crate::oss::{Action, Body, Bucket, BucketOptions, MultipartUploadId};
    use crate::units::{ByteCount, UnixMillis};

    const NOW: UnixMillis = UnixMillis(1_702_743_657_000);

    #[test]
    fn the_style_of_the_url_does_not_change_the_signature() {
        for signature_version in [SignatureVersion::V4, SignatureVersion::V1] {
            let signature = |endpoint: &str, cname| {
                let options =
                    BucketOptions { cname, region: Some("cn-hangzhou".into()), signature_version };
                let bucket = Bucket::new(endpoint, "examplebucket", options).unwrap();
                let action = InitiateMultipartUpload { key: "a/b c", content_type: None };
                let request = signer(&bucket, &credential()).sign(action.request(&bucket));
                request.header("authorization").unwrap().to_owned()
            };
            let in_host = signature("oss-cn-hangzhou.aliyuncs.com", false);
            assert_eq!(in_host, signature("http://127.0.0.1:9000", false));
            assert_eq!(in_host, signature("media.example.com", true));
        }
    }

    #[test]
    fn every_request_except_get_and_head_has_a_content_length() {
        let bucket = bucket(SignatureVersion::V4);
        let credential = credential();
        let signer = signer(&bucket, &credential);
        let id = MultipartUploadId("A".into());
        let length = |request: UnsignedRequest| {
            signer.sign(request).header("content-length").map(str::to_owned)
        };
        let put = PutObject { key: "a", len: ByteCount(7), content_type: None };
        assert_eq!(length(put.request(&bucket)).as_deref(), Some("7"));
        let empty = PutObject { key: "a", len: ByteCount(0), content_type: None };
        assert_eq!(length(empty.request(&bucket)).as_deref(), Some("0"));
        let initiate = InitiateMultipartUpload { key: "a", content_type: None };
        assert_eq!(length(initiate.request(&bucket)).as_deref(), Some("0"));
        let complete = CompleteMultipartUpload { key: "a", upload_id: &id, parts: &[] };
        let request = complete.request(&bucket);
        let Body::Bytes(body) = &request.body else { panic!("{:?}", request.body) };
        assert_eq!(length(request.clone()), Some(body.len().to_string()));
        let abort = AbortMultipartUpload { key: "a", upload_id: &id };
        assert_eq!(length(abort.request(&bucket)).as_deref(), Some("0"));
        assert_eq!(length(HeadObject { key: "a" }.request(&bucket)), None);
    }

    #[test]
    fn no_request_has_a_host_or_date_header() {
        for version in [SignatureVersion::V4, SignatureVersion::V1] {
            let bucket = bucket(version);
            let action = InitiateMultipartUpload { key: "a", content_type: None };
            let request = signer(&bucket, &credential()).sign(action.request(&bucket));
            assert_eq!((request.header("host"), request.header("date")), (None, None));
            assert!(request.header("x-oss-date").is_some());
        }
    }

    #[test]
    fn a_request_of_a_key_without_a_token_has_no_security_token_header() {
        let bucket = bucket(SignatureVersion::V4);
        let credential = AccessKey { security_token: None, ..credential() };
        let action = InitiateMultipartUpload { key: "a", content_type: None };
        let request = signer(&bucket, &credential).sign(action.request(&bucket));
        assert_eq!(request.header("x-oss-security-token"), None);
    }

    #[test]
    fn a_v4_url_is_valid_for_at_most_seven_days() {
        let week = Duration::from_secs(604_800);
        let second = Duration::from_secs(1);
        for (version, expires, valid) in [
            (SignatureVersion::V4, week, true),
            (SignatureVersion::V4, week + second, false),
            (SignatureVersion::V4, Duration::from_millis(999), false),
            (SignatureVersion::V1, week + second, true),
            (SignatureVersion::V1, Duration::from_millis(999), false),
        ] {
            let bucket = bucket(version);
            let action = PutObject { key: "a", len: ByteCount(7), content_type: None };
            let signed = signer(&bucket, &credential()).presign(action.request(&bucket), expires);
            match signed {
                Ok(_) => assert!(valid, "{version} {expires:?}"),
                Err(error) => {
                    assert!(!valid, "{version} {expires:?}");
                    assert_eq!(error.kind(), ErrorKind::RequestInvalid);
                }
            }
        }
    }

    fn signer<'a>(bucket: &'a Bucket, credential: &'a AccessKey) -> Signer<'a> {
        Signer { bucket, credential, now: NOW }
    }

    fn bucket(signature_version: SignatureVersion) -> Bucket {
        let options = BucketOptions { signature_version, ..BucketOptions::default() };
        Bucket::new("oss-cn-hangzhou.aliyuncs.com", "examplebucket", options).unwrap()
    }

    fn credential() -> AccessKey {
        AccessKey {
            access_key_id: "ak".into(),
            access_key_secret: Secret::new("sk"),
            security_token: Some(Secret::new("token")),
        }
    }
}
