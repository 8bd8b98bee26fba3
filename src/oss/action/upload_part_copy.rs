//! UploadPartCopy: stores one part that is copied from a stored object.

use http::Method;

use super::{Action, UploadedPart, part_query};
use crate::error::Error;
use crate::oss::{
    Bucket, HttpResponse, MultipartUploadId, UnsignedRequest, crc64_header, error_response, xml,
};
use crate::percent::encode_component;
use crate::units::{ByteCount, PartNumber};

/// Stores one part that OSS copies from an object of up to 5 GiB, or from a range of one
/// (<https://www.alibabacloud.com/help/en/oss/developer-reference/uploadpartcopy>).
///
/// Idempotent, like UploadPart. The credential must permit reading the object. OSS does not reject
/// a range beyond the end of the object but copies the complete object, so compare the checksum.
#[derive(Clone, Copy, Debug)]
pub struct UploadPartCopy<'a> {
    /// The object key of the upload.
    pub key: &'a str,
    /// The upload.
    pub upload_id: &'a MultipartUploadId,
    /// The part's number.
    pub number: PartNumber,
    /// The bucket of the object to copy, in the same region.
    pub source_bucket: &'a str,
    /// The key of the object to copy, not encoded.
    pub source_key: &'a str,
    /// The bytes to copy; all of them if `None`.
    pub range: Option<CopyRange>,
}

/// A range of an object's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyRange {
    /// The offset of the first byte.
    pub start: ByteCount,
    /// The length, at least one byte.
    pub len: ByteCount,
}

impl CopyRange {
    /// The value of a range header: the first and the last byte.
    pub(super) fn header(self) -> String {
        let start = self.start.bytes();
        format!("bytes={start}-{}", start.saturating_add(self.len.bytes()).saturating_sub(1))
    }
}

