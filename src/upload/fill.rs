//! From the source into parts: what to fill next, and what becomes of a fill.

use super::joining::stopped;
use super::operation::is_initiate;
use super::session::{Session, misuse};
use super::state::{State, Trigger};
use super::transfer::{Filled, PartBody, Rest};
use super::{Event, FillId, Purpose, Receive, SourceEnd, Want};
use crate::error::{Error, ErrorKind, Result};
use crate::units::{ByteCount, MULTIPART_THRESHOLD, PART_SIZE_MIN};

impl Session {
    /// Decides what the source is asked for next, if anything.
    pub(super) fn open_want(&mut self) -> Result<()> {
        if !self.takes_bytes() || self.state != State::Receiving || self.transfer.want.is_some() {
            return Ok(());
        }
        if self.joining.is_some() {
            return self.join_pieces();
        }
        if self.transfer.awaits_end {
            // Room for the byte that must not come.
            self.want(ByteCount(1), false);
            return Ok(());
        }
        let request_left = match &self.purpose {
            Purpose::Receive(Receive { request_len, .. }) => {
                request_len.map(|len| len - self.transfer.request_taken + self.transfer.prefix)
            }
            // A source that can be read from any offset brings all that is left.
            _ => self.plan.length().map(|length| length - self.transfer.filled_to),
        };
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
        self.transfer.in_flight_max = usize::from(next.in_flight_max);
        self.want(next.size, next.streamed);
        Ok(())
    }

    pub(super) const fn want(&mut self, size: ByteCount, streamed: bool) {
        let fill = FillId(self.transfer.next_fill);
        self.transfer.next_fill += 1;
        self.transfer.want = Some(Want { fill, size, streamed });
    }

    /// Ends the request, of which nothing more is taken, and of an atomic one nothing at all.
    pub(super) fn refuse(&mut self, error: Error) -> Result<()> {
        self.trouble = Some(error);
        if self.holds_back() {
            // Their numbers stay spent: what arrives late at the store is never named. But a
            // multipart upload that is being begun has to be noted: nobody else could abort it.
            self.calls.cancel_all_but(is_initiate, &mut self.outputs);
            self.release_fills();
            self.transfer.discard_request(&self.checkpoint);
        }
        self.source_ended()
    }

    /// True while nothing of this request counts, because it has not ended as it should.
    pub(super) const fn holds_back(&self) -> bool {
        matches!(self.purpose, Purpose::Receive(Receive { atomic: true, .. }))
            && !self.transfer.ended_well
    }

    /// True where the file is not whole after this request, whatever it brings.
    pub(super) const fn stays_open(&self) -> bool {
        matches!(self.purpose, Purpose::Receive(Receive { stays_open: true, .. }))
    }

    pub(super) fn filled(&mut self, filled: &Filled, size: ByteCount) -> Result<()> {
        if self.joining.is_some() {
            return self.piece_filled(filled, size);
        }
        self.transfer.request_taken += filled.len - self.transfer.prefix;
        let new_bytes = filled.len > self.transfer.prefix;
        self.transfer.prefix = ByteCount::ZERO;
        let end_offset = self.transfer.filled_to + filled.len;

        if let Some(error) = self.refusal(filled) {
            self.event(Event::Released(filled.fill));
            return self.refuse(error);
        }
        if self.transfer.awaits_end {
            self.event(Event::Released(filled.fill));
            return self.request_ended(true, filled.end);
        }
        let source_ends = self.source_ends_at(end_offset, filled.end);
        if source_ends && end_offset.is_zero() {
            self.event(Event::Released(filled.fill));
            return Err(Error::new(ErrorKind::FileEmpty, "the file has no bytes"));
        }
        self.place(filled, size, source_ends && !self.stays_open(), new_bytes)?;
        if self.state != State::Receiving {
            return Ok(());
        }
        self.request_ended(source_ends, filled.end)
    }

