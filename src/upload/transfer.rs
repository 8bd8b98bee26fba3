//! Converts the source's bytes into parts: requests fills, and decides what a fill becomes.

use super::checkpoint::{Checkpoint, FinishedPart, UploadPhase};
use super::concat_plan::PlannedPart;
use super::errors::{misuse, stopped};
use super::fills::{Filled, Fills};
use super::ids::FillId;
use super::input::SourceStatus;
use super::operation::Operation;
use super::output::FillRequest;
use super::parts::{PartBody, Parts};
use super::plan::Plan;
use super::source::{Source, empty_file};
use crate::crc64::Crc64;
use crate::error::{Error, ErrorKind, Result};
use crate::oss::MultipartUploadId;
use crate::oss::action::UploadedPart;
use crate::units::{ByteCount, MULTIPART_THRESHOLD, PART_COUNT_MAX, PART_SIZE_MIN, PartNumber};

/// The bytes of one session, from the source to the confirmed parts.
#[derive(Debug)]
pub(super) struct Transfer {
    plan: Plan,
    source: Source,
    fills: Fills,
    parts: Parts,
    /// Bytes at the request's end that are too few for a part.
    remainder: Option<Remainder>,
    /// Offset at which the next fill starts: all bytes before are in parts.
    filled_offset: ByteCount,
    /// Bytes of the stored tail that the next fill starts with.
    tail_bytes: ByteCount,
    request_bytes_read: ByteCount,
    /// Whether the file, not only the request, has ended.
    is_complete: bool,
    /// Whether all bytes of the file have arrived, but not the end of the request, which determines
    /// whether the bytes are valid.
    awaits_request_end: bool,
    /// Whether the request has ended normally, so that its bytes are accepted.
    request_valid: bool,
    /// Whether the source can be read again from its start.
    replayable: bool,
    restarted: bool,
}

/// Bytes that become the stored tail, or the body of a PutObject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Remainder {
    pub(super) fill: FillId,
    pub(super) len: ByteCount,
    pub(super) crc64: Crc64,
    pub(super) is_entire_file: bool,
}

/// What follows from a fill.
#[derive(Debug)]
pub(super) enum FillOutcome {
    /// The fill was no longer requested: it is ignored.
    Abandoned,
    /// More bytes may follow.
    Continue,
    /// The request has ended. `is_stopped` if another request stopped it before the file's end.
    Ended { is_stopped: bool },
    /// The request has ended within a part that was being streamed: that part is dropped.
    StreamInterrupted { is_stopped: bool },
    /// The fill, or the entire atomic request, is rejected; nothing more is read.
    Rejected(Error),
}

impl Transfer {
    pub(super) const fn new(plan: Plan, source: Source, replayable: bool) -> Self {
        Self {
            plan,
            source,
            fills: Fills::new(),
            parts: Parts::new(),
            remainder: None,
            filled_offset: ByteCount::ZERO,
            tail_bytes: ByteCount::ZERO,
            request_bytes_read: ByteCount::ZERO,
            is_complete: false,
            awaits_request_end: false,
            request_valid: false,
            replayable,
            restarted: false,
        }
    }

    /// Checks that the source can continue from `checkpoint`. Returns the plan with the file's
    /// length if known: from the creation, a later request or this one.
    ///
    /// # Errors
    /// Returns [`ErrorKind::OffsetMismatch`] or [`ErrorKind::LengthInconsistent`] if it cannot.
    pub(super) fn check(&self, checkpoint: &Checkpoint) -> Result<Plan> {
        let durable = checkpoint.durable();
        self.source.check_offset(durable)?;
        let inconsistent = |message| Err(Error::new(ErrorKind::LengthInconsistent, message));
        let found = match &checkpoint.phase {
            UploadPhase::Completed(object) => Some(object.size_bytes),
            _ => checkpoint.length_bytes,
        };
        let known = self.plan.length().or(found.map(ByteCount));
        match (known, self.source.declared_length()) {
            (Some(known), Some(declared)) if known != declared => inconsistent(format!(
                "the declared length is {declared}; expected {known}, as declared before"
            )),
            (_, Some(declared)) if declared < durable => inconsistent(format!(
                "the declared length is {declared}; {durable} are already stored"
            )),
            (known, declared) => self.plan.with_length(known.or(declared)),
        }
    }

    /// Continues from `checkpoint` by `plan`, with part numbers above every number that may be in
    /// flight.
    ///
    /// # Errors
    /// Returns [`ErrorKind::LengthInconsistent`] if a concatenation cannot continue there.
    pub(super) fn start(&mut self, plan: Plan, checkpoint: &Checkpoint) -> Result<()> {
        self.plan = plan;
        self.filled_offset = ByteCount(checkpoint.parts_bytes);
        self.tail_bytes = checkpoint.durable() - self.filled_offset;
        self.parts.start_above(checkpoint.reserved_part_number);
        match &mut self.source {
            Source::Concatenation(concatenation) => {
                concatenation.start_at(checkpoint.durable(), checkpoint.crc64())
            }
            _ => Ok(()),
        }
    }