impl Action for UploadPartCopy<'_> {
    type Output = UploadedPart;

    const NAME: &'static str = "UploadPartCopy";

    fn request(&self, _bucket: &Bucket) -> UnsignedRequest {
        // The official SDKs encode the slashes of the key as well.
        let source = format!("/{}/{}", self.source_bucket, encode_component(self.source_key));
        let mut headers = vec![("x-oss-copy-source".to_owned(), source)];
        if let Some(range) = self.range {
            headers.push(("x-oss-copy-source-range".to_owned(), range.header()));
        }
        UnsignedRequest {
            query: part_query(self.number, self.upload_id),
            headers,
            ..UnsignedRequest::new(Method::PUT, self.key)
        }
    }

    fn parse(&self, response: &HttpResponse) -> Result<UploadedPart, Error> {
        let result = xml::parse(&String::from_utf8_lossy(&response.body));
        // As with CompleteMultipartUpload, an error may follow a 200.
        if !response.is_success() || result.as_ref().is_some_and(|root| root.name == "Error") {
            return Err(error_response::parse(response));
        }
        let result = result.filter(|root| root.name == "CopyPartResult");
        let etag = result.as_ref().and_then(|result| result.text_of("ETag")).ok_or_else(|| {
            error_response::invalid_response(response, "the response contains no ETag")
        })?;
        Ok(UploadedPart { etag: etag.parse()?, crc64: crc64_header::parse(response)? })
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

    use super::super::fixtures::{bucket, path_and_query, response};
    use super::*;
    use crate::crc64::Crc64;
    use crate::credential::{AccessKey, Secret};
    use crate::error::ErrorKind;
    use crate::oss::{Body, BucketOptions, SignatureVersion, Signer};
    use crate::units::UnixMillis;

    const ETAG: &str = "5D41402ABC4B2A76B9719D911017C592";

    #[test]
    fn the_request_contains_the_bucket_and_the_encoded_key_of_the_source() {
        let id = MultipartUploadId("A".into());
        let request = copy(&id).request(&bucket());
        assert_eq!(path_and_query(&request), "PUT /a?partNumber=3&uploadId=A");
        let source = "/outin-2/tmp%2Fa%20b%2B%C3%A9";
        assert_eq!(request.headers, [("x-oss-copy-source".to_owned(), source.to_owned())]);
        assert_eq!(request.body, Body::Empty);
    }

    #[test]
    fn the_request_contains_the_first_and_last_byte_of_the_range() {
        let id = MultipartUploadId("A".into());
        let range = Some(CopyRange { start: ByteCount(100), len: ByteCount(102_400) });
        let request = UploadPartCopy { range, ..copy(&id) }.request(&bucket());
        let header = ("x-oss-copy-source-range".to_owned(), "bytes=100-102499".to_owned());
        assert_eq!(request.headers[1], header);
    }

    #[test]
    fn source_and_range_are_signed() {
        let id = MultipartUploadId("A".into());
        for signature_version in [SignatureVersion::V4, SignatureVersion::V1] {
            let options = BucketOptions { signature_version, ..BucketOptions::default() };
            let endpoint = "oss-cn-shanghai.aliyuncs.com";
            let bucket = Bucket::new(endpoint, "outin-1", options).unwrap();
            let credential = AccessKey {
                access_key_id: "ak".into(),
                access_key_secret: Secret::new("sk"),
                security_token: None,
            };
            let signed = |action: UploadPartCopy<'_>| {
                let signer = Signer {
                    bucket: &bucket,
                    credential: &credential,
                    now: UnixMillis(1_702_743_657_000),
                };
                let request = signer.sign(action.request(&bucket));
                assert_eq!(request.header("content-length"), Some("0"));
                assert_eq!(request.header("x-oss-security-token"), None);
                request.header("authorization").unwrap().to_owned()
            };
            let range = Some(CopyRange { start: ByteCount(0), len: ByteCount(1) });
            let complete = signed(copy(&id));
            assert_ne!(complete, signed(UploadPartCopy { range, ..copy(&id) }));
            assert_ne!(complete, signed(UploadPartCopy { source_key: "other", ..copy(&id) }));
        }
    }

    #[test]
    fn etag_and_checksum_are_parsed() {
        let id = MultipartUploadId("A".into());
        let body = format!(
            "<?xml version=\"1.0\"?><CopyPartResult xmlns=\"http://doc\"><LastModified>\
             2019-04-09T07:01:56.000Z</LastModified><ETag>\"{ETAG}\"</ETag></CopyPartResult>"
        );
        let copied = copy(&id).parse(&response(200, &[], &body)).unwrap();
        assert_eq!((copied.etag.to_string(), copied.crc64), (format!("\"{ETAG}\""), None));
        let headers = [("x-oss-hash-crc64ecma", "9")];
        let copied = copy(&id).parse(&response(200, &headers, &body)).unwrap();
        assert_eq!(copied.crc64, Some(Crc64(9)));
    }

    #[test]
    fn a_response_without_an_etag_is_an_error() {
        let id = MultipartUploadId("A".into());
        for body in ["", "<CopyPartResult/>", "<html/>"] {
            let error = copy(&id).parse(&response(200, &[], body)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StoreReplyInvalid);
        }
        let late = "<Error><Code>InternalError</Code></Error>";
        let error = copy(&id).parse(&response(200, &[], late)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StoreUnavailable);
    }

    #[test]
    fn a_missing_object_and_a_missing_upload_have_different_error_kinds() {
        let id = MultipartUploadId("A".into());
        for code in ["NoSuchKey", "NoSuchUpload"] {
            let body = format!("<Error><Code>{code}</Code></Error>");
            let error = copy(&id).parse(&response(404, &[], &body)).unwrap_err();
            assert_eq!(error.service().unwrap().code, code);
        }
    }

    fn copy(upload_id: &MultipartUploadId) -> UploadPartCopy<'_> {
        UploadPartCopy {
            key: "a",
            upload_id,
            number: PartNumber::new(3).unwrap(),
            source_bucket: "outin-2",
            source_key: "tmp/a b+é",
            range: None,
        }
    }
}
