//! Acquires the upload's lease, and reads the last checkpoint and its tail.
//!
//! ```text
//! search for the checkpoint → (the session checks it) → acquire the next epoch → write the lease
//!   → no candidate for the epoch after it → search again → (the session checks it) → read the tail
//! ```
//!
//! Because of the first search, a request that cannot succeed (a wrong offset, an upload that has
//! ended) does not stop the current writer. The second search is authoritative: once this writer's
//! lease is stored, no other writer can acknowledge bytes.

use super::checkpoint::{Checkpoint, Tail};
use super::election::{Election, ElectionOutcome, ElectionStep};
use super::errors::{misuse, taken_over};
use super::lease::{EPOCHS_RETAINED, Lease, WriterEpoch};
use super::options::LeaseAcquisition;
use super::output::Value;
use super::records::UploadId;
use super::search::CheckpointSearch;
use super::session_io::KvRequest;
use crate::crc64::Crc64;
use crate::error::{Error, ErrorKind, Result};

/// The acquisition of one lease.
#[derive(Debug)]
pub(super) struct AcquireLease {
    id: UploadId,
    /// This writer, and the epoch that it competes for or has acquired.
    holder: WriterEpoch,
    /// The lease that is taken over, then this writer's own.
    lease: Lease,
    /// The epoch of the checkpoint that the first search found.
    found: Option<u32>,
    step: Step,
    tail: Vec<u8>,
    is_new: bool,
}

#[derive(Debug)]
enum Step {
    Search(CheckpointSearch),
    Compete(Election),
    WriteLease,
    ReadNextCandidate,
    SearchAgain(CheckpointSearch),
    ReadTail(Tail),
    Done,
}

/// What the acquisition needs next.
#[derive(Debug)]
pub(super) enum LeaseStep {
    /// Execute this operation, and pass its result to [`AcquireLease::on_value`].
    Kv(KvRequest),
    /// The last checkpoint before the lease is acquired. If the session can continue from it, call
    /// [`AcquireLease::compete`].
    Found(Checkpoint),
    /// The lease is stored: delete these keys, and call [`AcquireLease::search_again`].
    Stored { retired: Vec<String> },
    /// The last checkpoint, and its epoch if there is one.
    Acquired { epoch: Option<u32>, checkpoint: Checkpoint },
    /// The tail is read: see [`AcquireLease::take_tail`].
    TailRead,
}

impl AcquireLease {
    /// Creates the acquisition by a writer with the random ID `writer`. The first writer of a new
    /// upload need not compete for epoch 1.
    pub(super) fn new(id: UploadId, writer: u64, acquisition: LeaseAcquisition) -> Self {
        let (epoch, step) = match acquisition {
            LeaseAcquisition::New => (1, Step::WriteLease),
            LeaseAcquisition::TakeOver => (0, Step::Search(CheckpointSearch::new(id.clone()))),
            LeaseAcquisition::TakeOverFrom(search) => (0, Step::Search(*search)),
        };
        Self {
            id,
            holder: WriterEpoch { epoch, writer },
            lease: Lease::unheld(),
            found: None,
            is_new: matches!(step, Step::WriteLease),
            step,
            tail: Vec::new(),
        }
    }

    /// Returns what is needed first.
    pub(super) fn start(&mut self) -> Result<LeaseStep> {
        if self.is_new { self.write_lease() } else { self.search_on() }
    }

    /// Competes for the epoch after that of the lease that was found.
    pub(super) fn compete(&mut self) -> Result<LeaseStep> {
        self.compete_after(self.lease.holder.epoch)
    }

    /// Searches for the last checkpoint again. Earlier holders may have written theirs since the
    /// first search.
    pub(super) fn search_again(&mut self) -> Result<LeaseStep> {
        let search = CheckpointSearch::before(self.id.clone(), self.lease.clone());
        self.step = Step::SearchAgain(search);
        self.search_on()
    }

    /// Reads the tail of the checkpoint that was found.
    pub(super) fn read_tail(&mut self, tail: Tail) -> KvRequest {
        self.step = Step::ReadTail(tail);
        KvRequest::Get(self.id.tail_key(tail.writer, tail.serial))
    }

