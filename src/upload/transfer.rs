//! The bytes of one session on their way: the open fill, the parts, and what is left over.

use std::collections::VecDeque;

use super::checkpoint::Checkpoint;
use super::session::misuse;
use super::{FillId, SourceEnd, Want};
use crate::crc64::Crc64;
use crate::error::Result;
use crate::oss::action::UploadedPart;
use crate::units::{ByteCount, PartNumber};

/// The bytes of this session on their way.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) next_fill: u32,
    pub(super) want: Option<Want>,
    /// The open want's bytes have been announced to go straight into a request.
    pub(super) streaming: bool,
    /// A want that is no longer wanted, and that the driver may still be filling.
    pub(super) abandoned: Option<FillId>,
    pub(super) in_flight_max: usize,
    /// Where the next fill starts: all before is in parts, confirmed or on their way.
    pub(super) filled_to: ByteCount,
    /// Bytes of the stored tail that the next fill begins with.
    pub(super) prefix: ByteCount,
    pub(super) request_taken: ByteCount,
    pub(super) next_number: u16,
    /// Parts that are not at the frontier yet, in the order of the source.
    pub(super) parts: VecDeque<Part>,
    /// Bytes at the request's end that no part takes.
    pub(super) rest: Option<Rest>,
    /// Whether the source, not just the request, has ended.
    pub(super) complete: bool,
    /// All bytes of the file are here, and whether the request ends as it should is still to come.
    pub(super) awaits_end: bool,
    /// The request has ended as it should: what it brought may count.
    pub(super) ended_well: bool,
    pub(super) restarted: bool,
}

#[derive(Debug)]
pub(super) struct Part {
    pub(super) number: PartNumber,
    pub(super) len: ByteCount,
    pub(super) crc64: Option<Crc64>,
    pub(super) body: PartBody,
    pub(super) status: PartStatus,
}

/// Where a part's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartBody {
    /// The driver holds them, or passes them through.
    Fill(FillId),
    /// On the store.
    Copy {
        /// The index of the source that is joined.
        source: usize,
        /// Where in that source they start.
        start: ByteCount,
    },
}

impl PartBody {
    pub(super) const fn fill(self) -> Option<FillId> {
        match self {
            Self::Fill(fill) => Some(fill),
            Self::Copy { .. } => None,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum PartStatus {
    /// Filled, or about to be streamed, and to be sent.
    Ready,
    Sent,
    Stored(UploadedPart),
}

/// Bytes that become the stored tail, or a PutObject of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rest {
    pub(super) fill: FillId,
    pub(super) len: ByteCount,
    pub(super) crc64: Crc64,
    pub(super) whole_source: bool,
}

/// A fill that has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filled {
    pub(super) fill: FillId,
    pub(super) len: ByteCount,
    pub(super) crc64: Crc64,
    pub(super) end: SourceEnd,
}

impl Default for Transfer {
    fn default() -> Self {
        Self {
            next_fill: 0,
            want: None,
            streaming: false,
            abandoned: None,
            in_flight_max: 1,
            filled_to: ByteCount::ZERO,
            prefix: ByteCount::ZERO,
            request_taken: ByteCount::ZERO,
            next_number: 1,
            parts: VecDeque::new(),
            rest: None,
            complete: false,
            awaits_end: false,
            ended_well: false,
            restarted: false,
        }
    }
}

impl Transfer {
    /// Continues where `checkpoint` ends, above every number that may be in flight.
    pub(super) fn begin(&mut self, checkpoint: &Checkpoint) {
        self.filled_to = ByteCount(checkpoint.in_parts_bytes);
        self.prefix = checkpoint.durable() - self.filled_to;
        self.next_number = checkpoint.numbers_spent.saturating_add(1);
    }

    /// Forgets what this request has brought; the numbers that it took stay spent.
    pub(super) fn discard_request(&mut self, checkpoint: &Checkpoint) {
        self.filled_to = ByteCount(checkpoint.in_parts_bytes);
        self.complete = false;
        self.awaits_end = false;
    }

