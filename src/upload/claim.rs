//! Taking an upload over: the lease, the last checkpoint and the tail.
//!
//! ```text
//! look for the checkpoint → check the request → win the next epoch → write the lease
//!                         → read the checkpoint again → read the tail
//! ```
//!
//! The look before the epoch is won lets a request that cannot be served (a wrong offset, an
//! upload that has ended) leave the present writer alone. The second read is the one that counts:
//! from the moment our lease stands, nobody else acknowledges anything.

use super::checkpoint::{Checkpoint, Phase};
use super::joining::Joining;
use super::kv_step::KvStep;
use super::lease::{EPOCHS_RETAINED, Lease, Turn};
use super::plan::Plan;
use super::records::UploadKey;
use super::search::CheckpointSearch;
use super::session::{Session, misuse};
use super::state::Trigger;
use super::{Event, Purpose, Receive, Value};
use crate::crc64::Crc64;
use crate::error::{Error, ErrorKind, Result};
use crate::units::ByteCount;

/// What claiming has found so far.
#[derive(Debug)]
pub(super) struct Claiming {
    /// Where the last checkpoint is: searched for before the upload is taken over, and again after.
    search: CheckpointSearch,
    /// The lease that is taken over, and then our own.
    lease: Lease,
    /// The epoch whose checkpoint was found.
    found: Option<u32>,
    tail: Vec<u8>,
    /// This session brings the file's length, which no checkpoint has yet.
    length_is_new: bool,
    /// Nobody else knows of the upload.
    created: bool,
}

impl Claiming {
    pub(super) const fn new(key: UploadKey) -> Self {
        let search = CheckpointSearch::new(key);
        Self {
            search,
            lease: Lease::unclaimed(),
            found: None,
            tail: Vec::new(),
            length_is_new: false,
            created: false,
        }
    }

    /// True where nobody else knows of the upload.
    pub(super) const fn created(&self) -> bool {
        self.created
    }

    /// Goes on where the driver has searched.
    pub(super) fn begin_with(&mut self, search: CheckpointSearch) {
        self.search = search;
    }
}

impl Session {
    /// Nobody else knows of the upload: its first epoch needs no winning.
    pub(super) fn claim_created(&mut self) -> Result<()> {
        self.turn.epoch = 1;
        self.claiming.created = true;
        self.write_lease()
    }

    /// Searches for the last checkpoint without a change to anything.
    pub(super) fn look(&mut self) -> Result<()> {
        if let Some(key) = self.claiming.search.next_key() {
            self.kv_get(KvStep::Looked, key);
            return Ok(());
        }
        let (found, checkpoint) = self.claiming.search.clone().finish()?;
        self.claiming.found = found;
        self.claiming.lease = self.claiming.search.lease().clone();
        if self.ended_already(&checkpoint)? {
            return Ok(());
        }
        self.check_offset(&checkpoint)?;
        self.plan_of(&checkpoint)?;
        self.bid_for(self.claiming.lease.turn.epoch)
    }

    pub(super) fn claim_step(&mut self, step: KvStep, value: Option<Vec<u8>>) -> Result<()> {
        match step {
            KvStep::Looked => {
                self.claiming.search.take(value)?;
                self.look()
            }
            KvStep::BidWritten => {
                self.kv_get(
                    KvStep::DoorRead,
                    self.key.registers(self.turn.epoch).closed().to_owned(),
                );
                Ok(())
            }
            KvStep::DoorRead => self.door_read(value),
            KvStep::DoorClosed => {
                self.kv_get(
                    KvStep::BidReadBack,
                    self.key.registers(self.turn.epoch).candidate().to_owned(),
                );
                Ok(())
            }
            KvStep::BidReadBack if value == Some(self.bid()) => self.write_lease(),
            KvStep::LeaseWritten => {
                self.kv_get(
                    KvStep::SuccessorRead,
                    self.key.registers(self.turn.epoch + 1).candidate().to_owned(),
                );
                Ok(())
            }
            KvStep::SuccessorRead if value.is_none() => self.epoch_won(),
            KvStep::BidReadBack | KvStep::SuccessorRead => Err(taken_over()),
            KvStep::CheckpointRead => {
                self.claiming.search.take(value)?;
                self.read_checkpoint()
            }
            KvStep::TailRead => self.tail_read(value),
            _ => Err(misuse("not a step of claiming")),
        }
    }

