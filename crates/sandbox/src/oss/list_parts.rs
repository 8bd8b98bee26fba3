//! ListParts: a page of the parts of an open upload.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/listparts>

use super::call::{Call, Failure, MAX_PAGE, xml};
use super::error::OssError;
use super::xml::Element;
use crate::clock::oss_time;
use crate::http::Response;

/// Lists the parts with numbers above the marker, in ascending order.
pub(super) fn perform(call: &Call<'_>) -> Result<Response, Failure> {
    let id = call.required("uploadId")?;
    let encoding = call.key_encoding()?;
    let page_size = call.page_size("max-parts", MAX_PAGE)?;
    let marker = match call.head.query_value("part-number-marker") {
        None | Some("") => 0,
        Some(text) => text.parse::<u16>().map_err(|_not_a_number| {
            OssError::invalid_argument("part-number-marker must be a part number.")
        })?,
    };
    let upload = call
        .state
        .store
        .upload(id)
        .filter(|upload| upload.bucket == call.bucket && upload.key == call.key)
        .ok_or_else(|| OssError::no_such_upload(id))?;
    let mut rest = upload.parts.values().filter(|part| part.number > marker);
    let page: Vec<_> = rest.by_ref().take(page_size).collect();
    let last = page.last().map_or(marker, |part| part.number);
    let mut result = Element::new("ListPartsResult")
        .optional_text("EncodingType", encoding.name())
        .text("Bucket", call.bucket)
        .text("Key", encoding.write(call.key))
        .text("UploadId", id)
        .text("StorageClass", "Standard")
        .value("PartNumberMarker", marker)
        .value("NextPartNumberMarker", last)
        .value("MaxParts", page_size)
        .value("IsTruncated", rest.next().is_some());
    for part in page {
        result = result.child(
            &Element::new("Part")
                .value("PartNumber", part.number)
                .text("LastModified", oss_time(part.modified))
                .text("ETag", format!("\"{}\"", part.etag))
                .value("HashCrc64ecma", part.crc64)
                .value("Size", part.size_bytes),
        );
    }
    Ok(xml(&result))
}
