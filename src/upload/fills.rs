//! The buffers that a session requests from its source: at most one at a time.

use super::errors::misuse;
use super::ids::FillId;
use super::input::SourceStatus;
use super::output::FillRequest;
use crate::crc64::Crc64;
use crate::error::Result;
use crate::units::ByteCount;

/// A fill that has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filled {
    pub(super) fill: FillId,
    pub(super) len: ByteCount,
    pub(super) crc64: Crc64,
    pub(super) end: SourceStatus,
}

/// The requested fill.
#[derive(Debug)]
pub(super) struct Fills {
    next_id: u32,
    requested: Option<FillRequest>,
    /// Whether the driver streams the requested bytes to the store.
    is_streaming: bool,
    /// A fill that is no longer requested but may still be open.
    abandoned: Option<FillId>,
}

impl Fills {
    pub(super) const fn new() -> Self {
        Self { next_id: 0, requested: None, is_streaming: false, abandoned: None }
    }

    pub(super) const fn request(&mut self, size: ByteCount, streamed: bool) {
        let fill = FillId(self.next_id);
        self.next_id += 1;
        self.requested = Some(FillRequest { fill, size, streamed });
    }

    pub(super) const fn requested(&self) -> Option<FillRequest> {
        self.requested
    }

    /// Requests nothing; the result of an open fill is ignored.
    pub(super) fn abandon(&mut self) {
        if let Some(request) = self.requested.take() {
            self.abandoned = Some(request.fill);
        }
        self.is_streaming = false;
    }

    /// Checks that a stream of this fill is requested.
    pub(super) fn check_stream(&self, fill: FillId) -> Result<()> {
        let is_requested =
            |request: FillRequest| request.fill == fill && request.streamed && !self.is_streaming;
        if self.abandoned == Some(fill) || self.requested.is_some_and(is_requested) {
            return Ok(());
        }
        Err(misuse("no stream of this fill is requested"))
    }

    /// Checks that this fill is open and has a valid length. `tail` is the number of bytes that it
    /// starts with.
    pub(super) fn check_fill(&self, filled: &Filled, tail: ByteCount) -> Result<()> {
        if self.abandoned == Some(filled.fill) {
            return Ok(());
        }
        let request = self.requested.filter(|request| request.fill == filled.fill);
        let request = request.ok_or_else(|| misuse("no such fill is open"))?;
        if request.streamed != self.is_streaming {
            return Err(misuse("a stream must be opened before it is filled, and no other fill"));
        }
        let is_full = filled.len == request.size;
        if filled.len > request.size || (filled.end == SourceStatus::More && !is_full) {
            return Err(misuse("a fill must have the requested size unless the source has ended"));
        }
        // A streamed request is interrupted together with its client, possibly within the tail.
        if filled.len < tail && !request.streamed {
            return Err(misuse("a fill must start with the tail"));
        }
        Ok(())
    }

    /// Marks a fill as streaming, and returns its size; `None` if it was abandoned.
    pub(super) fn open_stream(&mut self, fill: FillId) -> Option<ByteCount> {
        let request = self.requested.filter(|request| request.fill == fill)?;
        self.is_streaming = true;
        Some(request.size)
    }

    /// Ends a fill, and returns what was requested; `None` if it was abandoned.
    pub(super) fn close(&mut self, fill: FillId) -> Option<FillRequest> {
        if self.abandoned == Some(fill) {
            self.abandoned = None;
            return None;
        }
        self.is_streaming = false;
        self.requested.take()
    }
}
