//! The signer: takes an unsigned request and finishes it.

use std::time::Duration;

use http::Method;
use url::Url;

use super::{SignatureVersion, v1_header, v1_query, v4_header, v4_query};
use crate::credential::StsCredential;
use crate::error::Result;
use crate::oss::http_message::header_map;
use crate::oss::{Bucket, Request, UnsignedRequest};
use crate::units::UnixMillis;

/// Signs requests for a bucket with a credential at an instant.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'a> {
    /// The bucket, which says the region and the signature version.
    pub bucket: &'a Bucket,
    /// The credential.
    pub credential: &'a StsCredential,
    /// The store's time as well as we know it: it refuses what is 15 minutes off.
    pub now: UnixMillis,
}

impl Signer<'_> {
    /// Finishes a request with its signature in the `authorization` header. It must be sent
    /// within 15 minutes.
    #[must_use]
    pub fn sign(&self, request: UnsignedRequest) -> Request {
        match self.bucket.signature_version() {
            SignatureVersion::V4 => v4_header::sign(self, request),
            SignatureVersion::V1 => v1_header::sign(self, request),
        }
    }

    /// Finishes a request with its signature in the URL, valid for `expires`. It must be sent with
    /// exactly the headers that it carries.
    ///
    /// # Errors
    ///
    /// [`RequestInvalid`](crate::ErrorKind::RequestInvalid) where `expires` is below a second or,
    /// with V4, above seven days.
    pub fn presign(&self, request: UnsignedRequest, expires: Duration) -> Result<Request> {
        match self.bucket.signature_version() {
            SignatureVersion::V4 => v4_query::presign(self, request, expires),
            SignatureVersion::V1 => v1_query::presign(self, request, expires),
        }
    }

    /// The request at its URL, with the headers that are the same for every signature.
    pub(super) fn finish(&self, request: UnsignedRequest) -> Request {
        let url = self.url(&request);
        let UnsignedRequest { method, mut headers, body, .. } = request;
        // A POST or PUT without a length is refused with 411, and not every host adds a zero.
        if !body.is_empty() || matches!(method, Method::POST | Method::PUT) {
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
    use crate::credential::Secret;
    use crate::error::ErrorKind;
    use crate::oss::action::{
        AbortMultipartUpload, CompleteMultipartUpload, InitiateMultipartUpload, PutObject,
    };
    use crate::oss::{Action, Body, BucketOptions, MultipartUploadId, SignatureVersion};
    use crate::units::ByteCount;

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
    fn lengths_are_said_wherever_the_store_asks_for_them() {
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
        assert_eq!(length(abort.request(&bucket)), None);
    }

    #[test]
    fn a_host_or_a_date_is_never_sent() {
        for version in [SignatureVersion::V4, SignatureVersion::V1] {
            let bucket = bucket(version);
            let action = InitiateMultipartUpload { key: "a", content_type: None };
            let request = signer(&bucket, &credential()).sign(action.request(&bucket));
            assert_eq!((request.header("host"), request.header("date")), (None, None));
            assert!(request.header("x-oss-date").is_some());
        }
    }

    #[test]
    fn a_key_without_a_token_signs_without_one() {
        let bucket = bucket(SignatureVersion::V4);
        let credential = StsCredential { security_token: None, ..credential() };
        let action = InitiateMultipartUpload { key: "a", content_type: None };
        let request = signer(&bucket, &credential).sign(action.request(&bucket));
        assert_eq!(request.header("x-oss-security-token"), None);
    }

    #[test]
    fn a_signed_url_lives_for_at_most_seven_days() {
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

    fn signer<'a>(bucket: &'a Bucket, credential: &'a StsCredential) -> Signer<'a> {
        Signer { bucket, credential, now: NOW }
    }

    fn bucket(signature_version: SignatureVersion) -> Bucket {
        let options = BucketOptions { signature_version, ..BucketOptions::default() };
        Bucket::new("oss-cn-hangzhou.aliyuncs.com", "examplebucket", options).unwrap()
    }

    fn credential() -> StsCredential {
        StsCredential {
            access_key_id: "ak".into(),
            access_key_secret: Secret::new("sk"),
            security_token: Some(Secret::new("token")),
        }
    }
}
