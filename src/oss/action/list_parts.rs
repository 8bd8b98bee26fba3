//! ListParts: one page of the stored parts.

use http::Method;

use super::{Action, query};
use crate::crc64::Crc64;
use crate::error::Error;
use crate::oss::{
    Bucket, ETag, HttpResponse, MultipartUploadId, UnsignedRequest, error_response, xml,
};
use crate::units::{ByteCount, PartNumber};

/// Lists up to 1000 parts of an upload in the order of their numbers
/// (<https://www.alibabacloud.com/help/en/oss/developer-reference/listparts>).
#[derive(Clone, Copy, Debug)]
pub struct ListParts<'a> {
    /// The object key.
    pub key: &'a str,
    /// The upload.
    pub upload_id: &'a MultipartUploadId,
    /// Lists the parts with a greater number than this; all parts if `None`.
    pub after: Option<PartNumber>,
}

/// One page of parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartPage {
    /// The parts, in the order of their numbers.
    pub parts: Vec<ListedPart>,
    /// The [`ListParts::after`] of the next page; `None` on the last page.
    pub next: Option<PartNumber>,
}

/// A stored part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedPart {
    /// The part's number.
    pub number: PartNumber,
    /// The part's length.
    pub size: ByteCount,
    /// The part's ETag.
    pub etag: ETag,
    /// The part's checksum, if listed.
    pub crc64: Option<Crc64>,
}

impl Action for ListParts<'_> {
    type Output = PartPage;

    const NAME: &'static str = "ListParts";

    fn request(&self, _bucket: &Bucket) -> UnsignedRequest {
        let mut query = query([
            ("uploadId", Some(self.upload_id.as_str())),
            ("max-parts", Some(PAGE_PARTS_MAX)),
            // Keys may contain characters that are invalid in XML.
            ("encoding-type", Some("url")),
        ]);
        if let Some(after) = self.after {
            query.push(("part-number-marker".to_owned(), Some(after.to_string())));
        }
        UnsignedRequest { query, ..UnsignedRequest::new(Method::GET, self.key) }
    }

    fn parse(&self, response: &HttpResponse) -> Result<PartPage, Error> {
        if !response.is_success() {
            return Err(error_response::parse(response));
        }
        self.parse_page(response)
    }
}

