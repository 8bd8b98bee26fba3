//! The requests of FilePond's own uploader (FilePond 4,
//! <https://pqina.nl/filepond/docs/api/server/>): a file in one form, or in chunks that resemble
//! those of tus.
//!
//! A chunked transfer starts with a POST that contains only the file's length. Its response is an
//! id; each PATCH contains the file's name. FilePond repeats a failed chunk in full. After a HEAD
//! it continues with the first chunk that starts at the offset or later. The worker therefore
//! rounds an offset within a chunk down to the start of the chunk, and skips bytes that are already
//! stored.

use ::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use ::http::{HeaderName, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::form::{Field, form_file_name};
use super::header::{UPLOAD_LENGTH, UPLOAD_OFFSET};
use super::{Body, Metadata, NameHint, RequestHead, Response, integer_header};
use crate::error::{Error, ErrorKind, Result};
use crate::units::{ByteCount, UnixMillis};
use crate::upload::UploadId;

/// Longest body of a DELETE, in bytes: an id.
pub const REVERT_BYTES_MAX: usize = 1024;

const CHUNK_CONTENT_TYPE: &str = "application/offset+octet-stream";

/// The supported members of a file's metadata, which have the names of form fields.
const METADATA_MEMBERS: [&str; 5] =
    ["upload_address", "upload_auth", "media_id", "media_token", "title"];

/// A request to `/v1/filepond` or `/v1/filepond/{id}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilePondCall {
    /// POST with Upload-Length: starts a chunked transfer.
    Begin {
        /// The length of the file.
        length: ByteCount,
    },
    /// POST without Upload-Length: a form with the complete file.
    Process,
    /// PATCH: a chunk.
    Chunk(FilePondChunk),
    /// HEAD: the offset of the transfer.
    Offset(UploadId),
    /// DELETE: deletes the transfer. The id is in the body if the path has none.
    Revert(Option<UploadId>),
}

/// The head of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePondChunk {
    /// The id in the response to the POST.
    pub key: UploadId,
    /// The offset of the first byte.
    pub offset: ByteCount,
    /// The length of the chunk, if declared.
    pub length: Option<ByteCount>,
    /// The length of the file.
    pub file_length: ByteCount,
    /// The file name hints in the request.
    pub file_name: NameHint,
}

impl FilePondCall {
    /// Parses a request; `id` is what follows `/v1/filepond/` in its path, or empty. FilePond
    /// itself sends the id in the query, as `patch`.
    ///
    /// # Errors
    /// [`ErrorKind::RequestInvalid`] with the header, [`ErrorKind::MediaTypeUnsupported`],
    /// [`ErrorKind::FileEmpty`], [`ErrorKind::FileTooLarge`] above `size_max`,
    /// [`ErrorKind::UploadNotFound`] for an invalid id.
    pub fn parse(head: &RequestHead, id: &str, size_max: ByteCount) -> Result<Self> {
        let named = if id.is_empty() { id_in_query(head.query()) } else { Some(id.to_owned()) };
        let named = named.map(|id| upload_key(&id)).transpose()?;
        let addressed = || named.clone().ok_or_else(no_id);
        match head.effective_method() {
            Some(Method::POST) => match integer_header(head, &UPLOAD_LENGTH)?.map(ByteCount) {
                None => Ok(Self::Process),
                Some(ByteCount::ZERO) => {
                    Err(Error::new(ErrorKind::FileEmpty, "the file has no bytes"))
                }
                Some(length) if length > size_max => {
                    let message = format!("the file has {length}; {size_max} are taken at most");
                    Err(Error::new(ErrorKind::FileTooLarge, message))
                }
                Some(length) => Ok(Self::Begin { length }),
            },
            Some(Method::PATCH) => FilePondChunk::parse(head, addressed()?).map(Self::Chunk),
            Some(Method::HEAD) => addressed().map(Self::Offset),
            Some(Method::DELETE) => Ok(Self::Revert(named)),
            _ => Err(Error::new(ErrorKind::MethodUnsupported, "this path has no such method")),
        }
    }
}

