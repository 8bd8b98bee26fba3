//! From the source to the store: what to fill next, which part it becomes, and the frontier.

use std::collections::VecDeque;

use super::checkpoint::{Checkpoint, FinishedPart};
use super::operation::{Answer, Operation, agree};
use super::session::{Session, misuse};
use super::state::{State, Trigger};
use super::{Event, FillId, Purpose, SourceEnd, Want};
use crate::crc64::Crc64;
use crate::error::{Error, ErrorKind, Result};
use crate::oss::UploadId;
use crate::oss::action::UploadedPart;
use crate::units::{ByteCount, MULTIPART_THRESHOLD, PART_SIZE_MIN, PartNumber};

/// The bytes of this session on their way.
#[derive(Debug)]
pub(super) struct Transfer {
    next_fill: u32,
    want: Option<Want>,
    /// The open want's bytes have been announced to go straight into a request.
    streaming: bool,
    /// A want that is no longer wanted, and that the driver may still be filling.
    abandoned: Option<FillId>,
    in_flight_max: usize,
    /// Where the next fill starts: all before is in parts, confirmed or on their way.
    filled_to: ByteCount,
    /// Bytes of the stored tail that the next fill begins with.
    prefix: ByteCount,
    request_taken: ByteCount,
    next_number: u16,
    /// Parts that are not at the frontier yet, in the order of the source.
    parts: VecDeque<Part>,
    /// Bytes at the request's end that no part takes.
    rest: Option<Rest>,
    /// Whether the source, not just the request, has ended.
    complete: bool,
    restarted: bool,
}

#[derive(Debug)]
struct Part {
    number: PartNumber,
    len: ByteCount,
    crc64: Option<Crc64>,
    fill: FillId,
    status: PartStatus,
}

#[derive(Debug, PartialEq, Eq)]
enum PartStatus {
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

    /// The want whose bytes are about to be streamed; `None` where it was abandoned.
    pub(super) fn open_stream(&mut self, fill: FillId) -> Result<Option<Want>> {
        if self.abandoned == Some(fill) {
            return Ok(None);
        }
        let want = self.want.filter(|want| want.fill == fill && want.streamed && !self.streaming);
        let want = want.ok_or_else(|| misuse("no such stream is wanted"))?;
        self.streaming = true;
        Ok(Some(want))
    }

