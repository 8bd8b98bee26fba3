//! From the source into parts: what to fill next, and what becomes of a fill.

use super::session::{Session, misuse};
use super::state::{State, Trigger};
use super::transfer::{Filled, Rest};
use super::{Event, FillId, Purpose, SourceEnd, Want};
use crate::error::{Error, ErrorKind, Result};
use crate::units::{ByteCount, MULTIPART_THRESHOLD, PART_SIZE_MIN};

impl Session {
    /// Decides what the source is asked for next, if anything.
    pub(super) fn open_want(&mut self) -> Result<()> {
        if !self.takes_bytes() || self.state != State::Receiving || self.transfer.want.is_some() {
            return Ok(());
        }
        let request_left = match self.purpose {
            Purpose::Receive { request_len, .. } => {
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

        if filled.end == SourceEnd::Overrun {
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
            (None, Purpose::Continue) => end == SourceEnd::Ended,
            (None, _) => false,
        }
    }

    pub(super) fn source_ended(&mut self) -> Result<()> {
        self.transfer.abandon_want();
        self.go(Trigger::SourceEnded)
    }
}
