//! `PUT` and `POST /v1/uploads/{file-name}`: a whole file in one request, as `curl -T` sends it.

use serde_json::{Value, json};

use super::{Head, NameHint, Response, integer_header, is_header_value};
use crate::crc64::Crc64;
use crate::error::{Error, ErrorKind, Result};
use crate::units::ByteCount;
use crate::upload::{FinishedObject, UploadRecord};

/// A request that brings a whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainFile {
    /// What the request says about the file's name.
    pub file_name: NameHint,
    /// The body's length, where it is declared.
    pub length: Option<ByteCount>,
    /// The Content-Type, where one is named.
    pub content_type: Option<String>,
}

impl PlainFile {
    /// Reads the head of a request to `/v1/uploads/{file_name}`.
    ///
    /// # Errors
    /// [`ErrorKind::RequestInvalid`] for a wrong name or length, [`ErrorKind::FileEmpty`] for a
    /// declared length of zero, [`ErrorKind::MediaTypeUnsupported`] for a form.
    pub fn parse(head: &Head, file_name: &str) -> Result<Self> {
        let named = head.header("content-type").unwrap_or_default();
        if named.to_ascii_lowercase().starts_with("multipart/form-data") {
            let message = "Content-Type is that of a form: send it to /v1/uploads";
            return Err(Error::new(ErrorKind::MediaTypeUnsupported, message));
        }
        let length = integer_header(head, "content-length")?.map(ByteCount);
        if length.is_some_and(ByteCount::is_zero) {
            return Err(Error::new(ErrorKind::FileEmpty, "the file has no bytes"));
        }
        let content_type = content_type(head);
        let file_name = NameHint::new("file-name")
            .with_path_segment(file_name)?
            .or_media_type(content_type.as_deref());
        Ok(Self { file_name, length, content_type })
    }
}

/// The answer once the object is whole.
#[must_use]
pub fn created(record: &UploadRecord, object: &FinishedObject) -> Response {
    Response::json(201, &stored(record, object))
}

/// What a stored object is, as JSON.
pub(super) fn stored(record: &UploadRecord, object: &FinishedObject) -> Value {
    json!({
        "media_id": record.media_id,
        "kind": if record.minted { "video" } else { media_kind(&record.file_name) },
        "bucket": record.target.bucket,
        "object": record.target.object,
        "size": object.size_bytes,
        "crc64": Crc64(object.crc64).to_string(),
        "etag": object.etag,
    })
}

/// The kind of media by the extension of the file's name: `image` or `video` (which is VOD's word
/// for audio, too).
#[must_use]
pub fn media_kind(file_name: &str) -> &'static str {
    let extension = file_name.rsplit('.').next().unwrap_or_default().to_lowercase();
    match extension.as_str() {
        "png" | "jpg" | "jpeg" | "heic" | "webp" => "image",
        _ => "video",
    }
}

/// The Content-Type to give the object: what the client names, unless that only describes the
/// request.
fn content_type(head: &Head) -> Option<String> {
    let named = head.header("content-type")?;
    let describes_request =
        ["application/x-www-form-urlencoded", "application/offset+octet-stream"].contains(&named);
    (is_header_value(named) && !describes_request).then(|| named.to_owned())
}
