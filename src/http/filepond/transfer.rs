//! The stored record of a chunked transfer.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::FilePondChunk;
use crate::error::{Error, ErrorKind, Result};
use crate::http::Metadata;
use crate::units::{ByteCount, UnixMillis};
use crate::upload::UploadId;

/// The stored record of a chunked transfer. It contains no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePondTransfer {
    /// The version of this record.
    version: u8,
    /// When the transfer started, in milliseconds since the Unix epoch.
    pub created_at_ms: u64,
    /// The file's length, in bytes.
    length_bytes: u64,
    /// The media ID of the client, whose ownership was verified.
    media_id: Option<String>,
    /// The media ID that the worker created for the file, before it stored the upload.
    #[serde(default)]
    created_media_id: Option<String>,
    /// The title that the client sent.
    title: Option<String>,
    /// The size of the chunks, in bytes; `None` before the first one.
    chunk_bytes: Option<u64>,
    /// Whether an upload was created under this ID: it is created only once.
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
            created_media_id: None,
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

    /// The transfer once VOD has created its media ID.
    #[must_use]
    pub fn with_created_media(self, media_id: &str) -> Self {
        Self { created_media_id: Some(media_id.to_owned()), ..self }
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

    /// The length of the file.
    #[must_use]
    pub const fn length(&self) -> ByteCount {
        ByteCount(self.length_bytes)
    }

    /// The metadata that the client sent.
    #[must_use]
    pub fn metadata(&self) -> Metadata {
        let mut metadata = Metadata::default();
        metadata.set("title", self.title.as_deref().unwrap_or_default());
        metadata
    }

    /// The media asset that the file continues. Its ownership was verified at the POST.
    #[must_use]
    pub fn media_id(&self) -> Option<&str> {
        self.media_id.as_deref()
    }

    /// The media ID that the worker created for the file: a creation that was interrupted continues
    /// with it.
    #[must_use]
    pub fn created_media_id(&self) -> Option<&str> {
        self.created_media_id.as_deref()
    }

    /// The key of the record.
    #[must_use]
    pub fn name(id: &UploadId) -> String {
        format!("u.{}.filepond", id.as_str())
    }

    /// The stored form.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Internal`], which no value of this type causes.
    pub fn encode(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self)
            .map_err(|error| Error::new(ErrorKind::Internal, format!("a transfer: {error}")))
    }

    /// The transfer in a stored form.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CheckpointNewer`] for a later version, and
    /// [`ErrorKind::CheckpointCorrupt`] for any other invalid record.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let corrupt =
            || Error::new(ErrorKind::CheckpointCorrupt, "the stored transfer cannot be parsed");
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
    /// Returns [`ErrorKind::LengthInconsistent`] if not.
    pub fn check(&self, chunk: &FilePondChunk) -> Result<()> {
        if chunk.file_length.bytes() == self.length_bytes {
            return Ok(());
        }
        let message = "the chunk is of a file with another length than the transfer";
        Err(Error::new(ErrorKind::LengthInconsistent, message))
    }
}