    /// Starts to read from the source. Returns whether there is nothing to read.
    pub(super) fn start_receiving(&mut self) -> bool {
        let all_in_parts = self.plan.length() == Some(self.filled_offset);
        let completes = all_in_parts && !self.defers_commit() && !self.source.keeps_open();
        self.is_complete |= completes;
        self.awaits_request_end = all_in_parts && !completes;
        completes || !self.accepts_bytes()
    }

    /// Requests the next fill, if a buffer is allowed, or adds parts that need no fill.
    pub(super) fn request_fill(&mut self) -> Result<FillOutcome> {
        if self.fills.requested().is_some() {
            return Ok(FillOutcome::Continue);
        }
        if let Source::Concatenation(_) = self.source {
            return self.add_concat_parts();
        }
        if self.awaits_request_end {
            // One byte, to detect a request that is too long.
            self.fills.request(ByteCount(1), false);
            return Ok(FillOutcome::Continue);
        }
        let file_left = self.plan.length().map(|length| length - self.filled_offset);
        let left = self.source.bytes_left(self.request_bytes_read, self.tail_bytes, file_left);
        let next = self.plan.next_part(self.filled_offset, self.parts.next_number(), left);
        let next = match next {
            Ok(next) => next,
            // The accepted bytes remain; the rest of the request is rejected.
            Err(error) => return Ok(FillOutcome::Rejected(error)),
        };
        let buffered = self.parts.buffered_count();
        let has_room =
            if next.streamed { buffered == 0 } else { buffered <= usize::from(next.in_flight_max) };
        if has_room {
            self.parts.limit_in_flight(next.in_flight_max);
            self.fills.request(next.size, next.streamed);
        }
        Ok(FillOutcome::Continue)
    }

    /// Adds the part whose bytes are about to be streamed.
    pub(super) fn open_stream(&mut self, fill: FillId) -> Result<()> {
        match self.fills.open_stream(fill) {
            Some(size) => self.add_part(PartBody::Buffer(fill), size, None),
            None => Ok(()),
        }
    }

    /// Accepts a fill. Its buffer is needed afterwards only if [`uses`](Self::uses) returns true.
    ///
    /// # Errors
    /// Returns [`ErrorKind::FileEmpty`] if the file ends without bytes, and
    /// [`ErrorKind::StoreUnavailable`] if an object to be concatenated could not be read.
    pub(super) fn filled(&mut self, filled: &Filled, has_upload_id: bool) -> Result<FillOutcome> {
        let Some(request) = self.fills.close(filled.fill) else {
            return Ok(FillOutcome::Abandoned);
        };
        if let Source::Concatenation(_) = self.source {
            return self.concat_part_filled(filled, request.size, has_upload_id);
        }
        self.request_bytes_read += filled.len - self.tail_bytes;
        let has_new_bytes = filled.len > self.tail_bytes;
        self.tail_bytes = ByteCount::ZERO;
        if request.streamed {
            return self.stream_ended(filled);
        }
        if let Some(error) = self.rejection(filled) {
            return Ok(FillOutcome::Rejected(error));
        }
        if self.awaits_request_end {
            return Ok(self.after_fill(true, filled.end));
        }
        let end_offset = self.filled_offset + filled.len;
        let file_ends = self.source.ends_at(end_offset, self.plan.length(), filled.end);
        if file_ends && end_offset.is_zero() {
            return Err(empty_file());
        }
        let completes = file_ends && !self.source.keeps_open();
        let nothing_sent = !has_upload_id && self.parts.is_empty();
        let Filled { fill, len, crc64, .. } = *filled;
        if len.is_zero() {
            // No bytes: nothing to store.
        } else if completes && nothing_sent && end_offset < MULTIPART_THRESHOLD {
            self.remainder = Some(Remainder { fill, len, crc64, is_entire_file: true });
        } else if completes || len >= PART_SIZE_MIN {
            let is_short = !completes && len < request.size;
            let next_number = self.parts.next_number().saturating_add(1);
            if is_short && let Err(error) = self.plan.check_short_part(end_offset, next_number) {
                return Ok(FillOutcome::Rejected(error));
            }
            self.add_part(PartBody::Buffer(fill), len, Some(crc64))?;
        } else if has_new_bytes {
            self.remainder = Some(Remainder { fill, len, crc64, is_entire_file: false });
        }
        Ok(self.after_fill(file_ends, filled.end))
    }

