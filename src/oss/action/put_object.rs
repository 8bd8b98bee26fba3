//! PutObject: stores a small object in one request.

use http::Method;

use super::{Action, StoredObject, content_type_header};
use crate::error::Error;
use crate::oss::{Body, Bucket, HttpResponse, UnsignedRequest, error_response};
use crate::units::ByteCount;

/// Stores an object of up to 5 GiB in one request and replaces an existing one
/// (<https://www.alibabacloud.com/help/en/oss/developer-reference/putobject>).
#[derive(Clone, Copy, Debug)]
pub struct PutObject<'a> {
    /// The object key.
    pub key: &'a str,
    /// The length of the object.
    pub len: ByteCount,
    /// The object's media type.
    pub content_type: Option<&'a str>,
}

impl Action for PutObject<'_> {
    type Output = StoredObject;

    const NAME: &'static str = "PutObject";

    fn request(&self, _bucket: &Bucket) -> UnsignedRequest {
        UnsignedRequest {
            headers: content_type_header(self.content_type),
            // An empty object needs no source.
            body: if self.len.is_zero() { Body::Empty } else { Body::Source { len: self.len } },
            ..UnsignedRequest::new(Method::PUT, self.key)
        }
    }

    fn parse(&self, response: &HttpResponse) -> Result<StoredObject, Error> {
        // 203: the object is stored, and only the callback to its owner failed.
        if response.is_success() {
            StoredObject::from_headers(response)
        } else {
            Err(error_response::parse(response))
        }
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
    use crate::error::ErrorKind;

    const PUT: PutObject<'_> =
        PutObject { key: "sv/a.mp4", len: ByteCount(7), content_type: Some("video/mp4") };

    #[test]
    fn the_request_contains_the_media_type() {
        let request = PUT.request(&bucket());
        assert_eq!(path_and_query(&request), "PUT /sv/a.mp4");
        assert_eq!(request.headers, [("content-type".to_owned(), "video/mp4".to_owned())]);
        assert_eq!(request.body, Body::Source { len: ByteCount(7) });
    }

    #[test]
    fn the_stored_object_is_read_from_the_headers() {
        let headers =
            [("ETag", "\"5D\""), ("x-oss-hash-crc64ecma", "7"), ("x-oss-request-id", "R")];
        for status in [200, 203] {
            let object = PUT.parse(&response(status, &headers, "")).unwrap();
            assert_eq!(object.etag, "\"5D\"");
            assert_eq!(object.crc64, Some(Crc64(7)));
            assert_eq!(object.request_id, "R");
        }
    }

    #[test]
    fn an_invalid_checksum_is_an_error() {
        let error = PUT.parse(&response(200, &[("x-oss-hash-crc64ecma", "ff")], "")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StoreReplyInvalid);
    }
}
