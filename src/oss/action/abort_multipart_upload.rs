//! AbortMultipartUpload: deletes an upload and its parts.

use http::Method;

use super::{Action, query};
use crate::error::{Error, ErrorKind};
use crate::oss::{Bucket, HttpResponse, MultipartUploadId, UnsignedRequest, error_response};

/// Deletes an upload and its parts
/// (<https://www.alibabacloud.com/help/en/oss/developer-reference/abortmultipartupload>).
///
/// Idempotent. Parts in flight may survive a call. A second call after they have finished deletes
/// them.
#[derive(Clone, Copy, Debug)]
pub struct AbortMultipartUpload<'a> {
    /// The object key.
    pub key: &'a str,
    /// The upload.
    pub upload_id: &'a MultipartUploadId,
}

/// What AbortMultipartUpload found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbortedUpload {
    /// The upload is deleted. Parts in flight may have survived.
    Deleted,
    /// The upload no longer exists.
    NotFound,
}

impl Action for AbortMultipartUpload<'_> {
    type Output = AbortedUpload;

    const NAME: &'static str = "AbortMultipartUpload";

    fn request(&self, _bucket: &Bucket) -> UnsignedRequest {
        UnsignedRequest {
            query: query([("uploadId", Some(self.upload_id.as_str()))]),
            ..UnsignedRequest::new(Method::DELETE, self.key)
        }
    }

    fn parse(&self, response: &HttpResponse) -> Result<AbortedUpload, Error> {
        if response.is_success() {
            return Ok(AbortedUpload::Deleted);
        }
        let error = error_response::parse(response);
        if error.kind() == ErrorKind::UploadLost { Ok(AbortedUpload::NotFound) } else { Err(error) }
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

    #[test]
    fn the_request_deletes_the_upload_by_its_id() {
        let id = MultipartUploadId("A".into());
        let abort = AbortMultipartUpload { key: "a", upload_id: &id };
        assert_eq!(path_and_query(&abort.request(&bucket())), "DELETE /a?uploadId=A");
    }

    #[test]
    fn a_deleted_upload_is_distinguished_from_one_that_no_longer_exists() {
        let gone = "<Error><Code>NoSuchUpload</Code></Error>";
        assert_eq!(parse(204, ""), Ok(AbortedUpload::Deleted));
        assert_eq!(parse(404, gone), Ok(AbortedUpload::NotFound));
    }

    #[test]
    fn any_other_rejection_is_an_error() {
        for (status, body, expected) in [
            (404, "<Error><Code>NoSuchBucket</Code></Error>", ErrorKind::StoreRejected),
            (404, "", ErrorKind::StoreRejected),
            (403, "", ErrorKind::AccessDenied),
            (500, "", ErrorKind::StoreUnavailable),
        ] {
            assert_eq!(parse(status, body).unwrap_err().kind(), expected, "{status} {body}");
        }
    }

    fn parse(status: u16, body: &str) -> Result<AbortedUpload, Error> {
        let id = MultipartUploadId("A".into());
        AbortMultipartUpload { key: "a", upload_id: &id }.parse(&response(status, &[], body))
    }
}
