//! What FilePond's own uploader sends (FilePond 4, <https://pqina.nl/filepond/docs/api/server/>): a
//! file in one form, or in chunks that look like those of tus and are not.
//!
//! The chunks begin with a POST that names the file's length alone and is answered with an id; the
//! file's name comes with each PATCH. A chunk that failed is sent again whole, and after a HEAD the
//! client goes on with the first chunk that begins at the offset or later. So an offset within a
//! chunk is told as that chunk's beginning, and bytes that are there already are read over.

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
use crate::upload::UploadKey;

/// Longest body of a DELETE that is read, in bytes: it is an id.
pub const REVERT_BYTES_MAX: usize = 1024;

const CHUNK_CONTENT_TYPE: &str = "application/offset+octet-stream";

/// The members of a file's metadata that mean something here, by the names of a form's fields.
const METADATA_MEMBERS: [&str; 5] =
    ["upload_address", "upload_auth", "media_id", "media_token", "title"];

/// What a request to `/v1/filepond` or `/v1/filepond/{id}` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilePondCall {
    /// POST with Upload-Length: an id for a file that comes in chunks.
    Begin {
        /// The file's length.
        length: ByteCount,
    },
    /// POST without it: a form with the whole file.
    Process,
    /// PATCH: a chunk.
    Chunk(FilePondChunk),
    /// HEAD: where to go on.
    Offset(UploadKey),
    /// DELETE: the file is not wanted. Where the address has no id, the body has it.
    Revert(Option<UploadKey>),
}

/// The head of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePondChunk {
    /// The id that the POST was answered with.
    pub key: UploadKey,
    /// Where the chunk begins.
    pub offset: ByteCount,
    /// How many bytes it has, where that is declared.
    pub length: Option<ByteCount>,
    /// The length of the whole file.
    pub file_length: ByteCount,
    /// What the chunk says about the file's name.
    pub file_name: NameHint,
}

impl FilePondCall {
    /// Reads a request; `id` is what its path has after `/v1/filepond/`, or empty. FilePond itself
    /// names the id in the query, as `patch`.
    ///
    /// # Errors
    /// [`ErrorKind::RequestInvalid`] with the header, [`ErrorKind::MediaTypeUnsupported`],
    /// [`ErrorKind::FileEmpty`], [`ErrorKind::FileTooLarge`] above `size_max`,
    /// [`ErrorKind::UploadNotFound`] for an id that is none.
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
    fn parse(head: &RequestHead, key: UploadKey) -> Result<Self> {
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

    /// How many of the chunk's bytes are there already, where the upload has `durable`.
    ///
    /// # Errors
    /// [`ErrorKind::OffsetMismatch`] for a chunk that begins behind them.
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

/// What is kept of a file in chunks, from its POST on. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePondTransfer {
    /// The version of this record.
    version: u8,
    /// When it began, in milliseconds since the Unix epoch.
    pub created_at_ms: u64,
    /// The file's length, in bytes.
    length_bytes: u64,
    /// The media id that the client named, once its client has proved that it owns the media.
    media_id: Option<String>,
    /// The title that the client named.
    title: Option<String>,
    /// How large the chunks are, in bytes, once the first has come.
    chunk_bytes: Option<u64>,
    /// True once an upload was made under this id: none is made a second time.
    #[serde(default)]
    upload_made: bool,
}

impl FilePondTransfer {
    const VERSION: u8 = 1;

    /// A transfer of which no chunk has come. Of `metadata`, no credential is kept.
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

    /// The same once its first chunk has come, of `length` bytes.
    #[must_use]
    pub fn with_chunk_size(self, length: Option<ByteCount>) -> Self {
        Self { chunk_bytes: length.map(ByteCount::bytes), ..self }
    }

    /// The same once an upload was made for it.
    #[must_use]
    pub fn mark_upload_created(self) -> Self {
        Self { upload_made: true, ..self }
    }

    /// Whether an upload was made for it. Where that one is gone, so is the file.
    #[must_use]
    pub const fn is_upload_created(&self) -> bool {
        self.upload_made
    }

    /// What the client said of the file.
    #[must_use]
    pub fn metadata(&self) -> Metadata {
        let mut metadata = Metadata::default();
        metadata.set("title", self.title.as_deref().unwrap_or_default());
        metadata
    }

    /// The media that the file continues. Its ownership was checked at the POST.
    #[must_use]
    pub fn media_id(&self) -> Option<&str> {
        self.media_id.as_deref()
    }

    /// Where it is kept.
    #[must_use]
    pub fn name(key: &UploadKey) -> String {
        format!("u.{}.filepond", key.as_str())
    }

    /// The id whose transfer is kept under `name`, if one is.
    #[must_use]
    pub fn key_of(name: &str) -> Option<UploadKey> {
        UploadKey::new(name.strip_prefix("u.")?.strip_suffix(".filepond")?)
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
    /// [`ErrorKind::CheckpointNewer`] for a later version, [`ErrorKind::CheckpointCorrupt`] for
    /// anything else that is none.
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

    /// Where the client is to go on, where `durable` bytes are there: at the beginning of the chunk
    /// that they end in.
    #[must_use]
    pub fn resume_offset(&self, durable: ByteCount) -> ByteCount {
        match self.chunk_bytes {
            Some(chunk) if chunk > 0 && durable.bytes() < self.length_bytes => {
                ByteCount(durable.bytes() - durable.bytes() % chunk)
            }
            _ => durable,
        }
    }

    /// Whether a chunk is of this file.
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

/// The fields that a form of FilePond stands for: a file's metadata comes as one JSON object, under
/// the name of the input.
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
/// [`ErrorKind::UploadNotFound`] where it is none.
pub fn key_in_body(body: &[u8]) -> Result<UploadKey> {
    upload_key(std::str::from_utf8(body).unwrap_or_default().trim())
}

/// The answer to a POST: the id of the file, also where it is whole. Its state is at
/// `/v1/files/{id}` as soon as it has a name, and has its media id.
#[must_use]
pub fn transfer_created(key: &UploadKey, media_id: &str) -> Response {
    let body = Body::Text(key.as_str().to_owned());
    Response::of_type("text/plain; charset=utf-8", StatusCode::CREATED, body)
        .with_header(LOCATION, format!("/v1/filepond/{}", key.as_str()))
        .with_media_id(media_id)
}

/// The answer to a PATCH, of which all is durable up to `offset`.
#[must_use]
pub fn filepond_stored(offset: ByteCount, media_id: &str) -> Response {
    Response::empty(StatusCode::NO_CONTENT)
        .with_header(UPLOAD_OFFSET, offset.bytes())
        .with_media_id(media_id)
}

/// The answer to a HEAD.
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

fn upload_key(id: &str) -> Result<UploadKey> {
    UploadKey::new(id).ok_or_else(no_id)
}

fn no_id() -> Error {
    Error::new(ErrorKind::UploadNotFound, "no upload has this id")
}

#[cfg(test)]
#[path = "filepond_tests.rs"]
mod tests;
