//! GetObject and HeadObject.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/getobject>

use http::{HeaderName, HeaderValue, StatusCode};

use super::call::{Call, Failure};
use super::error::{Code, OssError};
use crate::clock::http_date;
use crate::http::{Response, empty, streamed, with_header};
use crate::store::Object;

/// Returns the object or the requested range.
pub(super) fn get(call: &Call<'_>) -> Result<Response, Failure> {
    let object = find(call)?;
    if !call.state.store.stores_bodies() {
        return Err(OssError::new(
            Code::NotImplemented,
            "The sandbox was started with --discard-bodies and stores no bytes.",
        )
        .into());
    }
    let range = call.head.header("range");
    let response = match range.as_deref().map(|range| parse_range(range, object.size_bytes)) {
        None | Some(Range::Ignored) => {
            let chunks = call.state.store.read(&object, 0, object.size_bytes);
            streamed(StatusCode::OK, object.size_bytes, chunks)
        }
        Some(Range::Part { start, length }) => {
            let chunks = call.state.store.read(&object, start, length);
            let content_range =
                format!("bytes {start}-{}/{}", start + length - 1, object.size_bytes);
            let response = streamed(StatusCode::PARTIAL_CONTENT, length, chunks);
            with_header(response, "content-range", &content_range)
        }
        Some(Range::Unsatisfiable) => {
            return Err(OssError::new(
                Code::InvalidRange,
                "The requested range cannot be satisfied.",
            )
            .with("ActualObjectSize", object.size_bytes.to_string())
            .into());
        }
    };
    Ok(describe(response, &object))
}

/// Returns the headers of [`get`].
pub(super) fn head(call: &Call<'_>) -> Result<Response, Failure> {
    let object = find(call)?;
    let length = object.size_bytes.to_string();
    let response = with_header(empty(StatusCode::OK), "content-length", &length);
    Ok(describe(response, &object))
}

fn find(call: &Call<'_>) -> Result<Object, OssError> {
    call.state.store.object(call.bucket, call.key).ok_or_else(|| {
        OssError::new(Code::NoSuchKey, "The specified key does not exist.").with("Key", call.key)
    })
}

fn describe(mut response: Response, object: &Object) -> Response {
    let kind = if object.multipart { "Multipart" } else { "Normal" };
    response = with_header(response, "content-type", "application/octet-stream");
    for (name, value) in &object.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            response.headers_mut().insert(name, value);
        }
    }
    response = with_header(response, "accept-ranges", "bytes");
    response = with_header(response, "etag", &format!("\"{}\"", object.etag));
    response = with_header(response, "last-modified", &http_date(object.modified));
    response = with_header(response, "x-oss-hash-crc64ecma", &object.crc64.to_string());
    response = with_header(response, "x-oss-object-type", kind);
    with_header(response, "x-oss-storage-class", "Standard")
}

#[derive(Debug, PartialEq, Eq)]
enum Range {
    Part {
        start: u64,
        length: u64,
    },
    /// Not a single range of bytes: the entire object is sent, as RFC 9110 §14.2 allows.
    Ignored,
    Unsatisfiable,
}

fn parse_range(header: &str, size_bytes: u64) -> Range {
    let Some((first, last)) = header.strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return Range::Ignored;
    };
    let (start, end) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(size_bytes)),
        (Ok(first), Err(_)) if last.is_empty() => (first, size_bytes),
        (Err(_), Ok(suffix)) if first.is_empty() => (size_bytes.saturating_sub(suffix), size_bytes),
        _ => return Range::Ignored,
    };
    if start >= end {
        return Range::Unsatisfiable;
    }
    Range::Part { start, length: end - start }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_range_is_parsed() {
        let part = |start, length| Range::Part { start, length };
        assert_eq!(parse_range("bytes=0-9", 100), part(0, 10));
        assert_eq!(parse_range("bytes=90-200", 100), part(90, 10));
        assert_eq!(parse_range("bytes=40-", 100), part(40, 60));
        assert_eq!(parse_range("bytes=-5", 100), part(95, 5));
        assert_eq!(parse_range("bytes=100-", 100), Range::Unsatisfiable);
        assert_eq!(parse_range("bytes=5-2", 100), Range::Ignored);
        assert_eq!(parse_range("bytes=0-1,4-5", 100), Range::Ignored);
    }
}
