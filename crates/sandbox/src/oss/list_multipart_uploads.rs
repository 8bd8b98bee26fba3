//! ListMultipartUploads: a page of the open uploads of a bucket.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/listmultipartuploads>

use super::call::{Call, Failure, MAX_PAGE, xml};
use super::listing::{Line, page};
use super::xml::Element;
use crate::clock::oss_time;
use crate::http::Response;
use crate::store::Upload;

/// Lists by key and then by upload ID.
pub(super) fn perform(call: &Call<'_>) -> Result<Response, Failure> {
    let encoding = call.key_encoding()?;
    let page_size = call.page_size("max-uploads", MAX_PAGE)?;
    let parameter = |name| call.head.query_value(name).unwrap_or_default();
    let (prefix, delimiter) = (parameter("prefix"), parameter("delimiter"));
    let key_marker = parameter("key-marker");
    // OSS ignores the upload ID marker when there is no key marker.
    let id_marker = if key_marker.is_empty() { "" } else { parameter("upload-id-marker") };
    let uploads = call.state.store.uploads();
    let skip = |upload: &&Upload| {
        let same_key_listed =
            upload.key == key_marker && (id_marker.is_empty() || upload.id.as_str() <= id_marker);
        upload.key.as_str() < key_marker || same_key_listed
    };
    let page = page(
        uploads.iter().filter(|upload| upload.bucket == call.bucket),
        |upload| &upload.key,
        prefix,
        delimiter,
        key_marker,
        skip,
        page_size,
    );
    let (next_key, next_id) = match page.lines.last().filter(|_| page.truncated) {
        Some(Line::Single(upload)) => (upload.key.as_str(), upload.id.as_str()),
        Some(Line::CommonPrefix(common)) => (common.as_str(), ""),
        None => ("", ""),
    };
    let mut result = Element::new("ListMultipartUploadsResult")
        .optional_text("EncodingType", encoding.name())
        .text("Bucket", call.bucket)
        .text("KeyMarker", encoding.write(key_marker))
        .text("UploadIdMarker", id_marker)
        .text("NextKeyMarker", encoding.write(next_key))
        .text("NextUploadIdMarker", next_id)
        .text("Delimiter", encoding.write(delimiter))
        .text("Prefix", encoding.write(prefix))
        .value("MaxUploads", page_size)
        .value("IsTruncated", page.truncated);
    for line in &page.lines {
        result = result.child(&match line {
            Line::Single(upload) => Element::new("Upload")
                .text("Key", encoding.write(&upload.key))
                .text("UploadId", &upload.id)
                .text("StorageClass", "Standard")
                .text("Initiated", oss_time(upload.initiated)),
            Line::CommonPrefix(common) => {
                Element::new("CommonPrefixes").text("Prefix", encoding.write(common))
            }
        });
    }
    Ok(xml(&result))
}
