//! ListObjects and ListObjectsV2: a page of the objects of a bucket.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/listobjectsv2>

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::call::{Call, Failure, xml};
use super::error::OssError;
use super::listing::{Line, page};
use super::xml::Element;
use crate::clock::oss_time;
use crate::http::Response;
use crate::store::Object;

/// Lists by key. Version 1 continues after a marker, which is a key; `list-type=2` continues with
/// an opaque continuation token.
pub(super) fn perform(call: &Call<'_>) -> Result<Response, Failure> {
    let encoding = call.key_encoding()?;
    let page_size = call.page_size("max-keys", DEFAULT_PAGE)?;
    let parameter = |name| call.head.query_value(name).unwrap_or_default();
    let second_version = match parameter("list-type") {
        "" => false,
        "2" => true,
        _ => return Err(OssError::invalid_argument("list-type must be 2.").into()),
    };
    let (prefix, delimiter) = (parameter("prefix"), parameter("delimiter"));
    let marker = match (second_version, parameter("continuation-token")) {
        (false, _) => parameter("marker").to_owned(),
        (true, "") => parameter("start-after").to_owned(),
        (true, token) => parse_token(token)?,
    };
    let objects = call.state.store.objects(call.bucket);
    let page = page(
        objects.iter(),
        |object: &&Object| &object.key,
        prefix,
        delimiter,
        &marker,
        |object| object.key <= marker,
        page_size,
    );
    let next = match page.lines.last().filter(|_| page.truncated) {
        Some(Line::Single(object)) => Some(object.key.as_str()),
        Some(Line::CommonPrefix(common)) => Some(common.as_str()),
        None => None,
    };
    let mut result = Element::new("ListBucketResult")
        .optional_text("EncodingType", encoding.name())
        .text("Name", call.bucket)
        .text("Prefix", encoding.write(prefix))
        .text("Delimiter", encoding.write(delimiter))
        .value("MaxKeys", page_size)
        .value("IsTruncated", page.truncated);
    result = if second_version {
        result
            .value("KeyCount", page.lines.len())
            .optional_text("NextContinuationToken", next.map(token))
    } else {
        result
            .text("Marker", encoding.write(&marker))
            .optional_text("NextMarker", next.map(|key| encoding.write(key)))
    };
    for line in &page.lines {
        result = result.child(&match line {
            Line::Single(object) => Element::new("Contents")
                .text("Key", encoding.write(&object.key))
                .text("LastModified", oss_time(object.modified))
                .text("ETag", format!("\"{}\"", object.etag))
                .text("Type", if object.multipart { "Multipart" } else { "Normal" })
                .value("Size", object.size_bytes)
                .text("StorageClass", "Standard"),
            Line::CommonPrefix(common) => {
                Element::new("CommonPrefixes").text("Prefix", encoding.write(common))
            }
        });
    }
    Ok(xml(&result))
}

/// The continuation token for the last key of a page. It is encoded because clients percent-decode
/// keys.
fn token(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

fn parse_token(token: &str) -> Result<String, OssError> {
    let key = URL_SAFE_NO_PAD.decode(token).ok();
    key.and_then(|key| String::from_utf8(key).ok())
        .ok_or_else(|| OssError::invalid_argument("The continuation token is not valid."))
}

const DEFAULT_PAGE: usize = 100;
