//! HeadObject: the size and checksum of an object.

use http::Method;

use super::Action;
use crate::crc64::Crc64;
use crate::error::Error;
use crate::oss::{Bucket, HttpResponse, UnsignedRequest, crc64_header, error_response};
use crate::units::ByteCount;

/// Requests the size and checksum of an object
/// (<https://www.alibabacloud.com/help/en/oss/developer-reference/headobject>).
#[derive(Clone, Copy, Debug)]
pub struct HeadObject<'a> {
    /// The object key.
    pub key: &'a str,
}

/// The metadata of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectHead {
    /// The object's size.
    pub size: ByteCount,
    /// The object's ETag as OSS returned it, quotes included; empty if absent.
    pub etag: String,
    /// The checksum of the complete object, if OSS computed one.
    pub crc64: Option<Crc64>,
}

impl Action for HeadObject<'_> {
    /// `None` if the object does not exist.
    type Output = Option<ObjectHead>;

    const NAME: &'static str = "HeadObject";

    fn request(&self, _bucket: &Bucket) -> UnsignedRequest {
        UnsignedRequest::new(Method::HEAD, self.key)
    }

    fn parse(&self, response: &HttpResponse) -> Result<Option<ObjectHead>, Error> {
        if !response.is_success() {
            let error = error_response::parse(response);
            let code = error.service().map(|store| store.code.as_str()).unwrap_or_default();
            // A 404 may also mean that the bucket does not exist, which is an error.
            return match (response.status.as_u16(), code) {
                (404, "" | "NoSuchKey") => Ok(None),
                _ => Err(error),
            };
        }
        let size = response
            .header("content-length")
            .and_then(|length| length.trim().parse().ok())
            .map(ByteCount)
            .ok_or_else(|| {
                error_response::invalid_response(response, "the response has no Content-Length")
            })?;
        let etag = response.header("etag").unwrap_or_default().trim().to_owned();
        Ok(Some(ObjectHead { size, etag, crc64: crc64_header::parse(response)? }))
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

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::super::fixtures::{bucket, path_and_query, response};
    use super::*;
    use crate::error::ErrorKind;

    const HEAD: HeadObject<'_> = HeadObject { key: "a" };

    #[test]
    fn the_request_is_a_head_request() {
        assert_eq!(path_and_query(&HEAD.request(&bucket())), "HEAD /a");
    }

    #[test]
    fn size_and_checksum_are_parsed() {
        let headers = [
            ("Content-Length", "53687091200000"),
            ("ETag", "\"5D-2\""),
            ("x-oss-hash-crc64ecma", "9"),
        ];
        let head = HEAD.parse(&response(200, &headers, "")).unwrap().unwrap();
        assert_eq!(head.size, ByteCount(53_687_091_200_000));
        assert_eq!((head.etag.as_str(), head.crc64), ("\"5D-2\"", Some(Crc64(9))));
    }

    #[test]
    fn a_missing_object_is_none() {
        assert_eq!(HEAD.parse(&response(404, &[], "")), Ok(None));
        let error = STANDARD.encode("<Error><Code>NoSuchKey</Code></Error>");
        assert_eq!(HEAD.parse(&response(404, &[("x-oss-err", &error)], "")), Ok(None));
    }

    #[test]
    fn a_missing_bucket_is_an_error() {
        let error = STANDARD.encode("<Error><Code>NoSuchBucket</Code></Error>");
        let error = HEAD.parse(&response(404, &[("x-oss-err", &error)], "")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StoreRejected);
    }

    #[test]
    fn an_invalid_size_is_an_error() {
        for headers in [&[][..], &[("content-length", "many")]] {
            let error = HEAD.parse(&response(200, headers, "")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StoreReplyInvalid);
        }
    }
}
