//! Writing checkpoints: one write at a time, and acknowledged only while the lease is ours.
//!
//! ```text
//! full page of ETags → tail → checkpoint → read the lease → acknowledge → delete what is left over
//! ```
//!
//! Parts that finish while a write is under way share the next one, so that there is at most one
//! write a part.

use super::checkpoint::{Checkpoint, EtagPage, Phase, Tail};
use super::kv_step::KvStep;
use super::operation::is_initiate;
use super::session::{Session, misuse};
use super::state::State;
use super::{Event, Value};
use crate::error::Result;
use crate::units::{ByteCount, PART_COUNT_MAX};

use std::collections::VecDeque;

/// What is being stored, and what is stored.
#[derive(Debug, Default)]
pub(super) struct Save {
    busy: bool,
    given_up: bool,
    requested: bool,
    pages: VecDeque<EtagPage>,
    /// The tail that is being written, and the fill that it comes from.
    tail: Option<(Tail, super::FillId)>,
    tail_serial: u32,
    /// What the write under way says, once it is acknowledged; `None` where the upload has started
    /// over since.
    writing: Option<Mark>,
    saved: Mark,
    /// Keys that the next checkpoint does not refer to.
    left_over: Vec<String>,
    /// Keys that the checkpoint under way does not refer to: deleted once it is acknowledged.
    deleting: Vec<String>,
}

/// What a checkpoint in the store says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mark {
    durable: ByteCount,
    in_parts_bytes: u64,
    numbers_spent: u16,
    /// The store's id of the upload is noted.
    has_upload_id: bool,
    /// Left at rest by this session.
    at_rest: bool,
    /// Says that this session may acknowledge more.
    writing: bool,
}

impl Save {
    /// Continues from `checkpoint`, which no number of this session is in yet.
    pub(super) fn begin(&mut self, checkpoint: &Checkpoint) {
        self.saved.durable = checkpoint.durable();
        self.saved.in_parts_bytes = checkpoint.in_parts_bytes;
        self.saved.has_upload_id = checkpoint.upload_id.is_some();
    }

    pub(super) fn start_over(&mut self) {
        self.pages.clear();
        self.writing = None;
        self.saved = Mark::default();
        self.requested = true;
    }

    /// The offset that is acknowledged.
    pub(super) const fn durable(&self) -> ByteCount {
        self.saved.durable
    }

    /// The highest part number that may be sent: a writer that takes over starts above it, and drops
    /// the parts by the upload id, which has to be stored before any of them is sent.
    pub(super) const fn reserved(&self) -> u16 {
        if self.saved.has_upload_id { self.saved.numbers_spent } else { 0 }
    }

    pub(super) const fn request(&mut self) {
        self.requested = true;
    }

    pub(super) fn add_page(&mut self, page: EtagPage) {
        self.pages.push_back(page);
    }

    /// Deletes `key` once a checkpoint that does not refer to it is acknowledged.
    pub(super) fn discard(&mut self, key: String) {
        self.left_over.push(key);
    }

    /// Stores nothing any more: somebody else does, or nobody can.
    pub(super) const fn give_up(&mut self) {
        self.given_up = true;
        self.busy = false;
        self.requested = false;
    }

    pub(super) const fn is_busy(&self) -> bool {
        self.busy || self.requested
    }

    /// True where this session's last checkpoint leaves nothing in flight.
    pub(super) const fn left_at_rest(&self) -> bool {
        self.saved.at_rest
    }
}

impl Session {
    /// Begins the next write, if there is something to store.
    pub(super) fn advance_saving(&mut self) -> Result<()> {
        if self.save.given_up || self.save.busy {
            return Ok(());
        }
        let moved =
            self.has_begun() || self.checkpoint.in_parts_bytes != self.save.saved.in_parts_bytes;
        let open = matches!(self.state, State::Receiving | State::Draining);
        let number_wanted = open
            && self.checkpoint.upload_id.is_some()
            && self.transfer.waits_for_number_above(self.save.reserved());
        let closes = self.is_closing();
        let failed = self.state == State::Failed;
        let leaves = failed && self.save.saved.writing;
        if moved && (open || failed) || number_wanted || closes || leaves {
            self.save.requested = true;
        }
        if self.save.requested {
            if closes && self.transfer.is_complete() {
                // In one write with the last part: nobody sees all bytes without this phase.
                self.checkpoint.phase = Phase::Completing;
            }
            self.save.requested = false;
            self.save.busy = true;
            self.write_next()?;
        }
        Ok(())
    }

    /// True where everything of this request is confirmed but not stored as this session's last
    /// word.
    fn is_closing(&self) -> bool {
        self.state == State::Draining
            && self.is_drained()
            && !self.save.saved.at_rest
            && self.has_changed()
            && !self.is_single_put()
    }

    /// True where the last checkpoint, whoever wrote it, does not say it all.
    pub(super) fn has_changed(&self) -> bool {
        self.save.saved.numbers_spent > 0
            || self.checkpoint.in_parts_bytes != self.save.saved.in_parts_bytes
            || self.transfer.rest().is_some()
            || self.transfer.is_complete()
            || self.save.saved.writing
            || self.has_begun()
    }

