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
    /// The driver has announced that the requested bytes go straight into a request.
    is_streaming: bool,
    /// A fill that is no longer requested, and that the driver may still be filling.
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
        if let Some(want) = self.requested.take() {
            self.abandoned = Some(want.fill);
        }
        self.is_streaming = false;
    }

    /// Checks that a stream of this fill is requested.
    pub(super) fn check_stream(&self, fill: FillId) -> Result<()> {
        let requested =
            |want: FillRequest| want.fill == fill && want.streamed && !self.is_streaming;
        if self.abandoned == Some(fill) || self.requested.is_some_and(requested) {
            return Ok(());
        }
        Err(misuse("no such stream is wanted"))
    }

    /// Checks that this fill is open and has a valid length. `tail` is the number of bytes that it
    /// starts with.
    pub(super) fn check_fill(&self, filled: &Filled, tail: ByteCount) -> Result<()> {
        if self.abandoned == Some(filled.fill) {
            return Ok(());
        }
        let want = self.requested.filter(|want| want.fill == filled.fill);
        let want = want.ok_or_else(|| misuse("no such fill is open"))?;
        if want.streamed != self.is_streaming {
            return Err(misuse("a streamed want is announced before it is filled"));
        }
        let full = filled.len == want.size;
        if filled.len > want.size || (filled.end == SourceStatus::More && !full) {
            return Err(misuse("a fill is as long as its want, or the source has ended"));
        }
        // A streamed request is interrupted together with its client, possibly within the tail.
        if filled.len < tail && !want.streamed {
            return Err(misuse("a fill begins with the tail"));
        }
        Ok(())
    }

    /// Marks a fill as streaming, and returns its size; `None` if it was abandoned.
    pub(super) fn open_stream(&mut self, fill: FillId) -> Option<ByteCount> {
        let want = self.requested.filter(|want| want.fill == fill)?;
        self.is_streaming = true;
        Some(want.size)
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
