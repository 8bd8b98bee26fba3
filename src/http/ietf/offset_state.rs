//! The state of an upload in the draft (§4.1 "State").

use crate::http::UploadStatus;
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
