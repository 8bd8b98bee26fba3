//! How far an upload is, in the draft's words (§4.1 "State").

use super::InteropVersion;
use super::response::with_offset;
use crate::http::header::UPLOAD_LENGTH;
use crate::http::{Response, UploadStatus};
use crate::units::ByteCount;

/// An upload's offset, length and completeness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetState {
    /// The bytes that are durable: where the client goes on.
    pub offset: ByteCount,
    /// The length, where a request declared it.
    pub length: Option<ByteCount>,
    /// True once the object is whole.
    pub complete: bool,
}

impl OffsetState {
    /// An upload that has no bytes yet.
    #[must_use]
    pub const fn new(length: Option<ByteCount>) -> Self {
        Self { offset: ByteCount::ZERO, length, complete: false }
    }

    /// How the upload of these records stands.
    ///
    /// An upload that is being completed is not complete: the client then sends the empty PATCH
    /// with `Upload-Complete: ?1`, which settles it, where "complete" would end its interest in an
    /// object that may not come to be.
    #[must_use]
    pub fn from_status(status: &UploadStatus) -> Self {
        Self { offset: status.durable(), length: status.length(), complete: status.is_completed() }
    }
}

impl InteropVersion {
    /// The answer with all that is known of the upload.
    pub(super) fn with_offset_headers(self, response: Response, progress: OffsetState) -> Response {
        let response = with_offset(response, progress.offset);
        let response = self.with_completeness(response, progress.complete);
        match progress.length {
            Some(length) => response.with_header(UPLOAD_LENGTH, length.bytes()),
            None => response,
        }
    }
}
