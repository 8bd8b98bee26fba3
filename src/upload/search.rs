//! Finds an upload's last checkpoint: which keys to read, in which order.

use super::checkpoint::Checkpoint;
use super::lease::Lease;
use super::records::UploadId;
use crate::error::{Error, ErrorKind, Result};

/// Finds the last checkpoint of an upload.
///
/// It performs no I/O: read the key that [`next_key`](Self::next_key) returns, pass its value to
/// [`feed`](Self::feed), and repeat until there is no next key. It changes nothing, so that the
/// offset can be read while a writer is active.
///
/// ```text
/// lease → candidates of the epochs after it, until there is none → checkpoints, most recent first
/// ```
///
/// The candidates show whether the lease is current: if two writers take an upload over at the same
/// time, the one with the higher epoch may have written the lease first.
#[derive(Clone, Debug)]
pub struct CheckpointSearch {
    id: UploadId,
    step: Step,
    lease: Lease,
    /// Epochs whose checkpoints are still to be read, the next one last.
    unread: Vec<u32>,
    found: Option<(u32, Checkpoint)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Lease,
    Candidate(u32),
    Checkpoint(u32),
    Done,
}

impl CheckpointSearch {
    /// Starts with the upload's lease.
    #[must_use]
    pub const fn new(id: UploadId) -> Self {
        let lease = Lease::unheld();
        Self { id, step: Step::Lease, lease, unread: Vec::new(), found: None }
    }

    /// Searches the epochs before that of `lease`, which is known to be current.
    pub(super) fn before(id: UploadId, lease: Lease) -> Self {
        let unread = lease.base_epochs.iter().rev().copied().collect();
        let mut search = Self { id, step: Step::Done, lease, unread, found: None };
        search.advance();
        search
    }

    /// Returns the key to read next, or `None` if the search has ended.
    #[must_use]
    pub fn next_key(&self) -> Option<String> {
        match self.step {
            Step::Lease => Some(self.id.lease_key()),
            Step::Candidate(epoch) => Some(self.id.registers(epoch).candidate().to_owned()),
            Step::Checkpoint(epoch) => Some(self.id.checkpoint_key(epoch)),
            Step::Done => None,
        }
    }

    /// Accepts the value of that key, or `None` if it is absent.
    ///
    /// # Errors
    /// Returns [`ErrorKind::UploadNotFound`] without a lease, and [`ErrorKind::CheckpointCorrupt`]
    /// or [`ErrorKind::CheckpointNewer`] if a record cannot be read.
    pub fn feed(&mut self, value: Option<Vec<u8>>) -> Result<()> {
        match (self.step, value) {
            (Step::Lease, None) => {
                return Err(Error::new(ErrorKind::UploadNotFound, "no upload has this ID"));
            }
            (Step::Lease, Some(value)) => {
                self.lease = Lease::decode(&value)?;
                self.unread = self.lease.checkpoint_epochs().collect();
                self.unread.reverse();
                self.step = Step::Candidate(self.lease.holder.epoch.saturating_add(1));
            }
            (Step::Candidate(epoch), Some(_)) if epoch < u32::MAX => {
                self.unread.push(epoch);
                self.step = Step::Candidate(epoch + 1);
            }
            (Step::Candidate(_) | Step::Checkpoint(_), None) => self.advance(),
            (Step::Checkpoint(epoch), Some(value)) => {
                self.found = Some((epoch, Checkpoint::decode(&value)?));
                self.step = Step::Done;
            }
            (Step::Candidate(_) | Step::Done, _) => self.step = Step::Done,
        }
        Ok(())
    }

    /// Returns the last checkpoint and its epoch: an empty one and `None` if none was ever written.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CheckpointCorrupt`] if one was written and is missing.
    pub fn finish(self) -> Result<(Option<u32>, Checkpoint)> {
        match self.found {
            Some((epoch, checkpoint)) => Ok((Some(epoch), checkpoint)),
            None if self.lease.is_first => Ok((None, Checkpoint::empty())),
            None => {
                let message = "the upload's checkpoint is missing";
                Err(Error::new(ErrorKind::CheckpointCorrupt, message))
            }
        }
    }

    /// Returns true if the checkpoint cannot change while the lease does not. It can as long as the
    /// holder of the lease has no checkpoint: a fenced writer may still change the previous one. A
    /// reader of the offset then searches again, or takes over the upload with
    /// [`Purpose::Fence`](super::Purpose::Fence).
    #[must_use]
    pub fn is_conclusive(&self) -> bool {
        match &self.found {
            Some((epoch, checkpoint)) => {
                !checkpoint.phase.is_incomplete() || *epoch >= self.lease.holder.epoch
            }
            None => true,
        }
    }

    /// Returns the lease that the search started with.
    pub(super) const fn lease(&self) -> &Lease {
        &self.lease
    }

    fn advance(&mut self) {
        self.step = self.unread.pop().map_or(Step::Done, Step::Checkpoint);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::super::lease::WriterEpoch;
    use super::*;

    #[test]
    fn a_search_ends_at_the_last_possible_epoch() {
        let mut search = CheckpointSearch::new(UploadId::new("u").unwrap());
        let holder = WriterEpoch { epoch: u32::MAX, writer: 1 };
        let lease = Lease { holder, base_epochs: vec![], is_first: true };
        search.feed(Some(lease.encode().unwrap())).unwrap();
        search.feed(Some(vec![1])).unwrap();
        assert_eq!(search.next_key(), None);
        assert_eq!(search.finish().unwrap(), (None, Checkpoint::empty()));
    }
}