    /// Drops the bytes of this request. The part numbers that it used stay reserved, because its
    /// parts may still arrive at the store.
    pub(super) const fn discard_request(&mut self, parts_bytes: u64) {
        self.filled_offset = ByteCount(parts_bytes);
        self.is_complete = false;
        self.awaits_request_end = false;
    }

    /// Starts again from the source's start, in a new multipart upload.
    pub(super) fn restart(&mut self) -> Result<()> {
        self.fills.abandon();
        self.source.restart(self.plan.length())?;
        let fills = std::mem::replace(&mut self.fills, Fills::new());
        let source = std::mem::replace(&mut self.source, Source::None);
        *self = Self { fills, restarted: true, ..Self::new(self.plan, source, true) };
        Ok(())
    }

    /// Returns the call that sends the next part, if one may be sent. See [`Parts::send_next`].
    pub(super) fn send_next(
        &mut self,
        upload_id: &MultipartUploadId,
        reserved: u16,
    ) -> Option<Operation> {
        self.parts.send_next(upload_id, reserved)
    }

    /// Records that the store has a part. Returns the buffer that is no longer needed.
    pub(super) fn stored(&mut self, part: PartNumber, to: UploadedPart) -> Result<Option<FillId>> {
        self.parts.stored(part, to)
    }

    /// Removes and returns the confirmed part that continues the checkpoint, if there is one and
    /// the request's bytes are accepted.
    pub(super) fn take_finished(&mut self) -> Result<Option<FinishedPart>> {
        if self.defers_commit() { Ok(None) } else { self.parts.take_finished() }
    }

    /// Removes all parts and the remainder, and returns their buffers.
    pub(super) fn release(&mut self) -> Vec<FillId> {
        let mut fills = self.parts.release();
        fills.extend(self.remainder.take().map(|remainder| remainder.fill));
        fills
    }

    /// Removes the remainder, which is stored as the tail.
    pub(super) const fn remainder_stored(&mut self) {
        self.remainder = None;
    }

    pub(super) fn abandon_fill(&mut self) {
        self.fills.abandon();
    }

    pub(super) fn check_stream(&self, fill: FillId) -> Result<()> {
        self.fills.check_stream(fill)
    }

    pub(super) fn check_fill(&self, filled: &Filled) -> Result<()> {
        self.fills.check_fill(filled, self.tail_bytes)
    }

    /// Returns the requested fill.
    pub(super) const fn requested(&self) -> Option<FillRequest> {
        self.fills.requested()
    }

    /// Whether a part or the remainder needs this buffer.
    pub(super) fn uses(&self, fill: FillId) -> bool {
        self.parts.uses(fill) || self.remainder.is_some_and(|remainder| remainder.fill == fill)
    }

    pub(super) const fn accepts_bytes(&self) -> bool {
        self.source.has_bytes()
    }

    /// Whether no byte of this request is accepted yet, because it is atomic and has not ended
    /// normally.
    pub(super) const fn defers_commit(&self) -> bool {
        self.source.is_atomic() && !self.request_valid
    }

    pub(super) const fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(super) const fn remainder(&self) -> Option<Remainder> {
        self.remainder
    }

    pub(super) const fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Whether the source can be read again from its start. Possible once.
    pub(super) const fn can_restart(&self) -> bool {
        self.accepts_bytes() && self.replayable && !self.restarted
    }

    pub(super) const fn is_restarted(&self) -> bool {
        self.restarted
    }

    /// Whether the file is sent with one PutObject, because it is small or empty.
    pub(super) fn is_single_put(&self) -> bool {
        let is_empty = self.is_complete && self.plan.length() == Some(ByteCount::ZERO);
        is_empty || self.remainder.is_some_and(|remainder| remainder.is_entire_file)
    }

