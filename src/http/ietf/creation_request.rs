//! A request that creates an upload (§4.2 "Upload Creation").

use ::http::header::{CONTENT_LENGTH, CONTENT_TYPE};

use super::{InteropVersion, length};
use crate::error::{Error, ErrorKind, Result};
use crate::http::header::UPLOAD_LENGTH;
use crate::http::media_type::file_media_type;
use crate::http::{Metadata, NameHint, RequestHead, integer_header, structured_fields};
use crate::units::ByteCount;

/// The head of a POST or PUT that creates an upload and may contain bytes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreationRequest {
    /// Whether the content is the entire representation: the upload is complete after it.
    pub complete: bool,
    /// The length of the representation, if declared: by `Upload-Length`, or by the Content-Length
    /// of content that is the entire representation.
    pub length: Option<ByteCount>,
    /// The length of the content, if declared; zero if the client only requests a URL.
    pub content_length: Option<ByteCount>,
    /// The file name hints in Content-Disposition, or else in the metadata.
    pub file_name: NameHint,
    /// The representation's Content-Type, or else the metadata's `filetype` or `type`.
    pub content_type: Option<String>,
    /// The tus metadata, which is not part of the draft but is sent by tus-js-client.
    pub metadata: Metadata,
}

impl CreationRequest {
    /// Parses the head of a request in `version`. `size_max` is the size of the largest accepted
    /// file.
    ///
    /// # Errors
    /// Returns [`ErrorKind::RequestInvalid`] with the completeness header if that is absent or not
    /// a Boolean, or for invalid metadata; [`ErrorKind::LengthInconsistent`]; and
    /// [`ErrorKind::FileTooLarge`].
    pub fn parse(head: &RequestHead, version: InteropVersion, size_max: ByteCount) -> Result<Self> {
        let complete = structured_fields::required(
            version.declares_complete(head),
            version.completeness_header().as_str(),
            "?1 if the content is the entire file, or ?0 if more follows",
        )?;
        let content_length = integer_header(head, &CONTENT_LENGTH)?.map(ByteCount);
        let upload_length = structured_fields::byte_count(head, UPLOAD_LENGTH);
        let length = length::declared(upload_length, content_length, complete)?;
        let size = length.max(content_length);
        if let Some(size) = size.filter(|size| *size > size_max) {
            let message = format!("the file has {size}, which exceeds the limit of {size_max}");
            return Err(Error::new(ErrorKind::FileTooLarge, message));
        }
        let metadata = Metadata::from_head(head)?;
        let content_type = file_media_type(head.header(CONTENT_TYPE)).map(str::to_owned);
        let content_type = content_type.or_else(|| metadata.media_type());
        let file_name = NameHint::new("content-disposition")
            .or_disposition(head)
            .or_metadata(&metadata)
            .or_media_type(content_type.as_deref());
        Ok(Self { complete, length, content_length, file_name, content_type, metadata })
    }
}

#[cfg(test)]
#[path = "creation_request_tests.rs"]
mod tests;
