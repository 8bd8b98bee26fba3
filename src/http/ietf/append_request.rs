//! A request that appends to an upload (§4.4 "Upload Append").

use ::http::header::CONTENT_LENGTH;

use super::{InteropVersion, OffsetState, length};
use crate::error::{Error, ErrorKind, Result};
use crate::http::header::{UPLOAD_LENGTH, UPLOAD_OFFSET};
use crate::http::media_type::{PARTIAL_UPLOAD, has_media_type};
use crate::http::{RequestHead, integer_header, structured_fields};
use crate::units::ByteCount;

/// The head of a PATCH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendRequest {
    /// The offset of the first byte.
    pub offset: ByteCount,
    /// Whether the upload is complete after the content.
    pub complete: bool,
    /// The length of the representation, if declared: by `Upload-Length`, or by the end of content
    /// that completes the upload.
    pub length: Option<ByteCount>,
    /// The length of the content, if declared.
    pub content_length: Option<ByteCount>,
}

impl AppendRequest {
    /// Parses the head of a request in `version`.
    ///
    /// # Errors
    /// Returns [`ErrorKind::MediaTypeUnsupported`] for another Content-Type than
    /// `application/partial-upload` if the version requires it; [`ErrorKind::RequestInvalid`] with
    /// the field `upload-offset` or the completeness header if that is absent or malformed; and
    /// [`ErrorKind::LengthInconsistent`].
    pub fn parse(head: &RequestHead, version: InteropVersion) -> Result<Self> {
        if version.needs_media_type() && !has_media_type(head, PARTIAL_UPLOAD) {
            let message = format!("Content-Type is not {PARTIAL_UPLOAD}");
            return Err(Error::new(ErrorKind::MediaTypeUnsupported, message));
        }
        let offset = structured_fields::required(
            structured_fields::byte_count(head, UPLOAD_OFFSET),
            UPLOAD_OFFSET.as_str(),
            "the offset of the content, an integer of up to 15 digits",
        )?;
        let complete = structured_fields::required(
            version.declares_complete(head),
            version.completeness_header().as_str(),
            "?1 if the content ends the file, or ?0 if more follows",
        )?;
        let content_length = integer_header(head, &CONTENT_LENGTH)?.map(ByteCount);
        let upload_length = structured_fields::byte_count(head, UPLOAD_LENGTH);
        let end = content_length.map(|length| offset + length);
        let length = length::declared(upload_length, end, complete)?;
        Ok(Self { offset, complete, length, content_length })
    }

    /// The offset after the content, if its length is declared.
    #[must_use]
    pub fn end(&self) -> Option<ByteCount> {
        self.content_length.map(|length| self.offset + length)
    }

    /// Returns true if its declared content exceeds `length`. The draft requires that such an
    /// upload is invalidated.
    #[must_use]
    pub fn exceeds(&self, length: ByteCount) -> bool {
        self.offset > length || self.end().is_some_and(|end| end > length)
    }

    /// Checks that it can be applied to an upload in this state.
    ///
    /// # Errors
    /// Returns [`ErrorKind::OffsetMismatch`]; [`ErrorKind::LengthInconsistent`] for another length
    /// than that of the upload, for content beyond it, and for content to a complete upload; and
    /// [`ErrorKind::UploadEnded`] for empty content to a complete upload.
    pub fn check(&self, progress: &OffsetState) -> Result<()> {
        if self.offset != progress.offset {
            let message = format!(
                "the content starts at {}, and the upload is at {}",
                self.offset, progress.offset
            );
            return Err(Error::new(ErrorKind::OffsetMismatch, message));
        }
        if progress.complete {
            return Err(match self.content_length {
                Some(ByteCount::ZERO) => {
                    Error::new(ErrorKind::UploadEnded, "the upload is already complete")
                }
                _ => length::inconsistent("the upload is complete at this offset".to_owned()),
            });
        }
        length::consistent(progress.length, self.length, self.end())
    }
}

#[cfg(test)]
#[path = "append_request_tests.rs"]
mod tests;
