//! InitiateMultipartUpload: starts a multipart upload.

use http::Method;

use super::{Action, content_type_header, query};
use crate::error::Error;
use crate::oss::{Bucket, HttpResponse, MultipartUploadId, UnsignedRequest, error_response, xml};

/// Starts a multipart upload and requests its ID
/// (<https://www.alibabacloud.com/help/en/oss/developer-reference/initiatemultipartupload>).
///
/// Not idempotent: a repeated call starts another upload. An existing object remains unchanged
/// until the upload is completed.
#[derive(Clone, Copy, Debug)]
pub struct InitiateMultipartUpload<'a> {
    /// The object key.
    pub key: &'a str,
    /// The media type of the object.
    pub content_type: Option<&'a str>,
}

impl Action for InitiateMultipartUpload<'_> {
    type Output = MultipartUploadId;

    const NAME: &'static str = "InitiateMultipartUpload";

    fn request(&self, _bucket: &Bucket) -> UnsignedRequest {
        UnsignedRequest {
            query: query([("uploads", None)]),
            headers: content_type_header(self.content_type),
            ..UnsignedRequest::new(Method::POST, self.key)
        }
    }

    fn parse(&self, response: &HttpResponse) -> Result<MultipartUploadId, Error> {
        if !response.is_success() {
            return Err(error_response::parse(response));
        }
        // The response repeats the key, which may be invalid in XML. Only the ID is read.
        xml::parse(&String::from_utf8_lossy(&response.body))
            .and_then(|result| {
                let id = result.text_of("UploadId").filter(|id| id.len() <= UPLOAD_ID_BYTES_MAX);
                id.map(|id| MultipartUploadId(id.to_owned()))
            })
            .ok_or_else(|| {
                error_response::invalid_response(
                    response,
                    "the response contains no usable UploadId",
                )
            })
    }
}

/// The longest ID that is accepted, in bytes: those of OSS have 32.
const UPLOAD_ID_BYTES_MAX: usize = 1_024;

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
    use crate::oss::Body;

    const INITIATE: InitiateMultipartUpload<'_> =
        InitiateMultipartUpload { key: "a b", content_type: None };

    #[test]
    fn the_request_has_no_body() {
        let request = INITIATE.request(&bucket());
        assert_eq!(path_and_query(&request), "POST /a%20b?uploads");
        assert_eq!(request.body, Body::Empty);
    }

    #[test]
    fn the_upload_id_is_parsed() {
        let body = "\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
            <InitiateMultipartUploadResult xmlns=\"http://doc.oss-cn-hangzhou.aliyuncs.com\">\
            <Bucket>outin-1</Bucket><Key>a&#1;b</Key><UploadId> 0004B9894A </UploadId>\
            </InitiateMultipartUploadResult>";
        assert_eq!(INITIATE.parse(&response(200, &[], body)).unwrap().as_str(), "0004B9894A");
    }

    #[test]
    fn a_response_without_a_usable_id_is_an_error() {
        let long = format!("<r><UploadId>{}</UploadId></r>", "1".repeat(1_025));
        let empty = ["", "<html></html>", "<r><UploadId/></r>", "<r><UploadId>1</UploadId>"];
        for body in empty.into_iter().chain([&*long]) {
            let error =
                INITIATE.parse(&response(200, &[("x-oss-request-id", "R")], body)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StoreReplyInvalid, "{body}");
            assert_eq!(error.service().unwrap().request_id, "R");
        }
    }
}