impl FilePondChunk {
    fn parse(head: &RequestHead, key: UploadId) -> Result<Self> {
        if head.header(CONTENT_TYPE) != Some(CHUNK_CONTENT_TYPE) {
            let message = format!("Content-Type is not {CHUNK_CONTENT_TYPE}");
            return Err(Error::new(ErrorKind::MediaTypeUnsupported, message));
        }
        let required = |name: HeaderName| {
            integer_header(head, &name)?
                .map(ByteCount)
                .ok_or_else(|| Error::field_invalid(name.as_str(), "sent with a chunk"))
        };
        let file_name = head.header("upload-name").unwrap_or_default();
        Ok(Self {
            key,
            offset: required(UPLOAD_OFFSET)?,
            length: integer_header(head, &CONTENT_LENGTH)?.map(ByteCount),
            file_length: required(UPLOAD_LENGTH)?,
            file_name: form_file_name(file_name),
        })
    }

    /// How many bytes of the chunk are already stored if the upload has `durable`.
    ///
    /// # Errors
    /// [`ErrorKind::OffsetMismatch`] for a chunk that starts after `durable`.
    pub fn known_len(&self, durable: ByteCount) -> Result<ByteCount> {
        if self.offset > durable {
            let (offset, durable) = (self.offset.bytes(), durable.bytes());
            let message = format!("the chunk starts at {offset} and the upload is at {durable}");
            return Err(Error::new(ErrorKind::OffsetMismatch, message));
        }
        let known = durable - self.offset;
        Ok(self.length.map_or(known, |length| known.min(length)))
    }
}

/// The stored record of a chunked transfer. It contains no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePondTransfer {
    /// The version of this record.
    version: u8,
    /// When the transfer started, in milliseconds since the Unix epoch.
    pub created_at_ms: u64,
    /// The file's length, in bytes.
    length_bytes: u64,
    /// The media id that the client named and proved to own.
    media_id: Option<String>,
    /// The title that the client sent.
    title: Option<String>,
    /// The size of the chunks, in bytes; `None` before the first one.
    chunk_bytes: Option<u64>,
    /// Whether an upload was created under this id: it is created only once.
    #[serde(default)]
    upload_made: bool,
}

impl FilePondTransfer {
    const VERSION: u8 = 1;

    /// A transfer without chunks. Credentials in `metadata` are not stored.
    #[must_use]
    pub fn new(created_at: UnixMillis, length: ByteCount, metadata: &Metadata) -> Self {
        let text = |key| metadata.text(&[key]).map(str::to_owned);
        Self {
            version: Self::VERSION,
            created_at_ms: created_at.0,
            length_bytes: length.bytes(),
            media_id: text("media_id"),
            title: text("title"),
            chunk_bytes: None,
            upload_made: false,
        }
    }

    /// The transfer once its first chunk, of `length` bytes, is known.
    #[must_use]
    pub fn with_chunk_size(self, length: Option<ByteCount>) -> Self {
        Self { chunk_bytes: length.map(ByteCount::bytes), ..self }
    }

    /// The transfer once its upload was created.
    #[must_use]
    pub fn mark_upload_created(self) -> Self {
        Self { upload_made: true, ..self }
    }

    /// Returns true if the upload was created. If that upload no longer exists, neither does the
    /// file.
    #[must_use]
    pub const fn is_upload_created(&self) -> bool {
        self.upload_made
    }

    /// The metadata that the client sent.
    #[must_use]
    pub fn metadata(&self) -> Metadata {
        let mut metadata = Metadata::default();
        metadata.set("title", self.title.as_deref().unwrap_or_default());
        metadata
    }

    /// The media that the file continues. Its ownership was verified at the POST.
    #[must_use]
    pub fn media_id(&self) -> Option<&str> {
        self.media_id.as_deref()
    }

    /// The key of the record.
    #[must_use]
    pub fn name(key: &UploadId) -> String {
        format!("u.{}.filepond", key.as_str())
    }

    /// The upload whose record has the key `name`.
    #[must_use]
    pub fn key_of(name: &str) -> Option<UploadId> {
        UploadId::new(name.strip_prefix("u.")?.strip_suffix(".filepond")?)
    }

