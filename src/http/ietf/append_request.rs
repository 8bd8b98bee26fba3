//! The request that brings more of an upload (§4.4 "Upload Append").

use ::http::header::{CONTENT_LENGTH, CONTENT_TYPE};

use super::{InteropVersion, OffsetState, PARTIAL_UPLOAD, length};
use crate::error::{Error, ErrorKind, Result};
use crate::http::header::{UPLOAD_LENGTH, UPLOAD_OFFSET};
use crate::http::{RequestHead, integer_header, structured_fields};
use crate::units::ByteCount;

/// The head of a PATCH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendRequest {
    /// Where its bytes start.
    pub offset: ByteCount,
    /// True where they end the representation, or where there are none and it has ended already.
    pub complete: bool,
    /// The length of the representation, where the request declares it: by `Upload-Length`, or by
    /// the end of a content that ends the representation.
    pub length: Option<ByteCount>,
    /// How many bytes there are, where that is declared.
    pub content_length: Option<ByteCount>,
}

impl AppendRequest {
    /// Reads the head of a request that speaks `version`.
    ///
    /// # Errors
    /// [`ErrorKind::MediaTypeUnsupported`] for another Content-Type than
    /// `application/partial-upload` where the version has it; [`ErrorKind::RequestInvalid`] whose
    /// field is `upload-offset` or the completeness header, where that is absent or malformed;
    /// [`ErrorKind::LengthInconsistent`].
    pub fn parse(head: &RequestHead, version: InteropVersion) -> Result<Self> {
        if version.needs_media_type() && !is_partial_upload(head) {
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
            "?1 where the content ends the file, ?0 where more follows",
        )?;
        let content_length = integer_header(head, &CONTENT_LENGTH)?.map(ByteCount);
        let upload_length = structured_fields::byte_count(head, UPLOAD_LENGTH);
        let end = content_length.map(|length| offset + length);
        let length = length::declared(upload_length, end, complete)?;
        Ok(Self { offset, complete, length, content_length })
    }

    /// Where its bytes end, where that is declared.
    #[must_use]
    pub fn end(&self) -> Option<ByteCount> {
        self.content_length.map(|length| self.offset + length)
    }

    /// Whether it goes past `length` by its own word. The draft has such an upload invalidated.
    #[must_use]
    pub fn exceeds(&self, length: ByteCount) -> bool {
        self.offset > length || self.end().is_some_and(|end| end > length)
    }

    /// Whether it may be applied to an upload that stands so.
    ///
    /// # Errors
    /// [`ErrorKind::OffsetMismatch`]; [`ErrorKind::LengthInconsistent`] for another length than
    /// the upload's, for bytes past it, and for bytes to a complete upload;
    /// [`ErrorKind::UploadEnded`] for no bytes to a complete upload.
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
                    Error::new(ErrorKind::UploadEnded, "the upload is complete already")
                }
                _ => length::inconsistent("the upload is complete at this offset".to_owned()),
            });
        }
        length::consistent(progress.length, self.length, self.end())
    }
}

/// Parameters are ignored: the type has none (§6 "Media Type").
fn is_partial_upload(head: &RequestHead) -> bool {
    let essence = head.header(CONTENT_TYPE).and_then(|named| named.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(PARTIAL_UPLOAD))
}

#[cfg(test)]
#[path = "append_request_tests.rs"]
mod tests;
