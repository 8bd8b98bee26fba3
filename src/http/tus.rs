//! tus 1.0.0, core and creation (<https://tus.io/protocols/resumable-upload>).

use super::{
    FileName, Head, Metadata, Response, UploadStatus, integer_header, invalid, is_header_value,
};
use crate::error::{Error, ErrorKind, Result};
use crate::units::ByteCount;
use crate::upload::UploadKey;

/// The version of the protocol that is spoken.
pub const PROTOCOL_VERSION: &str = "1.0.0";

const EXTENSIONS: &str = "creation,termination";
const CHUNK_CONTENT_TYPE: &str = "application/offset+octet-stream";

/// The head of a POST that creates an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    /// The file's name, from the metadata `filename` or `name`.
    pub file_name: FileName,
    /// The declared length.
    pub length: ByteCount,
    /// The metadata.
    pub metadata: Metadata,
    /// The object's Content-Type, from the metadata `filetype` or `type`.
    pub content_type: Option<String>,
}

/// The head of a PATCH that brings bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Where its bytes start.
    pub offset: ByteCount,
    /// How many there are, where that is declared.
    pub length: Option<ByteCount>,
}

/// The answer to a request that names another version of the protocol, or none ("Tus-Resumable").
/// `None` where the version is right.
#[must_use]
pub fn wrong_version(head: &Head) -> Option<Response> {
    if head.header("tus-resumable") == Some(PROTOCOL_VERSION) {
        return None;
    }
    let message = "Tus-Resumable is missing or another version than the one that is spoken";
    let error = Error::new(ErrorKind::ProtocolVersionUnsupported, message);
    let refused = with_version(super::problem(&error, None));
    Some(refused.with_header("tus-version", PROTOCOL_VERSION))
}

/// The answer to OPTIONS; `size_max` is the largest file that is taken.
#[must_use]
pub fn discovered(size_max: ByteCount) -> Response {
    tus(204)
        .with_header("tus-version", PROTOCOL_VERSION)
        .with_header("tus-extension", EXTENSIONS)
        .with_header("tus-max-size", size_max.bytes().to_string())
}

impl Creation {
    /// Reads a POST.
    ///
    /// # Errors
    /// [`ErrorKind::RequestInvalid`] which names the header, [`ErrorKind::FileEmpty`],
    /// [`ErrorKind::FileTooLarge`] above `size_max`.
    pub fn parse(head: &Head, size_max: ByteCount) -> Result<Self> {
        if head.header("upload-defer-length").is_some() {
            return Err(invalid("Upload-Defer-Length is not supported: send Upload-Length"));
        }
        let length = integer_header(head, "upload-length")?
            .map(ByteCount)
            .ok_or_else(|| invalid("Upload-Length is missing"))?;
        if length.is_zero() {
            return Err(Error::new(ErrorKind::FileEmpty, "the file has no bytes"));
        }
        if length > size_max {
            let message = format!("the file has {length}; {size_max} are taken at most");
            return Err(Error::new(ErrorKind::FileTooLarge, message));
        }
        if integer_header(head, "content-length")?.is_some_and(|length| length > 0) {
            return Err(invalid("a POST with a body is not supported: send the bytes with PATCH"));
        }
        let metadata = match head.header("upload-metadata") {
            Some(header) => Metadata::parse(header)?,
            None => Metadata::default(),
        };
        let file_name = metadata
            .text(&["filename", "name"])
            .ok_or_else(|| invalid("Upload-Metadata has no filename"))?;
        let file_name = FileName::new(file_name)?;
        let text = |keys: &[&str]| metadata.text(keys).filter(|text| !text.is_empty());
        let content_type = text(&["filetype", "type"]).filter(|text| is_header_value(text));
        Ok(Self { file_name, length, content_type: content_type.map(str::to_owned), metadata })
    }
}

impl Chunk {
    /// Reads a PATCH.
    ///
    /// # Errors
    /// [`ErrorKind::MediaTypeUnsupported`] for another Content-Type, [`ErrorKind::RequestInvalid`]
    /// which names the header.
    pub fn parse(head: &Head) -> Result<Self> {
        if head.header("content-type") != Some(CHUNK_CONTENT_TYPE) {
            let message = format!("Content-Type is not {CHUNK_CONTENT_TYPE}");
            return Err(Error::new(ErrorKind::MediaTypeUnsupported, message));
        }
        let offset = integer_header(head, "upload-offset")?
            .ok_or_else(|| invalid("Upload-Offset is missing"))?;
        let length = integer_header(head, "content-length")?;
        Ok(Self { offset: ByteCount(offset), length: length.map(ByteCount) })
    }
}

/// The answer to a POST that created the upload `key`.
#[must_use]
pub fn resource_created(key: &UploadKey, media_id: &str) -> Response {
    let response = tus(201).with_header("location", format!("/v1/files/{}", key.as_str()));
    with_media_id(response, media_id)
}

/// The answer to HEAD.
#[must_use]
pub fn offset(status: &UploadStatus) -> Response {
    let mut response = tus(200)
        .with_header("upload-offset", status.durable().bytes().to_string())
        .with_header("cache-control", "no-store");
    if let Some(length) = status.record.length_bytes {
        response = response.with_header("upload-length", length.to_string());
    }
    if let Some(metadata) = &status.record.client_metadata {
        response = response.with_header("upload-metadata", metadata.clone());
    }
    with_media_id(response, &status.record.media_id)
}

/// The answer to a PATCH whose bytes are durable up to `offset`.
#[must_use]
pub fn chunk_stored(offset: ByteCount, media_id: &str) -> Response {
    with_media_id(tus(204).with_header("upload-offset", offset.bytes().to_string()), media_id)
}

/// The answer to a PATCH that ended with `error`; `offset` is where the client goes on.
#[must_use]
pub fn chunk_ended(error: &Error, offset: Option<ByteCount>, media_id: &str) -> Response {
    let response = with_version(super::problem(error, Some(media_id)));
    match offset {
        Some(offset) => response.with_header("upload-offset", offset.bytes().to_string()),
        None => response,
    }
}

/// The answer to DELETE.
#[must_use]
pub fn terminated() -> Response {
    tus(204)
}

fn tus(status: u16) -> Response {
    with_version(Response::empty(status))
}

fn with_version(response: Response) -> Response {
    response.with_header("tus-resumable", PROTOCOL_VERSION)
}

fn with_media_id(response: Response, media_id: &str) -> Response {
    if media_id.is_empty() { response } else { response.with_header("media-id", media_id) }
}

#[cfg(test)]
#[path = "tus_tests.rs"]
mod tests;
