//! A POST that creates an upload.

use ::http::header::CONTENT_LENGTH;

use super::{Concat, PatchRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::http::header::{UPLOAD_DEFER_LENGTH, UPLOAD_LENGTH};
use crate::http::{Metadata, NameHint, RequestHead, integer_header};
use crate::units::ByteCount;

/// The head of a POST that creates an upload.
#[derive(Clone, Debug)]
pub struct CreationRequest {
    /// The file name hints in the metadata, or else in Content-Disposition.
    pub file_name: NameHint,
    /// The declared length; `None` if it is deferred, and for a final upload.
    pub length: Option<ByteCount>,
    /// The role of the upload in a concatenation.
    pub concat: Concat,
    /// The metadata.
    pub metadata: Metadata,
    /// The object's Content-Type, from the metadata `filetype` or `type`.
    pub content_type: Option<String>,
    /// The length of the body, if declared.
    pub content_length: Option<ByteCount>,
    /// The first bytes, if the request contains any.
    pub chunk: Option<PatchRequest>,
}

impl CreationRequest {
    /// Parses a POST.
    ///
    /// # Errors
    /// Returns [`ErrorKind::RequestInvalid`] with the header as its field,
    /// [`ErrorKind::FileTooLarge`] above `size_max`, [`ErrorKind::LengthMismatch`] if the body is
    /// longer than the file, and [`ErrorKind::MediaTypeUnsupported`] for a body with another
    /// Content-Type than that of a PATCH.
    pub fn parse(head: &RequestHead, size_max: ByteCount) -> Result<Self> {
        let concat = Concat::parse(head)?;
        let length = declared_length(head, &concat)?;
        if let Some(length) = length.filter(|length| *length > size_max) {
            let message = format!("the file has {length}, which exceeds the limit of {size_max}");
            return Err(Error::new(ErrorKind::FileTooLarge, message));
        }
        let chunk = PatchRequest::from_creation(head)?;
        check_chunk(chunk.as_ref(), length, &concat)?;
        let metadata = Metadata::from_head(head)?;
        let file_name =
            NameHint::new("upload-metadata").or_metadata(&metadata).or_disposition(head);
        let content_type = metadata.media_type();
        let content_length = integer_header(head, &CONTENT_LENGTH)?.map(ByteCount);
        Ok(Self { file_name, length, concat, content_type, content_length, metadata, chunk })
    }
}

/// `Upload-Length`, or `None` if `Upload-Defer-Length: 1` defers it or if the length is that of the
/// partial uploads.
fn declared_length(head: &RequestHead, concat: &Concat) -> Result<Option<ByteCount>> {
    let length = integer_header(head, &UPLOAD_LENGTH)?.map(ByteCount);
    let deferred = match head.header(UPLOAD_DEFER_LENGTH) {
        None => false,
        Some("1") => true,
        Some(_) => return Err(Error::field_invalid(UPLOAD_DEFER_LENGTH.as_str(), "1, or absent")),
    };
    match (length, deferred, concat) {
        (Some(_), _, Concat::Final(_)) => Err(Error::field_invalid(
            UPLOAD_LENGTH.as_str(),
            "absent, because the length is that of the partial uploads",
        )),
        (_, _, Concat::Final(_)) => Ok(None),
        (Some(_), true, _) => Err(Error::field_invalid(
            UPLOAD_LENGTH.as_str(),
            "absent if Upload-Defer-Length is present",
        )),
        (None, false, _) => {
            let allowed = "a non-negative integer, or replaced by Upload-Defer-Length: 1";
            Err(Error::field_invalid(UPLOAD_LENGTH.as_str(), allowed))
        }
        (length, _, _) => Ok(length),
    }
}

fn check_chunk(
    chunk: Option<&PatchRequest>,
    length: Option<ByteCount>,
    concat: &Concat,
) -> Result<()> {
    let Some(chunk) = chunk else { return Ok(()) };
    if matches!(concat, Concat::Final(_)) {
        let message = "a final upload accepts no bytes";
        return Err(Error::new(ErrorKind::UploadIsFinal, message));
    }
    match (chunk.length, length) {
        (Some(content), Some(length)) if content > length => {
            let message = format!("the request contains {content}, but the file has {length}");
            Err(Error::new(ErrorKind::LengthMismatch, message))
        }
        _ => Ok(()),
    }
}