    fn bid_for(&mut self, epoch_before: u32) -> Result<()> {
        // One more is left for the successor's bid.
        let epoch = epoch_before.checked_add(1).filter(|epoch| *epoch < u32::MAX);
        self.turn.epoch = epoch.ok_or_else(|| misuse("the epochs are used up"))?;
        self.kv_set(
            KvStep::BidWritten,
            self.key.registers(self.turn.epoch).candidate().to_owned(),
            Value::Bytes(self.bid()),
        );
        Ok(())
    }

    fn bid(&self) -> Vec<u8> {
        format!("{:016x}", self.turn.writer).into_bytes()
    }

    fn door_read(&mut self, door: Option<Vec<u8>>) -> Result<()> {
        if door.is_some() {
            return self.bid_for(self.turn.epoch);
        }
        self.kv_set(
            KvStep::DoorClosed,
            self.key.registers(self.turn.epoch).closed().to_owned(),
            Value::Bytes(self.bid()),
        );
        Ok(())
    }

    fn write_lease(&mut self) -> Result<()> {
        self.claiming.lease = self.claiming.lease.taken_over_by(self.turn, self.claiming.found);
        let value = Value::Bytes(self.claiming.lease.encode()?);
        self.kv_set(KvStep::LeaseWritten, self.key.lease(), value);
        Ok(())
    }

    fn epoch_won(&mut self) -> Result<()> {
        if let Some(epoch) = self.turn.epoch.checked_sub(EPOCHS_RETAINED) {
            self.kv_delete(self.key.registers(epoch).candidate().to_owned());
            self.kv_delete(self.key.registers(epoch).closed().to_owned());
        }
        // The holders may have written since we looked; what they had started from cannot have.
        let lease = self.claiming.lease.clone();
        self.claiming.search = CheckpointSearch::before(self.key.clone(), lease);
        self.read_checkpoint()
    }

    fn read_checkpoint(&mut self) -> Result<()> {
        if let Some(key) = self.claiming.search.next_key() {
            self.kv_get(KvStep::CheckpointRead, key);
            return Ok(());
        }
        let (epoch, checkpoint) = self.claiming.search.clone().finish()?;
        self.checkpoint = checkpoint.clone();
        // The checkpoint that we start from stays: one who takes over at this moment may still be
        // reading it. What that one had started from has no reader left once ours is written.
        if let Some(older) = std::mem::replace(&mut self.checkpoint.previous, epoch) {
            self.save.discard(self.key.checkpoint(older));
        }
        if self.ended_already(&checkpoint)? {
            return Ok(());
        }
        self.check_offset(&checkpoint)?;
        self.plan = self.plan_of(&checkpoint)?;
        if self.declared.is_none() {
            self.checkpoint.length_bytes = self.plan.length().map(ByteCount::bytes);
        }
        self.claiming.length_is_new = self.checkpoint.length_bytes != checkpoint.length_bytes;
        self.save.begin(&checkpoint);
        self.transfer.begin(&checkpoint);
        if let Some(joining) = &mut self.joining {
            joining.begin_at(checkpoint.durable(), checkpoint.crc64())?;
        }
        match checkpoint.tail {
            Some(tail) if self.takes_bytes() => {
                let key = self.key.tail(tail.turn, tail.serial);
                self.kv_get(KvStep::TailRead, key);
                Ok(())
            }
            _ => self.begin_purpose(),
        }
    }

    fn tail_read(&mut self, value: Option<Vec<u8>>) -> Result<()> {
        let Some(tail) = self.checkpoint.tail else { return Err(misuse("no tail is noted")) };
        // The one who took over from us may have used the tail up and deleted it.
        let Some(value) = value else { return Err(taken_over()) };
        let whole =
            value.len() == tail.len_bytes as usize && Crc64::of(&value) == Crc64(tail.crc64);
        if !whole {
            let message = "the stored tail is not what the checkpoint says";
            return Err(Error::new(ErrorKind::CheckpointCorrupt, message));
        }
        self.claiming.tail = value;
        self.begin_purpose()
    }