    /// Accepts the result of the last operation.
    ///
    /// # Errors
    /// Returns [`ErrorKind::TakenOver`] if another writer competes for the same or the next epoch;
    /// [`ErrorKind::UploadNotFound`] without a lease; [`ErrorKind::CheckpointCorrupt`] and
    /// [`ErrorKind::CheckpointNewer`] if a record cannot be read.
    pub(super) fn on_value(&mut self, value: Option<Vec<u8>>) -> Result<LeaseStep> {
        match &mut self.step {
            Step::Search(search) | Step::SearchAgain(search) => {
                search.feed(value)?;
                self.search_on()
            }
            Step::Compete(election) => {
                election.feed(value.as_deref());
                self.compete_on()
            }
            Step::WriteLease => {
                self.step = Step::ReadNextCandidate;
                let next = self.id.registers(self.holder.epoch + 1);
                Ok(LeaseStep::Kv(KvRequest::Get(next.candidate().to_owned())))
            }
            Step::ReadNextCandidate if value.is_some() => Err(taken_over()),
            Step::ReadNextCandidate => {
                let retired = self.holder.epoch.checked_sub(EPOCHS_RETAINED);
                let retired = retired.map(|epoch| self.id.epoch_keys(epoch));
                Ok(LeaseStep::Stored { retired: retired.into_iter().flatten().collect() })
            }
            Step::ReadTail(tail) => {
                let tail = *tail;
                self.tail = check_tail(tail, value)?;
                self.step = Step::Done;
                Ok(LeaseStep::TailRead)
            }
            Step::Done => Err(misuse("the lease has been acquired")),
        }
    }

    /// Returns the epoch and the ID of this writer.
    pub(super) const fn holder(&self) -> WriterEpoch {
        self.holder
    }

    /// Whether the upload has just been created: no other writer can exist.
    pub(super) const fn is_new(&self) -> bool {
        self.is_new
    }

    /// Whether another writer may have held the lease.
    pub(super) const fn takes_over(&self) -> bool {
        !self.lease.base_epochs.is_empty()
    }

    /// Removes and returns the bytes of the tail; empty if none was read.
    pub(super) fn take_tail(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.tail)
    }

    fn search_on(&mut self) -> Result<LeaseStep> {
        let (search, is_first) = match &self.step {
            Step::Search(search) => (search, true),
            Step::SearchAgain(search) => (search, false),
            _ => return Err(misuse("no search for a checkpoint is in progress")),
        };
        if let Some(key) = search.next_key() {
            return Ok(LeaseStep::Kv(KvRequest::Get(key)));
        }
        let (epoch, checkpoint) = search.clone().finish()?;
        if is_first {
            self.found = epoch;
            self.lease = search.lease().clone();
            return Ok(LeaseStep::Found(checkpoint));
        }
        self.step = Step::Done;
        Ok(LeaseStep::Acquired { epoch, checkpoint })
    }

    fn compete_after(&mut self, epoch: u32) -> Result<LeaseStep> {
        // The epoch after the acquired one must exist, too: its candidate is read.
        let epoch = epoch.checked_add(1).filter(|epoch| *epoch < u32::MAX);
        self.holder.epoch = epoch.ok_or_else(|| misuse("no epoch is left"))?;
        let registers = self.id.registers(self.holder.epoch);
        self.step = Step::Compete(Election::with_id(registers, self.holder.writer));
        self.compete_on()
    }

    fn compete_on(&mut self) -> Result<LeaseStep> {
        let Step::Compete(election) = &self.step else {
            return Err(misuse("no election is in progress"));
        };
        match election.step() {
            ElectionStep::Read(key) => Ok(LeaseStep::Kv(KvRequest::Get(key))),
            ElectionStep::Write(key, value) => {
                Ok(LeaseStep::Kv(KvRequest::Set(key, Value::Bytes(value))))
            }
            ElectionStep::Ended(ElectionOutcome::Acquired) => self.write_lease(),
            ElectionStep::Ended(ElectionOutcome::Closed) => self.compete_after(self.holder.epoch),
            ElectionStep::Ended(ElectionOutcome::Overwritten) => Err(taken_over()),
        }
    }

    fn write_lease(&mut self) -> Result<LeaseStep> {
        self.step = Step::WriteLease;
        self.lease = self.lease.taken_over_by(self.holder, self.found);
        let value = Value::Bytes(self.lease.encode()?);
        Ok(LeaseStep::Kv(KvRequest::Set(self.id.lease_key(), value)))
    }
}

fn check_tail(tail: Tail, value: Option<Vec<u8>>) -> Result<Vec<u8>> {
    // A writer that took over from this one may have used the tail and deleted it.
    let value = value.ok_or_else(taken_over)?;
    if value.len() == tail.len_bytes as usize && Crc64::compute(&value) == Crc64(tail.crc64) {
        return Ok(value);
    }
    let message = "the stored tail does not match the checkpoint";
    Err(Error::new(ErrorKind::CheckpointCorrupt, message))
}
