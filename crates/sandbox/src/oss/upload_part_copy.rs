//! UploadPartCopy: a part copied from an object.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/uploadpartcopy>

use super::call::{Call, Failure, xml};
use super::error::{Code, OssError};
use super::upload_part::{open_upload_id, part_number, put_part};
use super::xml::Element;
use crate::clock::oss_time;
use crate::encoding::percent_decode;
use crate::http::{Response, with_header};
use crate::store::Object;

/// Copies the range, or the entire object, into a part.
pub(super) async fn perform(call: &Call<'_>) -> Result<Response, Failure> {
    let number = part_number(call)?;
    let upload_id = open_upload_id(call)?;
    let source = source(call)?;
    let range = call.head.header("x-oss-copy-source-range");
    // OSS copies the entire object if the range is invalid.
    let (start, length) = range
        .as_deref()
        .and_then(|range| parse_range(range, source.size_bytes))
        .unwrap_or((0, source.size_bytes));
    let stored = call.state.store.copy(&source, start, length).await?;
    let (etag, crc64) = (format!("\"{}\"", stored.checksum.etag()), stored.checksum.crc64);
    put_part(call, &upload_id, number, stored)?;
    let response = xml(&Element::new("CopyPartResult")
        .text("LastModified", oss_time(call.state.clock.now()))
        .text("ETag", &etag));
    // The vendor's Node.js client reads the ETag from the header, not from the XML.
    let response = with_header(response, "etag", &etag);
    Ok(with_header(response, "x-oss-hash-crc64ecma", &crc64.to_string()))
}

/// The object in `x-oss-copy-source: /bucket/key`, with a percent-encoded key.
fn source(call: &Call<'_>) -> Result<Object, OssError> {
    let header = call.head.header("x-oss-copy-source").unwrap_or_default();
    let decoded = percent_decode(&header)
        .ok_or_else(|| OssError::invalid_argument("x-oss-copy-source is not percent-encoded."))?;
    let (bucket, key) = decoded
        .trim_start_matches('/')
        .split_once('/')
        .ok_or_else(|| OssError::invalid_argument("x-oss-copy-source must be /bucket/key."))?;
    call.state.store.object(bucket, key).ok_or_else(|| {
        OssError::new(Code::NoSuchKey, "The object to copy from does not exist.").with("Key", key)
    })
}

fn parse_range(range: &str, size_bytes: u64) -> Option<(u64, u64)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (first, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
    (first <= last && last < size_bytes).then(|| (first, last - first + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_range_is_none() {
        assert_eq!(parse_range("bytes=0-99", 100), Some((0, 100)));
        assert_eq!(parse_range("bytes=10-10", 100), Some((10, 1)));
        assert_eq!(parse_range("bytes=10-100", 100), None);
        assert_eq!(parse_range("10-20", 100), None);
    }
}
