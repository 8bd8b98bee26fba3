//! Acquires the upload's lease, and reads the last checkpoint and its tail.
//!
//! ```text
//! search for the checkpoint → (the session checks it) → acquire the next epoch → search again
//!   → (the session checks it) → read the tail
//! ```
//!
//! Because of the first search, a request that cannot succeed (a wrong offset, an upload that has
//! ended) does not stop the current writer. The second search is authoritative: since the candidate
//! of this writer's epoch is stored, no earlier writer acknowledges bytes. It is omitted if the
//! checkpoint is the last one of its session.

use super::checkpoint::{Checkpoint, Tail};
use super::election::{Election, ElectionOutcome, ElectionStep};
use super::errors::{misuse, taken_over};
use super::kv_calls::KvRequest;
use super::lease::{Lease, RELIANCE_MAX, WriterEpoch};
use super::options::LeaseAcquisition;
use super::output::Value;
use super::records::UploadId;
use super::search::CheckpointSearch;
use crate::crc64::Crc64;
use crate::error::{Error, ErrorKind, Result};
use crate::units::UnixMillis;

/// The acquisition of one lease, and of later ones if a write of its session may take effect late.
#[derive(Debug)]
pub(super) struct AcquireLease {
    id: UploadId,
    /// This writer, and the epoch that it competes for or has acquired.
    holder: WriterEpoch,
    /// The lease that is taken over, then this writer's own.
    lease: Lease,
    /// The last epoch that is known to have a competitor.
    current_epoch: u32,
    /// When the current epoch was last known to be current.
    current_at: UnixMillis,
    /// The epoch of the last checkpoint that is known.
    found_epoch: Option<u32>,
    /// That checkpoint, if it is the last one of its session.
    last_of_session: Option<Checkpoint>,
    step: Step,
    tail: Vec<u8>,
    is_new: bool,
}

#[derive(Debug)]
enum Step {
    Search(CheckpointSearch),
    Compete(Election),
    /// The lease of a new upload is being written.
    WriteLease,
    SearchAgain(CheckpointSearch),
    ReadTail(Tail),
    Renew(Election),
    Done,
}

/// What the acquisition needs next.
#[derive(Debug)]
pub(super) enum LeaseStep {
    /// Execute this operation, and pass its result to [`AcquireLease::on_value`].
    Kv(KvRequest),
    /// The last checkpoint before the lease is acquired. Unless the upload has ended, call
    /// [`AcquireLease::compete`] if the session can continue from it. `is_conclusive`: see
    /// [`CheckpointSearch::is_conclusive`].
    Found { checkpoint: Checkpoint, is_conclusive: bool },
    /// The epoch is acquired: call [`AcquireLease::lease_write`] and
    /// [`AcquireLease::search_again`].
    Elected,
    /// The last checkpoint, and its epoch if there is one.
    Acquired { epoch: Option<u32>, checkpoint: Checkpoint },
    /// The tail is read: see [`AcquireLease::take_tail`].
    TailRead,
    /// The next epoch is acquired for the same session: call [`AcquireLease::lease_write`].
    Renewed,
}

/// The write of a lease, and the keys that are obsolete once it is stored.
#[derive(Debug)]
pub(super) struct LeaseWrite {
    pub(super) request: KvRequest,
    pub(super) retired: Vec<String>,
}

impl AcquireLease {
    /// Creates the acquisition by a writer with the random ID `writer`. The first writer of a new
    /// upload need not compete for epoch 1.
    pub(super) fn new(
        id: UploadId,
        writer: u64,
        acquisition: LeaseAcquisition,
        now: UnixMillis,
    ) -> Self {
        let (epoch, step) = match acquisition {
            LeaseAcquisition::New => (1, Step::WriteLease),
            LeaseAcquisition::TakeOver => (0, Step::Search(CheckpointSearch::new(id.clone()))),
            LeaseAcquisition::TakeOverFrom(search) => (0, Step::Search(*search)),
        };
        Self {
            id,
            holder: WriterEpoch { epoch, writer },
            lease: Lease::unheld(),
            current_epoch: 0,
            current_at: now,
            found_epoch: None,
            last_of_session: None,
            is_new: matches!(step, Step::WriteLease),
            step,
            tail: Vec::new(),
        }
    }

    /// Returns what is needed first, at the instant `now`.
    pub(super) fn start(&mut self, now: UnixMillis) -> Result<LeaseStep> {
        match &self.step {
            Step::WriteLease => Ok(LeaseStep::Kv(self.lease_write(now)?.request)),
            // The driver decides whether the search that it passes is sufficient.
            Step::Search(search) if search.is_advisory() => self.found(&search.clone()),
            _ => self.search_on(),
        }
    }