impl ListParts<'_> {
    fn parse_page(&self, response: &HttpResponse) -> Result<PartPage, Error> {
        let invalid = |what| error_response::invalid_response(response, what);
        let result = xml::parse(&String::from_utf8_lossy(&response.body))
            .filter(|root| root.name == "ListPartsResult")
            .ok_or_else(|| invalid("the response is not a ListPartsResult"))?;
        let parts = result
            .children("Part")
            .map(|part| {
                parse_part(part)?.ok_or_else(|| invalid("a listed part lacks its number or size"))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let truncated =
            result.text_of("IsTruncated").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        if !truncated {
            return Ok(PartPage { parts, next: None });
        }
        // The marker, which may be absent, is the number of the last listed part.
        let marker = result.text_of("NextPartNumberMarker").and_then(number);
        let next = marker
            .or(parts.last().map(|part| part.number))
            // Otherwise the same page would be requested indefinitely.
            .filter(|next| self.after.is_none_or(|after| *next > after))
            .ok_or_else(|| invalid("the list is truncated but has no later marker"))?;
        Ok(PartPage { parts, next: Some(next) })
    }
}

fn parse_part(part: &xml::Element) -> Result<Option<ListedPart>, Error> {
    let size = part.text_of("Size").and_then(|size| size.parse().ok()).map(ByteCount);
    let (Some(number), Some(size)) = (part.text_of("PartNumber").and_then(number), size) else {
        return Ok(None);
    };
    Ok(Some(ListedPart {
        number,
        size,
        etag: part.text_of("ETag").unwrap_or_default().parse()?,
        crc64: part.text_of("HashCrc64ecma").map(str::parse).transpose()?,
    }))
}

fn number(text: &str) -> Option<PartNumber> {
    text.parse().ok().and_then(PartNumber::new)
}

const PAGE_PARTS_MAX: &str = "1000";

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

    const ETAG: &str = "&quot;5D41402ABC4B2A76B9719D911017C592&quot;";

    #[test]
    fn the_request_contains_the_marker() {
        let id = MultipartUploadId("A".into());
        assert_eq!(
            path_and_query(&page(&id, None).request(&bucket())),
            "GET /a?uploadId=A&max-parts=1000&encoding-type=url"
        );
        assert_eq!(
            path_and_query(&page(&id, PartNumber::new(1000)).request(&bucket())),
            "GET /a?uploadId=A&max-parts=1000&encoding-type=url&part-number-marker=1000"
        );
    }

    #[test]
    fn parts_are_parsed_with_and_without_a_checksum() {
        let body = format!(
            "<ListPartsResult xmlns=\"http://doc\"><Key>a%01</Key><UploadId>A</UploadId>\
             <MaxParts>1000</MaxParts><IsTruncated>false</IsTruncated>\
             <NextPartNumberMarker>5</NextPartNumberMarker>\
             <Part><PartNumber>1</PartNumber><LastModified>2012</LastModified><ETag>{ETAG}</ETag>\
             <HashCrc64ecma>9</HashCrc64ecma><Size>102400</Size></Part>\
             <Part><PartNumber>5</PartNumber><ETag>5d41402abc4b2a76b9719d911017c592</ETag>\
             <Size>7</Size></Part></ListPartsResult>"
        );
        let page = parse(None, &body).unwrap();
        assert_eq!(page.next, None);
        let [first, second] = page.parts.as_slice() else { panic!("{page:?}") };
        assert_eq!((first.number, first.size), (PartNumber::FIRST, ByteCount(102_400)));
        assert_eq!((first.crc64, second.crc64), (Some(Crc64(9)), None));
        assert_eq!((second.number.number(), second.size), (5, ByteCount(7)));
        assert_eq!(first.etag, second.etag);
    }

    #[test]
    fn an_upload_without_parts_is_an_empty_page() {
        let page = parse(None, "<ListPartsResult></ListPartsResult>").unwrap();
        assert_eq!(page, PartPage { parts: Vec::new(), next: None });
    }

    #[test]
    fn a_truncated_page_has_a_next_page_with_or_without_a_marker() {
        for marker in ["", "<NextPartNumberMarker>5</NextPartNumberMarker>"] {
            let page = parse(None, &truncated(marker, &[4, 5])).unwrap();
            assert_eq!(page.next, PartNumber::new(5), "{marker}");
        }
    }

    #[test]
    fn a_truncated_page_without_a_later_marker_is_an_error() {
        let stuck = "<NextPartNumberMarker>5</NextPartNumberMarker>";
        for (marker, numbers) in [("", &[][..]), (stuck, &[5]), (stuck, &[])] {
            let error = parse(PartNumber::new(5), &truncated(marker, numbers)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StoreReplyInvalid);
        }
    }

    #[test]
    fn an_invalid_part_is_an_error() {
        for part in [
            format!("<PartNumber>0</PartNumber><Size>1</Size><ETag>{ETAG}</ETag>"),
            format!("<PartNumber>10001</PartNumber><Size>1</Size><ETag>{ETAG}</ETag>"),
            format!("<PartNumber>1</PartNumber><ETag>{ETAG}</ETag>"),
            format!("<PartNumber>1</PartNumber><Size>-1</Size><ETag>{ETAG}</ETag>"),
            "<PartNumber>1</PartNumber><Size>1</Size>".to_owned(),
            format!(
                "<PartNumber>1</PartNumber><Size>1</Size><ETag>{ETAG}</ETag>\
                 <HashCrc64ecma>x</HashCrc64ecma>"
            ),
        ] {
            let body = format!("<ListPartsResult><Part>{part}</Part></ListPartsResult>");
            let error = parse(None, &body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StoreReplyInvalid, "{part}");
        }
    }

    #[test]
    fn a_response_without_a_list_is_an_error() {
        for body in ["", "<html></html>", "<ListPartsResult><Part>"] {
            let error = parse(None, body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StoreReplyInvalid, "{body}");
        }
    }

    fn truncated(marker: &str, numbers: &[u16]) -> String {
        let parts: String = numbers
            .iter()
            .map(|number| {
                format!(
                    "<Part><PartNumber>{number}</PartNumber><ETag>{ETAG}</ETag>\
                     <Size>1</Size></Part>"
                )
            })
            .collect();
        format!("<ListPartsResult>{marker}<IsTruncated>true</IsTruncated>{parts}</ListPartsResult>")
    }

    fn parse(after: Option<PartNumber>, body: &str) -> Result<PartPage, Error> {
        page(&MultipartUploadId("A".into()), after).parse(&response(200, &[], body))
    }

    fn page(upload_id: &MultipartUploadId, after: Option<PartNumber>) -> ListParts<'_> {
        ListParts { key: "a", upload_id, after }
    }
}
