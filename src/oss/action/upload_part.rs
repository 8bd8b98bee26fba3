//! UploadPart: stores one part.

use http::Method;

use super::{Action, part_query};
use crate::crc64::Crc64;
use crate::error::Error;
use crate::oss::{
    Body, Bucket, ETag, HttpResponse, MultipartUploadId, UnsignedRequest, crc64_header,
    error_response,
};
use crate::units::{ByteCount, PartNumber};

/// Stores one part
/// (<https://www.alibabacloud.com/help/en/oss/developer-reference/uploadpart>).
///
/// Idempotent: a part replaces an earlier one with the same number. OSS checks part sizes at
/// CompleteMultipartUpload.
#[derive(Clone, Copy, Debug)]
pub struct UploadPart<'a> {
    /// The object key.
    pub key: &'a str,
    /// The upload.
    pub upload_id: &'a MultipartUploadId,
    /// The part's number.
    pub number: PartNumber,
    /// The part's length.
    pub len: ByteCount,
    /// The part's checksum, sent as a header so that OSS rejects a damaged part with
    /// `InvalidCRC64`. The response contains a checksum even if it is `None`.
    pub crc64: Option<Crc64>,
}

/// A stored part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadedPart {
    /// The part's ETag, for CompleteMultipartUpload.
    pub etag: ETag,
    /// The checksum of the stored bytes, if the response contains one. The documentation of
    /// UploadPartCopy does not guarantee it.
    pub crc64: Option<Crc64>,
}

impl Action for UploadPart<'_> {
    type Output = UploadedPart;

    const NAME: &'static str = "UploadPart";

    fn request(&self, _bucket: &Bucket) -> UnsignedRequest {
        let checksum = self.crc64.map(|crc64| (crc64_header::NAME.to_owned(), crc64.to_string()));
        UnsignedRequest {
            query: part_query(self.number, self.upload_id),
            headers: checksum.into_iter().collect(),
            body: Body::Source { len: self.len },
            ..UnsignedRequest::new(Method::PUT, self.key)
        }
    }

    fn parse(&self, response: &HttpResponse) -> Result<UploadedPart, Error> {
        if !response.is_success() {
            return Err(error_response::parse(response));
        }
        let etag = response.header("etag").ok_or_else(|| {
            error_response::invalid_response(response, "the response has no ETag")
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
    use crate::error::ErrorKind;

    #[test]
    fn the_request_contains_part_number_and_upload_id() {
        let id = MultipartUploadId("A+/=".into());
        let request = part(&id).request(&bucket());
        assert_eq!(path_and_query(&request), "PUT /a?partNumber=3&uploadId=A%2B%2F%3D");
        assert_eq!(request.body, Body::Source { len: ByteCount(102_400) });
        assert_eq!(request.headers, []);
    }

    #[test]
    fn the_request_contains_the_checksum_if_known() {
        let id = MultipartUploadId("A".into());
        let request = UploadPart { crc64: Some(Crc64(9)), ..part(&id) }.request(&bucket());
        assert_eq!(request.headers, [("x-oss-hash-crc64ecma".to_owned(), "9".to_owned())]);
    }

    #[test]
    fn etag_and_checksum_are_parsed() {
        let id = MultipartUploadId("A".into());
        let headers =
            [("etag", "\"5D41402ABC4B2A76B9719D911017C592\""), ("X-Oss-Hash-Crc64ecma", "9")];
        let stored = part(&id).parse(&response(200, &headers, "")).unwrap();
        assert_eq!(stored.etag.0[..2], [0x5D, 0x41]);
        assert_eq!(stored.crc64, Some(Crc64(9)));
        let stored = part(&id).parse(&response(200, &headers[..1], "")).unwrap();
        assert_eq!(stored.crc64, None);
    }

    #[test]
    fn a_response_without_an_etag_is_an_error() {
        let id = MultipartUploadId("A".into());
        for headers in [&[][..], &[("etag", "\"\"")], &[("etag", "\"5D-2\"")]] {
            let error = part(&id).parse(&response(200, headers, "")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StoreReplyInvalid);
        }
    }

    #[test]
    fn a_missing_upload_has_its_own_error_kind() {
        let id = MultipartUploadId("A".into());
        let body = "<Error><Code>NoSuchUpload</Code></Error>";
        let error = part(&id).parse(&response(404, &[], body)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UploadLost);
        assert_eq!(error.message(), "OSS returned NoSuchUpload");
    }

    fn part(upload_id: &MultipartUploadId) -> UploadPart<'_> {
        let number = PartNumber::new(3).unwrap();
        UploadPart { key: "a", upload_id, number, len: ByteCount(102_400), crc64: None }
    }
}