    /// True where the store's id of the upload is not noted yet.
    fn has_begun(&self) -> bool {
        self.checkpoint.upload_id.is_some() && !self.save.saved.has_upload_id
    }

    /// True where nothing is on its way to the store any more.
    pub(super) fn is_drained(&self) -> bool {
        self.transfer.is_drained() && !self.calls.has(is_initiate)
    }

    /// True where the file goes as one PutObject, because it is small or empty.
    pub(super) fn is_single_put(&self) -> bool {
        let is_empty = self.transfer.is_complete() && self.plan.length() == Some(ByteCount::ZERO);
        is_empty || self.transfer.rest().is_some_and(|rest| rest.whole_source)
    }

    fn write_next(&mut self) -> Result<()> {
        if let Some(page) = self.save.pages.pop_front() {
            let key = self.key.etag_page(page.page, self.turn);
            self.kv_set(KvStep::PageWritten, key, Value::Bytes(page.encode()?));
            return Ok(());
        }
        // The tail continues the parts: it means nothing before all of them are confirmed.
        let drained = self.state == State::Draining && self.is_drained();
        let rest = self.transfer.rest().filter(|rest| drained && !rest.whole_source);
        if let Some(rest) = rest {
            self.transfer.take_rest();
            let serial = self.save.tail_serial;
            self.save.tail_serial += 1;
            let len_bytes = u32::try_from(rest.len.bytes())
                .map_err(|_| misuse("a tail is smaller than a part"))?;
            let tail = Tail { turn: self.turn, serial, len_bytes, crc64: rest.crc64.0 };
            self.save.tail = Some((tail, rest.fill));
            let value = Value::Fill { fill: rest.fill, len: rest.len };
            self.kv_set(KvStep::TailWritten, self.key.tail(self.turn, serial), value);
            return Ok(());
        }
        self.write_checkpoint()
    }

    fn write_checkpoint(&mut self) -> Result<()> {
        let at_rest = match self.state {
            State::Draining => self.is_drained(),
            // A failed session may have cut requests off that still arrive.
            State::Receiving | State::Failed => false,
            // This writer has sent no part: what it found is as it was left.
            State::Verifying | State::Settling | State::Aborting | State::Suspended => {
                self.checkpoint.at_rest
            }
            _ => true,
        };
        let last = self.transfer.last_number();
        self.checkpoint.numbers_spent = if at_rest || self.checkpoint.upload_id.is_none() {
            last
        } else {
            let ahead = 2 * (u16::from(self.plan.parallel()) + 1);
            last.saturating_add(ahead).min(PART_COUNT_MAX).max(self.save.saved.numbers_spent)
        };
        self.checkpoint.at_rest = at_rest;
        let goes_on = match self.state {
            State::Verifying | State::Receiving => true,
            State::Draining => !at_rest || self.is_single_put(),
            _ => false,
        };
        self.checkpoint.writing = goes_on && self.takes_bytes();
        self.checkpoint.written_at_ms = self.now.0;
        self.save.writing = Some(Mark {
            durable: self.checkpoint.durable(),
            in_parts_bytes: self.checkpoint.in_parts_bytes,
            numbers_spent: self.checkpoint.numbers_spent,
            has_upload_id: self.checkpoint.upload_id.is_some(),
            at_rest,
            writing: self.checkpoint.writing,
        });
        self.save.deleting.append(&mut self.save.left_over);
        let key = self.key.checkpoint(self.turn.epoch);
        let value = Value::Bytes(self.checkpoint.encode()?);
        self.kv_set(KvStep::CheckpointWritten, key, value);
        Ok(())
    }

    pub(super) fn save_step(&mut self, step: KvStep, value: Result<Option<Vec<u8>>>) -> Result<()> {
        if self.save.given_up {
            return Ok(());
        }
        let value = value?;
        match step {
            KvStep::PageWritten => self.write_next(),
            KvStep::TailWritten => {
                if let Some((tail, fill)) = self.save.tail.take() {
                    if let Some(old) = self.checkpoint.tail.replace(tail) {
                        self.save.discard(self.key.tail(old.turn, old.serial));
                    }
                    self.event(Event::Released(fill));
                }
                self.write_checkpoint()
            }
            KvStep::CheckpointWritten => {
                self.kv_get(KvStep::LeaseChecked, self.key.lease());
                Ok(())
            }
            KvStep::LeaseChecked => self.acknowledge(value),
            _ => Err(misuse("not a step of saving")),
        }
    }

    fn acknowledge(&mut self, lease: Option<Vec<u8>>) -> Result<()> {
        self.require_our_lease(lease)?;
        self.save.busy = false;
        if let Some(written) = self.save.writing.take() {
            let before = self.save.saved.durable;
            self.save.saved = written;
            if written.durable > before {
                self.event(Event::Durable(written.durable));
            }
        }
        for key in std::mem::take(&mut self.save.deleting) {
            self.kv_delete(key);
        }
        Ok(())
    }
}
