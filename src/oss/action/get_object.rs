//! GetObject: reads a range of an object.

use http::Method;

use super::{Action, CopyRange};
use crate::error::{Error, ErrorKind};
use crate::oss::{Bucket, HttpResponse, UnsignedRequest, error_response};

/// Reads a range of an object
/// (<https://www.alibabacloud.com/help/en/oss/developer-reference/getobject>).
#[derive(Clone, Copy, Debug)]
pub struct GetObject<'a> {
    /// The object key.
    pub key: &'a str,
    /// The bytes to read.
    pub range: CopyRange,
}

impl GetObject<'_> {
    /// Checks the head of a response whose body is read as a stream. The body of a successful
    /// `response` may be empty.
    ///
    /// # Errors
    /// Returns [`ErrorKind::UploadLost`] if the object does not exist,
    /// [`ErrorKind::StoreReplyInvalid`] if the response contains other bytes than the range (OSS
    /// returns the complete object for a range that it cannot satisfy), and otherwise the error of
    /// OSS.
    pub fn check_head(&self, response: &HttpResponse) -> Result<(), Error> {
        if !response.is_success() {
            let error = error_response::parse(response);
            return Err(match error.service().map(|store| store.code.as_str()) {
                Some("NoSuchKey") => missing_object(self.key, &error),
                _ => error,
            });
        }
        let (start, len) = (self.range.start.bytes(), self.range.len.bytes());
        let expected = format!("bytes {start}-{}/", start.saturating_add(len).saturating_sub(1));
        let content_range = response.header("content-range").unwrap_or_default().trim();
        if response.status == PARTIAL_CONTENT && content_range.starts_with(&expected) {
            Ok(())
        } else {
            Err(error_response::invalid_response(
                response,
                "the response is not the requested range",
            ))
        }
    }
}

impl Action for GetObject<'_> {
    type Output = Vec<u8>;

    const NAME: &'static str = "GetObject";

    fn request(&self, _bucket: &Bucket) -> UnsignedRequest {
        UnsignedRequest {
            headers: vec![("range".to_owned(), self.range.header())],
            ..UnsignedRequest::new(Method::GET, self.key)
        }
    }

    fn parse(&self, response: &HttpResponse) -> Result<Vec<u8>, Error> {
        self.check_head(response)?;
        if response.body.len() as u64 == self.range.len.bytes() {
            Ok(response.body.clone())
        } else {
            Err(error_response::invalid_response(
                response,
                "the response body is not as long as the range",
            ))
        }
    }
}

/// The error for an object that does not exist.
pub(crate) fn missing_object(key: &str, cause: &Error) -> Error {
    let message = format!("OSS has no object {key}");
    let error = Error::new(ErrorKind::UploadLost, message);
    match cause.service() {
        Some(store) => error.with_service(store.clone()),
        None => error,
    }
}

/// 206 Partial Content (<https://www.rfc-editor.org/rfc/rfc9110#section-15.3.7>).
const PARTIAL_CONTENT: u16 = 206;

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
    use crate::units::ByteCount;

    const GET: GetObject<'_> =
        GetObject { key: "tmp/a", range: CopyRange { start: ByteCount(10), len: ByteCount(3) } };

    #[test]
    fn the_request_contains_the_first_and_last_byte_of_the_range() {
        let request = GET.request(&bucket());
        assert_eq!(path_and_query(&request), "GET /tmp/a");
        assert_eq!(request.headers, [("range".to_owned(), "bytes=10-12".to_owned())]);
    }

    #[test]
    fn the_bytes_of_the_range_are_returned() {
        let headers = [("Content-Range", "bytes 10-12/100")];
        assert_eq!(GET.parse(&response(206, &headers, "abc")).unwrap(), b"abc");
        assert_eq!(GET.check_head(&response(206, &headers, "")), Ok(()));
    }

    #[test]
    fn a_response_with_other_bytes_than_the_range_is_rejected() {
        let right = [("content-range", "bytes 10-12/100")];
        let other = [("content-range", "bytes 0-2/100")];
        for response in [
            response(200, &[], "abc"),
            response(206, &[], "abc"),
            response(206, &other, "abc"),
            response(206, &right, "ab"),
        ] {
            assert_eq!(GET.parse(&response).unwrap_err().kind(), ErrorKind::StoreReplyInvalid);
        }
    }

    #[test]
    fn the_error_for_a_missing_object_contains_its_key() {
        let body = "<Error><Code>NoSuchKey</Code></Error>";
        let error = GET.parse(&response(404, &[], body)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UploadLost);
        assert_eq!(error.message(), "OSS has no object tmp/a");
        let body = "<Error><Code>NoSuchBucket</Code></Error>";
        let error = GET.parse(&response(404, &[], body)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StoreRejected);
    }
}