    /// The stored form.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`], which no value of this type causes.
    pub fn encode(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self)
            .map_err(|error| Error::new(ErrorKind::Internal, format!("a transfer: {error}")))
    }

    /// The transfer in a stored form.
    ///
    /// # Errors
    /// [`ErrorKind::CheckpointNewer`] for a later version, [`ErrorKind::CheckpointCorrupt`] for any
    /// other invalid record.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let corrupt = || Error::new(ErrorKind::CheckpointCorrupt, "the stored transfer is none");
        let value: Value = serde_json::from_slice(bytes).map_err(|_| corrupt())?;
        match value["version"].as_u64() {
            Some(version) if version > u64::from(Self::VERSION) => {
                let message = format!("the stored transfer has version {version}");
                Err(Error::new(ErrorKind::CheckpointNewer, message))
            }
            _ => serde_json::from_value(value).map_err(|_| corrupt()),
        }
    }

    /// The offset from which the client continues if `durable` bytes are stored: the start of the
    /// chunk that contains it.
    #[must_use]
    pub fn resume_offset(&self, durable: ByteCount) -> ByteCount {
        match self.chunk_bytes {
            Some(chunk) if chunk > 0 && durable.bytes() < self.length_bytes => {
                ByteCount(durable.bytes() - durable.bytes() % chunk)
            }
            _ => durable,
        }
    }

    /// Checks that the chunk belongs to this file.
    ///
    /// # Errors
    /// [`ErrorKind::LengthInconsistent`].
    pub fn check(&self, chunk: &FilePondChunk) -> Result<()> {
        if chunk.file_length.bytes() == self.length_bytes {
            return Ok(());
        }
        let message = "the chunk is of a file of another length than the one that was begun";
        Err(Error::new(ErrorKind::LengthInconsistent, message))
    }
}

/// The form fields in `field`: FilePond sends the metadata of a file as a JSON object under the
/// name of the input.
#[must_use]
pub fn metadata_fields(field: Field) -> Vec<Field> {
    let Ok(Value::Object(members)) = serde_json::from_slice(&field.value) else {
        return vec![field];
    };
    let texts = members.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) if METADATA_MEMBERS.contains(&name.as_str()) => {
            Some(Field { name, value: Zeroizing::new(text.into_bytes()) })
        }
        _ => None,
    });
    texts.collect()
}

/// The id in the body of a DELETE.
///
/// # Errors
/// [`ErrorKind::UploadNotFound`] for an invalid id.
pub fn key_in_body(body: &[u8]) -> Result<UploadId> {
    upload_key(std::str::from_utf8(body).unwrap_or_default().trim())
}

/// The response to a POST: the id of the file. Its state, including the media id, is at
/// `/v1/files/{id}` once its upload is created.
#[must_use]
pub fn transfer_created(key: &UploadId, media_id: &str) -> Response {
    let body = Body::Text(key.as_str().to_owned());
    Response::of_type("text/plain; charset=utf-8", StatusCode::CREATED, body)
        .with_header(LOCATION, format!("/v1/filepond/{}", key.as_str()))
        .with_media_id(media_id)
}

/// The response to a PATCH whose bytes are durable up to `offset`.
#[must_use]
pub fn filepond_stored(offset: ByteCount, media_id: &str) -> Response {
    Response::empty(StatusCode::NO_CONTENT)
        .with_header(UPLOAD_OFFSET, offset.bytes())
        .with_media_id(media_id)
}

/// The response to HEAD.
#[must_use]
pub fn filepond_offset(offset: ByteCount, transfer: &FilePondTransfer) -> Response {
    Response::empty(StatusCode::OK)
        .with_header(UPLOAD_OFFSET, offset.bytes())
        .with_header(UPLOAD_LENGTH, transfer.length_bytes)
        .with_header(CACHE_CONTROL, "no-store")
}

fn id_in_query(query: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find_map(|(name, id)| (name == "patch" && !id.is_empty()).then(|| id.into_owned()))
}

fn upload_key(id: &str) -> Result<UploadId> {
    UploadId::new(id).ok_or_else(no_id)
}

fn no_id() -> Error {
    Error::new(ErrorKind::UploadNotFound, "no upload has this id")
}

#[cfg(test)]
#[path = "filepond_tests.rs"]
mod tests;
