//! CompleteMultipartUpload: creates the object from its parts.

use http::Method;

use std::fmt::Write as _;

use super::{Action, StoredObject, query};
use crate::error::Error;
use crate::oss::{
    Body, Bucket, ETag, HttpResponse, MultipartUploadId, UnsignedRequest, error_response, xml,
};
use crate::units::PartNumber;

/// Creates the object from the listed parts
/// (<https://www.alibabacloud.com/help/en/oss/developer-reference/completemultipartupload>).
///
/// The call can take minutes and continues on the server if the connection breaks. A call after a
/// success returns `NoSuchUpload`. Only the object then shows whether the upload was completed.
#[derive(Clone, Copy, Debug)]
pub struct CompleteMultipartUpload<'a> {
    /// The object key.
    pub key: &'a str,
    /// The upload.
    pub upload_id: &'a MultipartUploadId,
    /// The parts, by ascending number; gaps between numbers are allowed.
    pub parts: &'a [(PartNumber, ETag)],
}

impl Action for CompleteMultipartUpload<'_> {
    type Output = StoredObject;

    const NAME: &'static str = "CompleteMultipartUpload";

    fn request(&self, _bucket: &Bucket) -> UnsignedRequest {
        UnsignedRequest {
            query: query([("uploadId", Some(self.upload_id.as_str()))]),
            headers: vec![("content-type".to_owned(), "application/xml".to_owned())],
            body: Body::Bytes(part_list(self.parts).into_bytes()),
            ..UnsignedRequest::new(Method::POST, self.key)
        }
    }

    fn parse(&self, response: &HttpResponse) -> Result<StoredObject, Error> {
        parse_result(response)
    }
}

fn part_list(parts: &[(PartNumber, ETag)]) -> String {
    let mut xml = String::with_capacity(64 + parts.len() * PART_XML_BYTES);
    xml.push_str("<CompleteMultipartUpload>");
    for (number, etag) in parts {
        // Numbers and ETags contain no characters that must be escaped in XML text. Writing to a
        // String cannot fail.
        let _ = write!(xml, "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
    }
    xml.push_str("</CompleteMultipartUpload>");
    xml
}

fn parse_result(response: &HttpResponse) -> Result<StoredObject, Error> {
    // The object is stored, and only the callback to its owner failed.
    if response.status == STORED_BUT_CALLBACK_FAILED {
        return StoredObject::from_headers(response);
    }
    let result = xml::parse(&String::from_utf8_lossy(&response.body));
    // OSS sends the status before it completes the object, so an error may follow a 200.
    if !response.is_success() || result.as_ref().is_some_and(|root| root.name == "Error") {
        return Err(error_response::parse(response));
    }
    let mut object = StoredObject::from_headers(response)?;
    match result.filter(|root| root.name == "CompleteMultipartUploadResult") {
        Some(result) => {
            if let Some(etag) = result.text_of("ETag") {
                etag.clone_into(&mut object.etag);
            }
            Ok(object)
        }
        // With a callback the body is that of the owner's server, and only the headers are OSS's.
        None if object.crc64.is_some() && !looks_like_xml(&response.body) => Ok(object),
        None => Err(error_response::invalid_response(
            response,
            "the response does not describe the stored object",
        )),
    }
}

fn looks_like_xml(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

const STORED_BUT_CALLBACK_FAILED: u16 = 203;

/// The maximum length of one part's element, so that the list is written without reallocation.
const PART_XML_BYTES: usize = 96;

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

    const RESULT: &str = "<?xml version=\"1.0\"?><CompleteMultipartUploadResult \
        xmlns=\"http://doc\"><Location>http://h/a</Location><Bucket>b</Bucket><Key>a</Key>\
        <ETag>\"B864DB6A936D376F9F8D3ED3BBE540DD-3\"</ETag></CompleteMultipartUploadResult>";

    const CRC: (&str, &str) = ("x-oss-hash-crc64ecma", "9");

    #[test]
    fn the_request_lists_every_part_with_its_etag() {
        let id = MultipartUploadId("A".into());
        let parts = [
            (PartNumber::FIRST, ETag([0xAB; 16])),
            (PartNumber::new(10_000).unwrap(), ETag([1; 16])),
        ];
        let complete = CompleteMultipartUpload { key: "a", upload_id: &id, parts: &parts };
        let request = complete.request(&bucket());
        assert_eq!(path_and_query(&request), "POST /a?uploadId=A");
        let Body::Bytes(body) = request.body else { panic!("{:?}", request.body) };
        assert_eq!(
            String::from_utf8(body).unwrap(),
            "<CompleteMultipartUpload>\
             <Part><PartNumber>1</PartNumber>\
             <ETag>\"ABABABABABABABABABABABABABABABAB\"</ETag></Part>\
             <Part><PartNumber>10000</PartNumber>\
             <ETag>\"01010101010101010101010101010101\"</ETag></Part>\
             </CompleteMultipartUpload>"
        );
    }

    #[test]
    fn the_stored_object_is_read_from_body_and_headers() {
        let object = parse(200, &[CRC, ("x-oss-request-id", "R")], RESULT).unwrap();
        assert_eq!(object.etag, "\"B864DB6A936D376F9F8D3ED3BBE540DD-3\"");
        assert_eq!(object.crc64, Some(Crc64(9)));
        assert_eq!(object.request_id, "R");
    }

    #[test]
    fn a_failed_callback_is_a_success() {
        let body = "<Error><Code>CallbackFailed</Code></Error>";
        let object = parse(203, &[CRC, ("etag", "\"5D\"")], body).unwrap();
        assert_eq!((object.etag.as_str(), object.crc64), ("\"5D\"", Some(Crc64(9))));
    }

    #[test]
    fn an_error_after_a_200_is_an_error() {
        let body = "  <Error><Code>InternalError</Code><Message>Try again.</Message></Error>";
        let error = parse(200, &[], body).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StoreUnavailable);
        let error = parse(200, &[CRC], "<Error><Code>InvalidPart</Code></Error>").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StoreRejected);
    }

    #[test]
    fn the_body_of_a_callback_is_accepted_if_the_headers_have_a_checksum() {
        let object = parse(200, &[CRC, ("etag", "\"5D-1\"")], "{\"Status\":\"OK\"}").unwrap();
        assert_eq!((object.etag.as_str(), object.crc64), ("\"5D-1\"", Some(Crc64(9))));
    }

    #[test]
    fn a_response_without_a_result_is_an_error() {
        for body in ["", "{}", "<html></html>"] {
            let error = parse(200, &[], body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StoreReplyInvalid, "{body}");
        }
        // A truncated error must not be treated as the response of a callback.
        let error = parse(200, &[CRC], "<Error><Code>InternalEr").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StoreReplyInvalid);
    }

    #[test]
    fn a_missing_upload_has_its_own_error_kind() {
        let error = parse(404, &[], "<Error><Code>NoSuchUpload</Code></Error>").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UploadLost);
    }

    fn parse(status: u16, headers: &[(&str, &str)], body: &str) -> Result<StoredObject, Error> {
        let id = MultipartUploadId("A".into());
        CompleteMultipartUpload { key: "a", upload_id: &id, parts: &[] }
            .parse(&response(status, headers, body))
    }
}