    pub(super) fn has_parts(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Returns the highest number of a part that is not sent yet; zero if all are.
    pub(super) fn highest_unsent(&self) -> u16 {
        self.parts.highest_unsent()
    }

    /// Returns the highest part number that was assigned, by this writer or an earlier one.
    pub(super) const fn last_number(&self) -> u16 {
        self.parts.next_number() - 1
    }

    /// Returns the offset up to which bytes have been sent to the store.
    pub(super) fn sent_offset(&self) -> ByteCount {
        self.filled_offset - self.parts.unsent()
    }

    fn add_part(&mut self, body: PartBody, len: ByteCount, crc64: Option<Crc64>) -> Result<()> {
        self.parts.push(body, len, crc64)?;
        self.filled_offset += len;
        Ok(())
    }

    fn add_concat_parts(&mut self) -> Result<FillOutcome> {
        let parallel = self.plan.parallel();
        while self.fills.requested().is_none()
            && self.parts.buffered_count() < usize::from(parallel)
        {
            let Source::Concatenation(concatenation) = &mut self.source else {
                return Err(misuse("the source is not a concatenation"));
            };
            let Some(part) = concatenation.next_part() else {
                concatenation.check_crc64()?;
                self.is_complete = true;
                return Ok(FillOutcome::Ended { is_stopped: false });
            };
            if self.parts.next_number() > PART_COUNT_MAX {
                let message = format!("all {PART_COUNT_MAX} part numbers are used");
                return Err(Error::new(ErrorKind::FileTooLarge, message));
            }
            self.parts.limit_in_flight(parallel);
            match part {
                PlannedPart::Copy { source, range } => {
                    let (source, crc64) = concatenation.start_copy(source, range)?;
                    self.add_part(PartBody::Copy(source), range.len, Some(crc64))?;
                }
                PlannedPart::Read { len, .. } => self.fills.request(len, false),
            }
        }
        Ok(FillOutcome::Continue)
    }

    /// Adds the bytes that were read as a part, or as the entire object. A shorter read is an
    /// error.
    fn concat_part_filled(
        &mut self,
        filled: &Filled,
        size: ByteCount,
        has_upload_id: bool,
    ) -> Result<FillOutcome> {
        let Filled { fill, len, crc64, end } = *filled;
        if len < size {
            let message = "the bytes of a partial upload ended early";
            return match end {
                SourceStatus::StopRequested => Ok(FillOutcome::Rejected(stopped())),
                _ => Err(Error::new(ErrorKind::StoreUnavailable, message)),
            };
        }
        if let Source::Concatenation(concatenation) = &mut self.source {
            concatenation.part_filled(len, crc64);
        }
        let nothing_sent = !has_upload_id && self.parts.is_empty();
        if nothing_sent && len < MULTIPART_THRESHOLD {
            self.remainder = Some(Remainder { fill, len, crc64, is_entire_file: true });
        } else {
            self.add_part(PartBody::Buffer(fill), len, Some(crc64))?;
        }
        Ok(FillOutcome::Continue)
    }

    fn stream_ended(&mut self, filled: &Filled) -> Result<FillOutcome> {
        let declared = self.parts.end_stream(filled.fill, filled.len, filled.crc64)?;
        let is_short = filled.len < declared;
        if self.defers_commit() {
            let interrupted = is_short && filled.end == SourceStatus::Eof;
            let end = if interrupted { SourceStatus::Interrupted } else { filled.end };
            if let Some(error) = self.rejection(&Filled { end, ..*filled }) {
                return Ok(FillOutcome::Rejected(error));
            }
        }
        if is_short {
            // The part's length was declared to the store, which therefore does not store it: the
            // client continues from the part's start.
            self.filled_offset = self.filled_offset - declared;
            self.parts.clear();
            let is_stopped = filled.end == SourceStatus::StopRequested;
            return Ok(FillOutcome::StreamInterrupted { is_stopped });
        }
        let file_ends = self.source.ends_at(self.filled_offset, self.plan.length(), filled.end);
        Ok(self.after_fill(file_ends, filled.end))
    }

    /// Returns why the bytes of a fill, or of the entire atomic request, are rejected.
    fn rejection(&self, filled: &Filled) -> Option<Error> {
        let beyond_end = self.awaits_request_end && !filled.len.is_zero();
        if beyond_end || filled.end == SourceStatus::TooLong {
            let message = "the request has more bytes than the declared length";
            return Some(Error::new(ErrorKind::LengthMismatch, message));
        }
        if self.defers_commit() { rejection_of_atomic(filled.end) } else { None }
    }

    fn after_fill(&mut self, file_ends: bool, end: SourceStatus) -> FillOutcome {
        if end == SourceStatus::More {
            self.awaits_request_end = file_ends && self.defers_commit();
            if self.awaits_request_end || !file_ends {
                return FillOutcome::Continue;
            }
        }
        self.awaits_request_end = false;
        self.is_complete = file_ends && !self.source.keeps_open();
        self.request_valid = true;
        FillOutcome::Ended { is_stopped: end == SourceStatus::StopRequested && !file_ends }
    }
}

/// Returns why an atomic request that ended with `end` is rejected.
fn rejection_of_atomic(end: SourceStatus) -> Option<Error> {
    let (kind, message) = match end {
        SourceStatus::More | SourceStatus::Eof => return None,
        SourceStatus::ChecksumMismatch => {
            (ErrorKind::DigestMismatch, "the bytes do not match the request's checksum")
        }
        SourceStatus::StopRequested => (
            ErrorKind::TakenOver,
            "another request stopped this one before its checksum could be verified",
        ),
        SourceStatus::Interrupted | SourceStatus::TooLong => {
            (ErrorKind::LengthMismatch, "the request ended before its checksum could be verified")
        }
    };
    Some(Error::new(kind, format!("{message}: none of its bytes were stored")))
}

#[cfg(test)]
#[path = "transfer_tests.rs"]
mod tests;