    fn begin_purpose(&mut self) -> Result<()> {
        let takes_over = !self.claiming.lease.bases.is_empty();
        let receives = self.takes_bytes() && !self.claiming.created;
        if takes_over || receives || self.claiming.length_is_new {
            // Before anything else: whoever asks for the offset meanwhile must not be told what the
            // writer before us may still store without acknowledging it, and has to know that one
            // is at work again; and a length that was declared stands, whatever becomes of the
            // request.
            self.save.request();
        }
        if self.purpose == Purpose::Fence {
            return self.go(Trigger::CheckpointKept);
        }
        if self.checkpoint.phase == Phase::Completing {
            return self.begin_settling();
        }
        if self.purpose == Purpose::Abort {
            return self.begin_abort();
        }
        let unfinished = !self.checkpoint.at_rest && self.checkpoint.part_count > 0;
        if unfinished {
            self.go(Trigger::LoadedUnfinished)?;
            return self.read_pages();
        }
        self.go(Trigger::LoadedAtRest)?;
        self.begin_receiving()
    }

    pub(super) fn begin_receiving(&mut self) -> Result<()> {
        let offset = self.checkpoint.durable();
        let all_in_parts = self.plan.length() == Some(self.transfer.filled_to());
        let completes = all_in_parts && !self.holds_back() && !self.stays_open();
        if completes {
            self.transfer.source_is_complete();
        }
        self.transfer.awaits_end = all_in_parts && !completes;
        if self.takes_bytes() {
            let tail = std::mem::take(&mut self.claiming.tail);
            self.event(Event::Ready { offset, tail });
        }
        if completes || !self.takes_bytes() { self.source_ended() } else { Ok(()) }
    }

    pub(super) const fn takes_bytes(&self) -> bool {
        matches!(self.purpose, Purpose::Receive(_) | Purpose::Continue | Purpose::Join { .. })
    }

    /// Whether the upload has ended before this session: then so does the session.
    fn ended_already(&mut self, checkpoint: &Checkpoint) -> Result<bool> {
        match &checkpoint.phase {
            Phase::Receiving | Phase::Completing => Ok(false),
            Phase::Completed(object) => {
                // A success says that these bytes are the object's: it takes the right offset.
                self.check_offset(checkpoint)?;
                self.plan_of(checkpoint)?;
                self.finish.object = Some(object.clone());
                self.go(Trigger::LoadedCompleted)?;
                Ok(true)
            }
            Phase::Aborted => {
                self.go(Trigger::LoadedAborted)?;
                Ok(true)
            }
            Phase::Lost { .. } if self.purpose == Purpose::Abort => Ok(false),
            Phase::Lost { code } => {
                let message = format!("the upload ended before with {code}");
                self.trouble = Some(Error::new(ErrorKind::UploadLost, message));
                self.go(Trigger::Forgotten)?;
                Ok(true)
            }
        }
    }

    fn check_offset(&self, checkpoint: &Checkpoint) -> Result<()> {
        let Purpose::Receive(Receive { offset, .. }) = self.purpose else { return Ok(()) };
        let durable = checkpoint.durable();
        if offset == durable {
            return Ok(());
        }
        let (offset, durable) = (offset.bytes(), durable.bytes());
        let message = format!("the request starts at {offset} and the upload is at {durable}");
        Err(Error::new(ErrorKind::OffsetMismatch, message))
    }

    /// The plan with the file's length, as far as it is known: declared with the upload, or later,
    /// or by this session.
    fn plan_of(&self, checkpoint: &Checkpoint) -> Result<Plan> {
        let inconsistent = |message| Err(Error::new(ErrorKind::LengthInconsistent, message));
        let found = match &checkpoint.phase {
            Phase::Completed(object) => Some(object.size_bytes),
            _ => checkpoint.length_bytes,
        };
        let known = self.declared.or(found.map(ByteCount));
        let brought = match &self.purpose {
            Purpose::Receive(Receive { length, .. }) => *length,
            _ => self.joining.as_ref().map(Joining::total),
        };
        let durable = checkpoint.durable();
        match (known, brought) {
            (Some(known), Some(brought)) if known != brought => inconsistent(format!(
                "the request says that the file has {brought}; {known} were declared before"
            )),
            (_, Some(brought)) if brought < durable => inconsistent(format!(
                "the request says that the file has {brought}; {durable} are stored already"
            )),
            (known, brought) => self.plan.with_length(known.or(brought)),
        }
    }

    /// Fails where the stored lease is not this writer's.
    pub(super) fn require_our_lease(&self, value: Option<Vec<u8>>) -> Result<()> {
        let stored: Option<Turn> =
            value.as_deref().map(Lease::decode).transpose()?.map(|lease| lease.turn);
        if stored == Some(self.turn) { Ok(()) } else { Err(taken_over()) }
    }
}

fn taken_over() -> Error {
    Error::new(ErrorKind::TakenOver, "another request has taken this upload over")
}