    /// The want that a fill has answered; `None` where it was abandoned.
    pub(super) fn close_fill(&mut self, filled: &Filled) -> Result<Option<Want>> {
        if self.abandoned == Some(filled.fill) {
            self.abandoned = None;
            return Ok(None);
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
        self.want = None;
        self.streaming = false;
        Ok(Some(want))
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

    fn sent(&self) -> usize {
        self.parts.iter().filter(|part| part.status == PartStatus::Sent).count()
    }

    /// Buffers that the driver holds for parts.
    fn held(&self) -> usize {
        let held = |part: &&Part| !matches!(part.status, PartStatus::Stored(_));
        self.parts.iter().filter(held).count()
    }
}

impl Session {
    /// Decides what the source is asked for next, if anything.
    pub(super) fn open_want(&mut self) -> Result<()> {
        let Purpose::Receive { request_len, .. } = self.purpose else { return Ok(()) };
        if self.state != State::Receiving || self.transfer.want.is_some() {
            return Ok(());
        }
        let request_left =
            request_len.map(|len| len - self.transfer.request_taken + self.transfer.prefix);
        let next =
            self.plan.next_part(self.transfer.filled_to, self.transfer.next_number, request_left);
        let next = match next {
            Ok(next) => next,
            // Nothing that was accepted is lost: the request ends here, and says why.
            Err(error) => return self.refuse(error),
        };
        let held = self.transfer.held();
        let room = if next.streamed { held == 0 } else { held <= usize::from(next.in_flight_max) };
        if !room {
            return Ok(());
        }
        let fill = FillId(self.transfer.next_fill);
        self.transfer.next_fill += 1;
        self.transfer.in_flight_max = usize::from(next.in_flight_max);
        self.transfer.want = Some(Want { fill, size: next.size, streamed: next.streamed });
        Ok(())
    }

    fn refuse(&mut self, error: Error) -> Result<()> {
        self.trouble = Some(error);
        self.source_ended()
    }

    pub(super) fn filled(&mut self, filled: &Filled, size: ByteCount) -> Result<()> {
        self.transfer.request_taken += filled.len - self.transfer.prefix;
        let new_bytes = filled.len > self.transfer.prefix;
        self.transfer.prefix = ByteCount::ZERO;
        let end_offset = self.transfer.filled_to + filled.len;

        let overrun = self.plan.length().is_some_and(|length| end_offset > length);
        if overrun || filled.end == SourceEnd::Overrun {
            self.event(Event::Released(filled.fill));
            let message = "the request has more bytes than the declared length";
            return self.refuse(Error::new(ErrorKind::LengthMismatch, message));
        }
        let source_ends = self.source_ends_at(end_offset, filled.end);
        if source_ends && end_offset.is_zero() {
            self.event(Event::Released(filled.fill));
            return Err(Error::new(ErrorKind::FileEmpty, "the file has no bytes"));
        }
        self.transfer.complete = source_ends;
        self.place(filled, size, source_ends, new_bytes)?;
        if source_ends || filled.end != SourceEnd::More { self.source_ended() } else { Ok(()) }
    }

    /// Makes a part of a fill, or keeps it as the rest, or lets it go.
    fn place(
        &mut self,
        filled: &Filled,
        size: ByteCount,
        source_ends: bool,
        new_bytes: bool,
    ) -> Result<()> {
        let Filled { fill, len, crc64, .. } = *filled;
        let end_offset = self.transfer.filled_to + len;
        let nothing_sent = self.checkpoint.upload_id.is_none() && self.transfer.parts.is_empty();
        if len.is_zero() {
            self.event(Event::Released(fill));
        } else if source_ends && nothing_sent && end_offset < MULTIPART_THRESHOLD {
            self.transfer.rest = Some(Rest { fill, len, crc64, whole_source: true });
        } else if source_ends || len >= PART_SIZE_MIN {
            let short = !source_ends && len < size;
            let next_number = self.transfer.next_number.saturating_add(1);
            if short && let Err(error) = self.plan.allow_short_part(end_offset, next_number) {
                self.trouble = Some(error);
                self.event(Event::Released(fill));
                return Ok(());
            }
            self.add_part(fill, len, Some(crc64))?;
        } else if new_bytes {
            self.transfer.rest = Some(Rest { fill, len, crc64, whole_source: false });
        } else {
            // Only the stored tail was in it, and that is still stored.
            self.event(Event::Released(fill));
        }
        Ok(())
    }

    pub(super) fn stream_ended(&mut self, filled: &Filled) -> Result<()> {
        self.transfer.request_taken += filled.len - self.transfer.prefix;
        self.transfer.prefix = ByteCount::ZERO;
        let part = self.transfer.parts.iter_mut().find(|part| part.fill == filled.fill);
        let Some(part) = part else { return Err(misuse("this stream was not opened")) };
        if filled.len == part.len {
            part.crc64 = Some(filled.crc64);
            let end_offset = self.transfer.filled_to;
            self.calls.body_passed(self.now, filled.fill, filled.crc64);
            self.transfer.complete = self.source_ends_at(end_offset, filled.end);
            self.advance_frontier()?;
            let ended = self.transfer.complete || filled.end != SourceEnd::More;
            return if ended { self.source_ended() } else { Ok(()) };
        }
        // The part's length was announced to the store and has not come: it is not stored, and
        // the client continues from where the part began.
        self.transfer.filled_to = self.transfer.filled_to - part.len;
        self.transfer.parts.clear();
        self.cancel_calls();
        self.event(Event::Released(filled.fill));
        self.source_ended()
    }

    fn source_ends_at(&self, offset: ByteCount, end: SourceEnd) -> bool {
        match (self.plan.length(), self.purpose) {
            (Some(length), _) => offset == length,
            (None, Purpose::Receive { end_completes, .. }) => {
                end_completes && end == SourceEnd::Ended
            }
            (None, _) => false,
        }
    }

    pub(super) fn add_part(
        &mut self,
        fill: FillId,
        len: ByteCount,
        crc64: Option<Crc64>,
    ) -> Result<()> {
        let number = PartNumber::new(self.transfer.next_number)
            .ok_or_else(|| misuse("the plan allowed a part without a number"))?;
        self.transfer.next_number += 1;
        self.transfer.filled_to += len;
        self.transfer.parts.push_back(Part { number, len, crc64, fill, status: PartStatus::Ready });
        Ok(())
    }

    pub(super) fn source_ended(&mut self) -> Result<()> {
        self.transfer.abandon_want();
        self.go(Trigger::SourceEnded)
    }

    /// Sends the parts that are ready, as many at once as the plan allows, once the upload has an
    /// id and their numbers are reserved. A restart has to be stored before a new upload is begun:
    /// who was taken over must not begin one.
    pub(super) fn start_parts(&mut self) {
        if !matches!(self.state, State::Receiving | State::Draining)
            || self.transfer.parts.iter().all(|part| part.status != PartStatus::Ready)
        {
            return;
        }
        let Some(upload_id) = self.checkpoint.upload_id.clone().map(UploadId) else {
            let restart_unstored = self.transfer.restarted && self.save.is_busy();
            if !restart_unstored
                && !self.calls.has(|operation| matches!(operation, Operation::Initiate { .. }))
            {
                let content_type = self.content_type.clone();
                self.calls.start(self.now, Operation::Initiate { content_type });
            }
            return;
        };
        let reserved = self.save.reserved();
        let mut room = self.transfer.in_flight_max.saturating_sub(self.transfer.sent());
        for part in &mut self.transfer.parts {
            if room == 0 || part.number.number() > reserved {
                break;
            }
            if part.status == PartStatus::Ready {
                part.status = PartStatus::Sent;
                room -= 1;
                let operation = Operation::UploadPart {
                    upload_id: upload_id.clone(),
                    number: part.number,
                    len: part.len,
                    crc64: part.crc64,
                    fill: part.fill,
                };
                self.calls.start(self.now, operation);
            }
        }
    }

    pub(super) fn initiated(&mut self, result: Result<Answer>) -> Result<()> {
        match result? {
            Answer::Initiated(upload_id) => {
                self.checkpoint.upload_id = Some(upload_id.as_str().to_owned());
                Ok(())
            }
            _ => Err(misuse("not an answer to InitiateMultipartUpload")),
        }
    }

    pub(super) fn part_ended(&mut self, number: PartNumber, result: Result<Answer>) -> Result<()> {
        let uploaded = match result {
            Ok(Answer::Part(uploaded)) => uploaded,
            Ok(_) => return Err(misuse("not an answer to UploadPart")),
            Err(error) if error.kind() == ErrorKind::UploadLost => return self.forgotten(error),
            Err(error) => return Err(error),
        };
        let part = self.transfer.parts.iter_mut().find(|part| part.number == number);
        let Some(part) = part else { return Err(misuse("no such part is on its way")) };
        part.status = PartStatus::Stored(uploaded);
        let fill = part.fill;
        self.event(Event::Released(fill));
        self.advance_frontier()
    }

    /// Takes the confirmed parts that continue the source into the checkpoint.
    fn advance_frontier(&mut self) -> Result<()> {
        loop {
            let Some(front) = self.transfer.parts.front() else { return Ok(()) };
            let (PartStatus::Stored(uploaded), Some(crc64)) = (&front.status, front.crc64) else {
                return Ok(());
            };
            // A streamed part's reply can come before its CRC is known: compare it here, too.
            agree(&format!("part {}", front.number), Some(crc64), uploaded.crc64)?;
            let finished =
                FinishedPart { number: front.number, len: front.len, crc64, etag: uploaded.etag };
            self.transfer.parts.pop_front();
            if let Some(tail) = self.checkpoint.tail.take() {
                self.save.discard(self.key.tail(tail.turn, tail.serial));
            }
            if let Some(full) = self.checkpoint.push_part(&finished, self.turn) {
                self.save.add_page(full);
            }
        }
    }

    /// Begins again from the source's start with a new multipart upload: once, and only where the
    /// driver has said that the source can be read again.
    pub(super) fn start_over(&mut self) -> Result<bool> {
        let Purpose::Receive { offset, request_len, end_completes } = self.purpose else {
            return Ok(false);
        };
        if !self.replayable || self.transfer.restarted {
            return Ok(false);
        }
        self.go(Trigger::StartOver)?;
        self.cancel_calls();
        self.release_fills();
        self.transfer.abandon_want();
        self.transfer = Transfer {
            next_fill: self.transfer.next_fill,
            abandoned: self.transfer.abandoned,
            restarted: true,
            ..Transfer::default()
        };
        self.discard_parts();
        self.checkpoint = Checkpoint { previous: self.checkpoint.previous, ..Checkpoint::empty() };
        self.save.start_over();
        let request_len = self.plan.length().or(request_len.map(|len| offset + len));
        self.purpose = Purpose::Receive { offset: ByteCount::ZERO, request_len, end_completes };
        self.event(Event::Rewind);
        Ok(true)
    }

    /// Tells the driver that no buffer is needed any more.
    pub(super) fn release_fills(&mut self) {
        let held = |part: &Part| !matches!(part.status, PartStatus::Stored(_));
        let parts = std::mem::take(&mut self.transfer.parts);
        let rest = self.transfer.rest.take().map(|rest| rest.fill);
        for fill in parts.into_iter().filter(held).map(|part| part.fill).chain(rest) {
            self.event(Event::Released(fill));
        }
    }
}
