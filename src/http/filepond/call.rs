//! The heads of FilePond's requests.

use ::http::header::CONTENT_LENGTH;
use ::http::{HeaderName, Method};
use url::form_urlencoded;

use crate::error::{Error, ErrorKind, Result};
use crate::http::form::form_file_name;
use crate::http::header::{UPLOAD_LENGTH, UPLOAD_OFFSET};
use crate::http::media_type::{OFFSET_STREAM, has_media_type};
use crate::http::{NameHint, RequestHead, integer_header};
use crate::units::ByteCount;
use crate::upload::UploadId;

/// A request to `/v1/filepond` or `/v1/filepond/{id}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilePondCall {
    /// POST with Upload-Length: starts a chunked transfer.
    Start {
        /// The length of the file.
        length: ByteCount,
    },
    /// POST without Upload-Length: a form with the complete file.
    Process,
    /// PATCH: a chunk.
    Chunk(FilePondChunk),
    /// HEAD: the offset of the transfer.
    Offset(UploadId),
    /// DELETE: deletes the transfer. The ID is in the body if the path has none.
    Revert(Option<UploadId>),
}

/// The head of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePondChunk {
    /// The ID in the response to the POST.
    pub id: UploadId,
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
    /// itself sends the ID in the query, as `patch`.
    ///
    /// # Errors
    /// Returns [`ErrorKind::RequestInvalid`] with the header, [`ErrorKind::MediaTypeUnsupported`],
    /// [`ErrorKind::FileEmpty`], [`ErrorKind::FileTooLarge`] above `size_max`, and
    /// [`ErrorKind::UploadNotFound`] for an invalid ID.
    pub fn parse(head: &RequestHead, id: &str, size_max: ByteCount) -> Result<Self> {
        let id = if id.is_empty() { id_in_query(head.query()) } else { Some(id.to_owned()) };
        let id = id.map(|id| parse_id(&id)).transpose()?;
        let required_id = || id.clone().ok_or_else(no_id);
        match head.effective_method() {
            Some(Method::POST) => match integer_header(head, &UPLOAD_LENGTH)?.map(ByteCount) {
                None => Ok(Self::Process),
                Some(ByteCount::ZERO) => {
                    Err(Error::new(ErrorKind::FileEmpty, "the file has no bytes"))
                }
                Some(length) if length > size_max => {
                    let message =
                        format!("the file has {length}, which exceeds the limit of {size_max}");
                    Err(Error::new(ErrorKind::FileTooLarge, message))
                }
                Some(length) => Ok(Self::Start { length }),
            },
            Some(Method::PATCH) => FilePondChunk::parse(head, required_id()?).map(Self::Chunk),
            Some(Method::HEAD) => required_id().map(Self::Offset),
            Some(Method::DELETE) => Ok(Self::Revert(id)),
            _ => Err(Error::new(
                ErrorKind::MethodUnsupported,
                "the path does not support this method",
            )),
        }
    }
}

impl FilePondChunk {
    fn parse(head: &RequestHead, id: UploadId) -> Result<Self> {
        if !has_media_type(head, OFFSET_STREAM) {
            let message = format!("Content-Type is not {OFFSET_STREAM}");
            return Err(Error::new(ErrorKind::MediaTypeUnsupported, message));
        }
        let required = |name: HeaderName| {
            integer_header(head, &name)?
                .map(ByteCount)
                .ok_or_else(|| Error::field_invalid(name.as_str(), "present in every chunk"))
        };
        let file_name = head.header("upload-name").unwrap_or_default();
        Ok(Self {
            id,
            offset: required(UPLOAD_OFFSET)?,
            length: integer_header(head, &CONTENT_LENGTH)?.map(ByteCount),
            file_length: required(UPLOAD_LENGTH)?,
            file_name: form_file_name(file_name),
        })
    }

    /// The number of bytes of the chunk that are already stored if the upload is at `durable`.
    ///
    /// # Errors
    /// Returns [`ErrorKind::OffsetMismatch`] for a chunk that starts after `durable`.
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

/// The ID in the body of a DELETE.
///
/// # Errors
/// Returns [`ErrorKind::UploadNotFound`] for an invalid ID.
pub fn id_in_body(body: &[u8]) -> Result<UploadId> {
    parse_id(std::str::from_utf8(body).unwrap_or_default().trim())
}

fn id_in_query(query: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find_map(|(name, id)| (name == "patch" && !id.is_empty()).then(|| id.into_owned()))
}

fn parse_id(id: &str) -> Result<UploadId> {
    UploadId::new(id).ok_or_else(no_id)
}

fn no_id() -> Error {
    Error::new(ErrorKind::UploadNotFound, "no upload has this ID")
}

/// Longest body of a DELETE, in bytes: an ID.
pub const REVERT_BYTES_MAX: usize = 1024;
