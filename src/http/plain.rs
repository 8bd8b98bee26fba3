//! `PUT` and `POST /v1/uploads/{file-name}`: a file in one request, as `curl -T` sends it.

use ::http::StatusCode;
use ::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use serde::Serialize;

use super::media_type::file_media_type;
use super::{NameHint, RequestHead, Response, integer_header};
use crate::crc64::Crc64;
use crate::error::{Error, ErrorKind, Result};
use crate::units::ByteCount;
use crate::upload::{CompletedObject, UploadRecord};

/// A request whose body is the complete file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainFile {
    /// The file name hints in the request.
    pub file_name: NameHint,
    /// The length of the body, if declared.
    pub length: Option<ByteCount>,
    /// The Content-Type of the file, if known.
    pub content_type: Option<String>,
}

impl PlainFile {
    /// Parses the head of a request to `/v1/uploads/{file_name}`.
    ///
    /// # Errors
    /// Returns [`ErrorKind::RequestInvalid`] for an invalid name or length, and
    /// [`ErrorKind::FileEmpty`] for a declared length of zero.
    pub fn parse(head: &RequestHead, file_name: &str) -> Result<Self> {
        let length = integer_header(head, &CONTENT_LENGTH)?.map(ByteCount);
        if length.is_some_and(ByteCount::is_zero) {
            return Err(Error::new(ErrorKind::FileEmpty, "the file has no bytes"));
        }
        let content_type = file_media_type(head.header(CONTENT_TYPE)).map(str::to_owned);
        let file_name = NameHint::new("file-name")
            .with_path_segment(file_name)?
            .or_media_type(content_type.as_deref());
        Ok(Self { file_name, length, content_type })
    }
}

/// The response once the object is complete.
#[must_use]
pub fn created(record: &UploadRecord, object: &CompletedObject) -> Response {
    Response::json(StatusCode::CREATED, &StoredFile::new(record, object))
}

/// A stored file as a JSON object. The members are in alphabetical order.
#[derive(Clone, Debug, Serialize)]
pub(super) struct StoredFile {
    pub(super) bucket: String,
    pub(super) crc64: String,
    pub(super) etag: String,
    pub(super) kind: &'static str,
    pub(super) media_id: String,
    pub(super) object: String,
    /// In bytes.
    pub(super) size: u64,
}

impl StoredFile {
    pub(super) fn new(record: &UploadRecord, object: &CompletedObject) -> Self {
        Self {
            bucket: record.target.bucket.clone(),
            crc64: Crc64(object.crc64).to_string(),
            etag: object.etag.clone(),
            kind: if record.credential_from_vod { "video" } else { media_kind(&record.file_name) },
            media_id: record.media_id.clone(),
            object: record.target.object.clone(),
            size: object.size_bytes,
        }
    }
}

/// The kind of media for the extension of the file name: `image` or `video`, which is also VOD's
/// term for audio.
fn media_kind(file_name: &str) -> &'static str {
    let extension = file_name.rsplit('.').next().unwrap_or_default().to_lowercase();
    match extension.as_str() {
        "png" | "jpg" | "jpeg" | "heic" | "webp" => "image",
        _ => "video",
    }
}
