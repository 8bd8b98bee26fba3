//! A PATCH, or a POST that contains the first bytes.

use ::http::header::CONTENT_LENGTH;

use crate::error::{Error, ErrorKind, Result};
use crate::http::header::{UPLOAD_LENGTH, UPLOAD_OFFSET};
use crate::http::media_type::{OFFSET_STREAM, has_media_type};
use crate::http::{ContentChecks, RequestHead, integer_header};
use crate::units::ByteCount;

/// The head of a request with bytes.
#[derive(Clone, Debug)]
pub struct PatchRequest {
    /// The offset of the first byte.
    pub offset: ByteCount,
    /// The length of the body, if declared.
    pub length: Option<ByteCount>,
    /// The length of the file, if this request declares it
    /// (<https://tus.io/protocols/resumable-upload#upload-defer-length>).
    pub file_length: Option<ByteCount>,
    /// The checksums of the body.
    pub checks: ContentChecks,
}

impl PatchRequest {
    /// Parses a PATCH.
    ///
    /// # Errors
    /// Returns [`ErrorKind::MediaTypeUnsupported`] for another Content-Type, and
    /// [`ErrorKind::RequestInvalid`] with the header as its field.
    pub fn parse(head: &RequestHead) -> Result<Self> {
        check_content_type(head)?;
        let offset = integer_header(head, &UPLOAD_OFFSET)?
            .ok_or_else(|| Error::field_invalid(UPLOAD_OFFSET.as_str(), "sent with every PATCH"))?;
        Self::at_offset(ByteCount(offset), head)
    }

    /// The first bytes in a POST; `None` if it contains none
    /// (<https://tus.io/protocols/resumable-upload#creation-with-upload>).
    ///
    /// # Errors
    /// Returns the errors of [`PatchRequest::parse`].
    pub(super) fn from_creation(head: &RequestHead) -> Result<Option<Self>> {
        let length = integer_header(head, &CONTENT_LENGTH)?;
        let typed = has_media_type(head, OFFSET_STREAM);
        if !typed && length.is_none_or(|length| length == 0) {
            return Ok(None);
        }
        check_content_type(head)?;
        let chunk = Self::at_offset(ByteCount::ZERO, head)?;
        // A declared length of zero is a creation without bytes, from a client that sends the
        // Content-Type with every request.
        let has_no_bytes = length == Some(0) && chunk.checks.is_empty();
        Ok((!has_no_bytes).then_some(Self { file_length: None, ..chunk }))
    }

    fn at_offset(offset: ByteCount, head: &RequestHead) -> Result<Self> {
        Ok(Self {
            offset,
            length: integer_header(head, &CONTENT_LENGTH)?.map(ByteCount),
            file_length: integer_header(head, &UPLOAD_LENGTH)?.map(ByteCount),
            checks: ContentChecks::from_tus(head)?,
        })
    }
}

fn check_content_type(head: &RequestHead) -> Result<()> {
    if has_media_type(head, OFFSET_STREAM) {
        return Ok(());
    }
    let message = format!("Content-Type is not {OFFSET_STREAM}");
    Err(Error::new(ErrorKind::MediaTypeUnsupported, message))
}