    /// Competes for the epoch after the current one.
    pub(super) fn compete(&mut self) -> Result<LeaseStep> {
        self.step = Step::Compete(self.next_election(self.current_epoch)?);
        self.compete_on()
    }

    /// Competes for the epoch after the acquired one, without a search: this writer continues from
    /// its own state, which was current at `current_at`. A write to a key of the acquired epoch may
    /// still take effect. `stored_epoch` is that of the last checkpoint that is known to be stored.
    pub(super) fn renew(
        &mut self,
        current_at: UnixMillis,
        stored_epoch: Option<u32>,
    ) -> Result<LeaseStep> {
        self.current_at = current_at;
        self.found_epoch = stored_epoch;
        self.step = Step::Renew(self.next_election(self.holder.epoch)?);
        self.compete_on()
    }

    /// Competes again after a write of the election failed, with the ID `writer`: a late write of
    /// the previous ID must not be mistaken for one of this competitor.
    ///
    /// # Errors
    /// Returns `error` if no such write failed.
    pub(super) fn compete_again(&mut self, writer: u64, error: Error) -> Result<LeaseStep> {
        let (Step::Compete(election) | Step::Renew(election)) = &mut self.step else {
            return Err(error);
        };
        self.holder.writer = writer;
        *election = Election::with_id(self.id.registers(self.holder.epoch), writer);
        self.compete_on()
    }

