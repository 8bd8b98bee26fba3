//! GetObject: reads a range of an object.

use http::Method;

use super::{Action, CopyRange};
use crate::error::{Error, ErrorKind};
use crate::oss::{Body, Bucket, HttpResponse, UnsignedRequest, error_response};

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
    /// Checks the head of the response to a request whose body is read as a stream. For a success the
    /// body of `response` may be left empty.
    ///
    /// # Errors
    /// [`ErrorKind::UploadLost`] where there is no such object;
    /// [`ErrorKind::StoreReplyInvalid`] where the response has other bytes than the range: OSS answers
    /// a range that it cannot read with the whole object. Else what the store said.
    pub fn check_head(&self, response: &HttpResponse) -> Result<(), Error> {
        if !response.is_success() {
            let error = error_response::parse(response);
            return Err(match error.store().map(|store| store.code.as_str()) {
                Some("NoSuchKey") => missing_object(self.key, &error),
                _ => error,
            });
        }
        let (start, len) = (self.range.start.bytes(), self.range.len.bytes());
        let wanted = format!("bytes {start}-{}/", start.saturating_add(len).saturating_sub(1));
        let told = response.header("content-range").unwrap_or_default().trim();
        if response.status == PARTIAL_CONTENT && told.starts_with(&wanted) {
            Ok(())
        } else {
            Err(error_response::invalid_response(
                response,
                "the response is not the range that was asked for",
            ))
        }
    }
}

impl Action for GetObject<'_> {
    type Output = Vec<u8>;

    const NAME: &'static str = "GetObject";

    fn request(&self, _bucket: &Bucket) -> UnsignedRequest {
        UnsignedRequest {
            method: Method::GET,
            key: self.key.to_owned(),
            query: Vec::new(),
            headers: vec![("range".to_owned(), self.range.header())],
            body: Body::Empty,
        }
    }

    fn parse(&self, response: &HttpResponse) -> Result<Vec<u8>, Error> {
        self.check_head(response)?;
        if response.body.len() as u64 == self.range.len.bytes() {
            Ok(response.body.clone())
        } else {
            Err(error_response::invalid_response(
                response,
                "the response's body is not as long as the range",
            ))
        }
    }
}

/// The error of an object that is not there (any more).
pub(crate) fn missing_object(key: &str, cause: &Error) -> Error {
    let message = format!("the store has no object {key}");
    let error = Error::new(ErrorKind::UploadLost, message);
    match cause.store() {
        Some(store) => error.with_store(store.clone()),
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
    fn the_range_is_asked_for_by_its_first_and_last_byte() {
        let request = GET.request(&bucket());
        assert_eq!(path_and_query(&request), "GET /tmp/a");
        assert_eq!(request.headers, [("range".to_owned(), "bytes=10-12".to_owned())]);
    }

    #[test]
    fn the_range_s_bytes_are_read() {
        let headers = [("Content-Range", "bytes 10-12/100")];
        assert_eq!(GET.parse(&response(206, &headers, "abc")).unwrap(), b"abc");
        assert_eq!(GET.check_head(&response(206, &headers, "")), Ok(()));
    }

    #[test]
    fn a_reply_with_other_bytes_is_not_taken_for_the_range() {
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
    fn a_missing_object_is_named() {
        let body = "<Error><Code>NoSuchKey</Code></Error>";
        let error = GET.parse(&response(404, &[], body)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UploadLost);
        assert_eq!(error.message(), "the store has no object tmp/a");
        let body = "<Error><Code>NoSuchBucket</Code></Error>";
        let error = GET.parse(&response(404, &[], body)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StoreRejected);
    }
}