    /// Why the bytes of a fill, or of the whole of an atomic request, are not taken.
    fn refusal(&self, filled: &Filled) -> Option<Error> {
        let beyond_end = self.transfer.awaits_end && !filled.len.is_zero();
        if beyond_end || filled.end == SourceEnd::Overrun {
            let message = "the request has more bytes than the declared length";
            return Some(Error::new(ErrorKind::LengthMismatch, message));
        }
        if self.holds_back() { discarded_for(filled.end) } else { None }
    }

    /// Goes on after a fill that was taken.
    fn request_ended(&mut self, source_ends: bool, end: SourceEnd) -> Result<()> {
        if end == SourceEnd::More {
            self.transfer.awaits_end = source_ends && self.holds_back();
            if self.transfer.awaits_end || !source_ends {
                return Ok(());
            }
        }
        self.transfer.awaits_end = false;
        self.transfer.complete = source_ends && !self.stays_open();
        if end == SourceEnd::Stopped && !source_ends {
            self.trouble = self.trouble.take().or(Some(stopped()));
        }
        if self.holds_back() {
            self.transfer.ended_well = true;
            self.advance_frontier()?;
        }
        self.source_ended()
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
                self.event(Event::Released(fill));
                return self.refuse(error);
            }
            self.add_part(PartBody::Fill(fill), len, Some(crc64))?;
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
        let body = PartBody::Fill(filled.fill);
        let part = self.transfer.parts.iter().position(|part| part.body == body);
        let Some(index) = part else { return Err(misuse("this stream was not opened")) };
        let announced = self.transfer.parts.get(index).map_or(ByteCount::ZERO, |part| part.len);
        if self.holds_back() {
            let broke_off = filled.len < announced && filled.end == SourceEnd::Ended;
            let end = if broke_off { SourceEnd::Cut } else { filled.end };
            if let Some(error) = self.refusal(&Filled { end, ..*filled }) {
                return self.refuse(error);
            }
        }
        let part = self.transfer.parts.get_mut(index);
        if let Some(part) = part.filter(|part| filled.len == part.len) {
            part.crc64 = Some(filled.crc64);
            let end_offset = self.transfer.filled_to;
            self.calls.body_passed(self.now, filled.fill, filled.crc64);
            self.advance_frontier()?;
            return self.request_ended(self.source_ends_at(end_offset, filled.end), filled.end);
        }
        // The part's length was announced to the store and has not come: it is not stored, and
        // the client continues from where the part began.
        self.transfer.filled_to = self.transfer.filled_to - announced;
        self.transfer.parts.clear();
        self.cancel_calls();
        self.event(Event::Released(filled.fill));
        if filled.end == SourceEnd::Stopped {
            self.trouble = Some(stopped());
        }
        self.source_ended()
    }

    fn source_ends_at(&self, offset: ByteCount, end: SourceEnd) -> bool {
        match (self.plan.length(), &self.purpose) {
            (Some(length), _) => offset == length,
            (None, Purpose::Receive(Receive { end_completes, .. })) => {
                *end_completes && end == SourceEnd::Ended
            }
            (None, Purpose::Continue) => end == SourceEnd::Ended,
            (None, _) => false,
        }
    }

    pub(super) fn source_ended(&mut self) -> Result<()> {
        self.transfer.abandon_want();
        self.go(Trigger::SourceEnded)
    }
}

/// Why nothing of an atomic request that has ended so is kept.
fn discarded_for(end: SourceEnd) -> Option<Error> {
    let (kind, message) = match end {
        SourceEnd::More | SourceEnd::Ended => return None,
        SourceEnd::Mismatched => {
            (ErrorKind::DigestMismatch, "the bytes are not those that the request's checksum names")
        }
        SourceEnd::Stopped => (
            ErrorKind::TakenOver,
            "another request asked this one to end before its checksum could be compared",
        ),
        SourceEnd::Cut | SourceEnd::Overrun => (
            ErrorKind::LengthMismatch,
            "the request broke off before its checksum could be compared",
        ),
    };
    Some(Error::new(kind, format!("{message}: nothing of it is kept")))
}
