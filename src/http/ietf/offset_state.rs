//! The state of an upload in the draft (§4.1 "State").

use super::InteropVersion;
use super::response::with_offset;
use crate::http::header::UPLOAD_LENGTH;
use crate::http::{Response, UploadStatus};
use crate::units::ByteCount;

/// An upload's offset, length and completeness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetState {
    /// The number of durable bytes: where the client continues.
    pub offset: ByteCount,
    /// The length, if a request declared it.
    pub length: Option<ByteCount>,
    /// Whether the object is complete.
    pub complete: bool,
}

impl OffsetState {
    /// An upload that has no bytes yet.
    #[must_use]
    pub const fn new(length: Option<ByteCount>) -> Self {
        Self { offset: ByteCount::ZERO, length, complete: false }
    }

    /// The state of an upload in its records.
    ///
    /// An upload whose completion is in progress is not complete: the client then sends the empty
    /// PATCH with `Upload-Complete: ?1`, which reconciles it.
    #[must_use]
    pub fn from_status(status: &UploadStatus) -> Self {
        Self { offset: status.durable(), length: status.length(), complete: status.is_completed() }
    }
}

impl InteropVersion {
    /// Adds the offset, the completeness and the length, if known.
    pub(super) fn with_offset_headers(self, response: Response, progress: OffsetState) -> Response {
        let response = with_offset(response, progress.offset);
        let response = self.with_completeness(response, progress.complete);
        match progress.length {
            Some(length) => response.with_header(UPLOAD_LENGTH, length.bytes()),
            None => response,
        }
    }
}
