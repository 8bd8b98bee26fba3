//! AbortMultipartUpload: gives the parts up.

use http::Method;

use super::{Action, query};
use crate::error::{Error, ErrorKind};
use crate::oss::{Body, Bucket, HttpResponse, MultipartUploadId, UnsignedRequest, error_response};

/// Ends an upload and deletes its parts
/// (<https://www.alibabacloud.com/help/en/oss/developer-reference/abortmultipartupload>).
///
/// Idempotent: an upload that the store does not know any more counts as aborted. Parts still in
/// flight may survive one call, so that a second one after they ended is worth it.
#[derive(Clone, Copy, Debug)]
pub struct AbortMultipartUpload<'a> {
    /// The object key.
    pub key: &'a str,
    /// The upload.
    pub upload_id: &'a MultipartUploadId,
}

impl Action for AbortMultipartUpload<'_> {
    type Output = ();

    const NAME: &'static str = "AbortMultipartUpload";

    fn request(&self, _bucket: &Bucket) -> UnsignedRequest {
        UnsignedRequest {
            method: Method::DELETE,
            key: self.key.to_owned(),
            query: query([("uploadId", Some(self.upload_id.as_str()))]),
            headers: Vec::new(),
            body: Body::Empty,
        }
    }

    fn parse(&self, response: &HttpResponse) -> Result<(), Error> {
        if response.is_success() {
            return Ok(());
        }
        let error = error_response::parse(response);
        if error.kind() == ErrorKind::UploadLost {
            return Ok(());
        }
        Err(error)
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
    fn the_upload_is_deleted_by_its_id() {
        let id = MultipartUploadId("A".into());
        let abort = AbortMultipartUpload { key: "a", upload_id: &id };
        assert_eq!(path_and_query(&abort.request(&bucket())), "DELETE /a?uploadId=A");
    }

    #[test]
    fn an_upload_that_is_gone_counts_as_aborted() {
        let gone = "<Error><Code>NoSuchUpload</Code></Error>";
        assert_eq!(parse(204, ""), Ok(()));
        assert_eq!(parse(404, gone), Ok(()));
    }

    #[test]
    fn any_other_refusal_is_an_error() {
        for (status, body, wanted) in [
            (404, "<Error><Code>NoSuchBucket</Code></Error>", ErrorKind::StoreRejected),
            (404, "", ErrorKind::StoreRejected),
            (403, "", ErrorKind::AccessDenied),
            (500, "", ErrorKind::StoreUnavailable),
        ] {
            assert_eq!(parse(status, body).unwrap_err().kind(), wanted, "{status} {body}");
        }
    }

    fn parse(status: u16, body: &str) -> Result<(), Error> {
        let id = MultipartUploadId("A".into());
        AbortMultipartUpload { key: "a", upload_id: &id }.parse(&response(status, &[], body))
    }
}