    pub(super) const fn want(&self) -> Option<Want> {
        self.want
    }

    /// Takes nothing more from the source; a fill that is open ends for nothing.
    pub(super) fn abandon_want(&mut self) {
        if let Some(want) = self.want.take() {
            self.abandoned = Some(want.fill);
        }
        self.streaming = false;
    }

    /// Fails where no stream of this fill is wanted.
    pub(super) fn require_stream(&self, fill: FillId) -> Result<()> {
        let wanted = |want: Want| want.fill == fill && want.streamed && !self.streaming;
        if self.abandoned == Some(fill) || self.want.is_some_and(wanted) {
            return Ok(());
        }
        Err(misuse("no such stream is wanted"))
    }

    /// Fails where this fill is not open, or is not as long as it must be.
    pub(super) fn require_fill(&self, filled: &Filled) -> Result<()> {
        if self.abandoned == Some(filled.fill) {
            return Ok(());
        }
        let want = self.want.filter(|want| want.fill == filled.fill);
        let want = want.ok_or_else(|| misuse("no such fill is open"))?;
        if want.streamed != self.streaming {
            return Err(misuse("a streamed want is announced before it is filled"));
        }
        let full = filled.len == want.size;
        if filled.len > want.size || (filled.end == SourceEnd::More && !full) {
            return Err(misuse("a fill is as long as its want, or the source has ended"));
        }
        // A streamed request is cut off with the client, also within the tail.
        if filled.len < self.prefix && !want.streamed {
            return Err(misuse("a fill begins with the tail"));
        }
        Ok(())
    }

    /// The want whose bytes are about to be streamed; `None` where it was abandoned.
    pub(super) fn open_stream(&mut self, fill: FillId) -> Option<Want> {
        let want = self.want.filter(|want| want.fill == fill)?;
        self.streaming = true;
        Some(want)
    }

    /// The want that a fill has answered; `None` where it was abandoned.
    pub(super) fn close_fill(&mut self, fill: FillId) -> Option<Want> {
        if self.abandoned == Some(fill) {
            self.abandoned = None;
            return None;
        }
        self.streaming = false;
        self.want.take()
    }

    /// Where the next fill starts.
    pub(super) const fn filled_to(&self) -> ByteCount {
        self.filled_to
    }

    pub(super) const fn source_is_complete(&mut self) {
        self.complete = true;
    }

    pub(super) const fn rest(&self) -> Option<Rest> {
        self.rest
    }

    pub(super) const fn take_rest(&mut self) -> Option<Rest> {
        self.rest.take()
    }

    pub(super) const fn is_complete(&self) -> bool {
        self.complete
    }

    /// True where no part is on its way.
    pub(super) fn is_drained(&self) -> bool {
        self.parts.is_empty()
    }

    /// The highest part number that was given to a part, here or before.
    pub(super) const fn last_number(&self) -> u16 {
        self.next_number - 1
    }

    /// Whether a part waits whose number is above `reserved`.
    pub(super) fn waits_for_number_above(&self, reserved: u16) -> bool {
        self.parts
            .iter()
            .any(|part| part.status == PartStatus::Ready && part.number.number() > reserved)
    }

    /// Up to which offset bytes have been handed to the store.
    pub(super) fn handed_over(&self) -> ByteCount {
        let ready = self.parts.iter().filter(|part| part.status == PartStatus::Ready);
        ready.fold(self.filled_to, |offset, part| offset - part.len)
    }

    pub(super) fn sent(&self) -> usize {
        self.parts.iter().filter(|part| part.status == PartStatus::Sent).count()
    }

    /// Buffers that the driver holds for parts.
    pub(super) fn held(&self) -> usize {
        let held = |part: &&Part| !matches!(part.status, PartStatus::Stored(_));
        self.parts.iter().filter(held).count()
    }
}
