//! UploadPartCopy: a part taken from a stored object.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/uploadpartcopy>

use super::call::{Call, Failure, xml};
use super::error::{Code, OssError};
use super::upload_part::{open_upload_id, part_number, put_part};
use super::xml::Element;
use crate::clock::oss_time;
use crate::encoding::percent_decode;
use crate::http::{Reply, with_header};
use crate::store::Object;

/// Copies the range, or the whole object, into a part.
pub(super) async fn perform(call: &Call<'_>) -> Result<Reply, Failure> {
    let number = part_number(call)?;
    let upload_id = open_upload_id(call)?;
    let source = source(call)?;
    let range = call.head.header("x-oss-copy-source-range");
    // OSS copies the whole object when it cannot make sense of the range.
    let (start, length) = range
        .as_deref()
        .and_then(|range| parse_range(range, source.size_bytes))
        .unwrap_or((0, source.size_bytes));
    let stored = call.state.store.copy(&source, start, length).await?;
    let (etag, crc64) = (format!("\"{}\"", stored.checksum.etag()), stored.checksum.crc64);
    put_part(call, &upload_id, number, stored)?;
    let reply = xml(&Element::new("CopyPartResult")
        .text("LastModified", oss_time(call.state.clock.now()))
        .text("ETag", &etag));
    // The vendor's Node.js client takes the ETag from the header, not from the XML.
    let reply = with_header(reply, "etag", &etag);
    Ok(with_header(reply, "x-oss-hash-crc64ecma", &crc64.to_string()))
}

/// The object that `x-oss-copy-source: /bucket/key` names, the key percent-encoded.
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
    fn a_range_is_start_and_length_or_nothing() {
        assert_eq!(parse_range("bytes=0-99", 100), Some((0, 100)));
        assert_eq!(parse_range("bytes=10-10", 100), Some((10, 1)));
        assert_eq!(parse_range("bytes=10-100", 100), None);
        assert_eq!(parse_range("10-20", 100), None);
    }
}