    /// Searches for the last checkpoint again. Earlier holders may have written theirs since the
    /// first search.
    pub(super) fn search_again(&mut self) -> Result<LeaseStep> {
        if let Some(checkpoint) = self.last_of_session.take()
            && self.found_epoch.is_some_and(|epoch| epoch + 1 == self.holder.epoch)
        {
            self.step = Step::Done;
            return Ok(LeaseStep::Acquired { epoch: self.found_epoch, checkpoint });
        }
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
    /// Returns [`ErrorKind::TakenOver`] if another writer competes for the same epoch;
    /// [`ErrorKind::UploadNotFound`] without a lease; [`ErrorKind::CheckpointCorrupt`] and
    /// [`ErrorKind::CheckpointNewer`] if a record cannot be read.
    pub(super) fn on_value(&mut self, value: Option<Vec<u8>>) -> Result<LeaseStep> {
        match &mut self.step {
            Step::Search(search) | Step::SearchAgain(search) => {
                search.feed(value)?;
                self.search_on()
            }
            Step::Compete(election) | Step::Renew(election) => {
                election.feed(value.as_deref());
                self.compete_on()
            }
            Step::WriteLease => self.search_again(),
            Step::ReadTail(tail) => {
                let tail = *tail;
                self.tail = check_tail(tail, value)?;
                self.step = Step::Done;
                Ok(LeaseStep::TailRead)
            }
            Step::Done => Err(misuse("the lease has been acquired")),
        }
    }

    /// Returns the write of the lease of the acquired epoch.
    ///
    /// # Errors
    /// Returns [`ErrorKind::TakenOver`] if the acquisition was suspended for so long that the keys
    /// of the epoch may have been deleted and written again.
    pub(super) fn lease_write(&mut self, now: UnixMillis) -> Result<LeaseWrite> {
        if now.since(self.current_at) > RELIANCE_MAX {
            return Err(taken_over());
        }
        let lease = self.lease.taken_over_by(self.holder, self.found_epoch, now);
        let retired = self.lease.retired_by(&lease).flat_map(|epoch| self.id.epoch_keys(epoch));
        let retired = retired.collect();
        let value = Value::Bytes(lease.encode()?);
        self.lease = lease;
        Ok(LeaseWrite { request: KvRequest::SetRepeatedly(self.id.lease_key(), value), retired })
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
        let search = search.clone();
        if is_first {
            return self.found(&search);
        }
        let (epoch, checkpoint) = search.finish()?;
        self.step = Step::Done;
        Ok(LeaseStep::Acquired { epoch, checkpoint })
    }

    fn found(&mut self, search: &CheckpointSearch) -> Result<LeaseStep> {
        let (epoch, checkpoint) = search.clone().finish()?;
        self.lease = search.lease().cloned().ok_or_else(|| misuse("the lease was not read"))?;
        self.current_epoch = search.current_epoch();
        self.found_epoch = epoch;
        self.last_of_session = checkpoint.session_ended.then(|| checkpoint.clone());
        Ok(LeaseStep::Found { checkpoint, is_conclusive: search.is_conclusive() })
    }

    /// Starts the election of the epoch after `epoch`.
    fn next_election(&mut self, epoch: u32) -> Result<Election> {
        // The epoch after the acquired one must exist, too: its candidate is read.
        let epoch = epoch.checked_add(1).filter(|epoch| *epoch < u32::MAX);
        self.holder.epoch = epoch.ok_or_else(|| misuse("no epoch is left"))?;
        Ok(Election::with_id(self.id.registers(self.holder.epoch), self.holder.writer))
    }

    fn compete_on(&mut self) -> Result<LeaseStep> {
        let (election, is_renewal) = match &self.step {
            Step::Compete(election) => (election, false),
            Step::Renew(election) => (election, true),
            _ => return Err(misuse("no election is in progress")),
        };
        match election.step() {
            ElectionStep::Read(key) => Ok(LeaseStep::Kv(KvRequest::Get(key))),
            ElectionStep::Write(key, value) => {
                let registers = self.id.registers(self.holder.epoch);
                let value = Value::Bytes(value);
                Ok(LeaseStep::Kv(match key == registers.candidate() {
                    true => KvRequest::Set(key, value),
                    false => KvRequest::SetRepeatedly(key, value),
                }))
            }
            ElectionStep::Ended(ElectionOutcome::Acquired) if is_renewal => {
                self.step = Step::Done;
                Ok(LeaseStep::Renewed)
            }
            ElectionStep::Ended(ElectionOutcome::Acquired) => Ok(LeaseStep::Elected),
            ElectionStep::Ended(ElectionOutcome::Closed) if !is_renewal => {
                self.current_epoch = self.holder.epoch;
                self.compete()
            }
            ElectionStep::Ended(ElectionOutcome::Closed | ElectionOutcome::Overwritten) => {
                Err(taken_over())
            }
        }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

    use std::time::Duration;

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

    fn acquisition(kind: LeaseAcquisition) -> AcquireLease {
        AcquireLease::new(UploadId::new("id").unwrap(), 7, kind, NOW)
    }

    /// The key of a read.
    #[track_caller]
    fn read(step: LeaseStep) -> String {
        match step {
            LeaseStep::Kv(KvRequest::Get(key)) => key,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_lease_is_written_only_while_the_last_reads_can_be_relied_on() {
        let late = NOW + RELIANCE_MAX;
        assert!(acquisition(LeaseAcquisition::New).lease_write(late).is_ok());
        let too_late = late + Duration::from_millis(1);
        let refused = acquisition(LeaseAcquisition::New).lease_write(too_late);
        assert_eq!(refused.err().unwrap().kind(), ErrorKind::TakenOver);
    }

    /// The key of a write, and whether it is repeated if it fails.
    #[track_caller]
    fn write(step: LeaseStep) -> (String, bool) {
        match step {
            LeaseStep::Kv(KvRequest::Set(key, _)) => (key, false),
            LeaseStep::Kv(KvRequest::SetRepeatedly(key, _)) => (key, true),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_new_writer_competes_for_the_epoch_after_a_closed_one_and_a_renewal_does_not() {
        let mut new = acquisition(LeaseAcquisition::TakeOver);
        assert_eq!(write(new.compete().unwrap()).0, "u.id.b.1");
        assert_eq!(read(new.on_value(None).unwrap()), "u.id.d.1");
        assert_eq!(write(new.on_value(Some(vec![1])).unwrap()).0, "u.id.b.2");

        let mut renewal = acquisition(LeaseAcquisition::New);
        assert_eq!(write(renewal.renew(NOW, None).unwrap()).0, "u.id.b.2");
        assert_eq!(read(renewal.on_value(None).unwrap()), "u.id.d.2");
        let ended = renewal.on_value(Some(vec![1]));
        assert_eq!(ended.err().unwrap().kind(), ErrorKind::TakenOver);
    }

    /// A late write of the candidate would be mistaken for that of a competitor.
    #[test]
    fn a_failed_write_of_the_candidate_is_not_repeated_with_the_same_id() {
        let mut writer = acquisition(LeaseAcquisition::TakeOver);
        assert_eq!(write(writer.compete().unwrap()), ("u.id.b.1".into(), false));
        assert_eq!(read(writer.on_value(None).unwrap()), "u.id.d.1");
        assert_eq!(write(writer.on_value(None).unwrap()), ("u.id.d.1".into(), true));
    }
}
