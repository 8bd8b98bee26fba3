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
/// lease → its epoch's checkpoint → the next epoch's candidate → its checkpoint → …
///   → no candidate → if no checkpoint was found: those of earlier epochs, most recent first
/// ```
///
/// The candidates show whether the lease is current. A candidate is read after the checkpoint of
/// the epoch before it: if there is none, the writer of that checkpoint held the lease when it
/// wrote it.
#[derive(Clone, Debug)]
pub struct CheckpointSearch {
    id: UploadId,
    step: Step,
    /// `None` until it is read.
    lease: Option<Lease>,
    /// The last epoch that is known to have a competitor.
    current_epoch: u32,
    /// Earlier epochs whose checkpoints are still to be read, the next one last.
    unread: Vec<u32>,
    found: Option<(u32, Checkpoint)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Lease,
    Checkpoint,
    /// The candidate of the epoch after the current one.
    Candidate,
    Earlier(u32),
    Done,
}

impl CheckpointSearch {
    /// Starts with the upload's lease.
    #[must_use]
    pub const fn new(id: UploadId) -> Self {
        let unread = Vec::new();
        Self { id, step: Step::Lease, lease: None, current_epoch: 0, unread, found: None }
    }

    /// Searches the epochs before that of `lease`, which is known to be current.
    pub(super) fn before(id: UploadId, lease: Lease) -> Self {
        let mut search = Self::new(id);
        search.start(lease);
        search.advance();
        search
    }

    /// Returns the key to read next, or `None` if the search has ended.
    #[must_use]
    pub fn next_key(&self) -> Option<String> {
        match self.step {
            Step::Lease => Some(self.id.lease_key()),
            Step::Checkpoint => Some(self.id.checkpoint_key(self.current_epoch)),
            Step::Candidate => {
                let next = self.id.registers(self.current_epoch.saturating_add(1));
                Some(next.candidate().to_owned())
            }
            Step::Earlier(epoch) => Some(self.id.checkpoint_key(epoch)),
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
                self.start(Lease::decode(&value)?);
                let is_held = self.current_epoch > 0;
                self.step = if is_held { Step::Checkpoint } else { Step::Candidate };
            }
            (Step::Checkpoint, value) => {
                if let Some(value) = value {
                    self.found = Some((self.current_epoch, Checkpoint::decode(&value)?));
                }
                self.step = Step::Candidate;
            }
            (Step::Candidate, Some(_)) if self.current_epoch < u32::MAX => {
                self.current_epoch += 1;
                self.step = Step::Checkpoint;
            }
            (Step::Candidate, _) if self.found.is_some() => self.step = Step::Done,
            (Step::Candidate, _) | (Step::Earlier(_), None) => self.advance(),
            (Step::Earlier(epoch), Some(value)) => {
                self.found = Some((epoch, Checkpoint::decode(&value)?));
                self.step = Step::Done;
            }
            (Step::Done, _) => {}
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
            None if self.lease.is_none_or(|lease| lease.is_first) => {
                Ok((None, Checkpoint::empty()))
            }
            None => {
                let message = "the upload's checkpoint is missing";
                Err(Error::new(ErrorKind::CheckpointCorrupt, message))
            }
        }
    }

    /// Returns true if the next key is that of a candidate: if there is none, the search ends.
    #[must_use]
    pub fn is_at_candidate(&self) -> bool {
        self.step == Step::Candidate
    }

    /// Returns true if a checkpoint is known, and only candidates of later epochs remain to be
    /// read. It may be taken over from: the election shows whether there is a later epoch.
    #[must_use]
    pub fn is_advisory(&self) -> bool {
        self.is_at_candidate() && self.found.is_some()
    }

    /// Returns true if the search has ended, and no other writer can replace the checkpoint without
    /// continuing it. Otherwise a writer has competed for a later epoch and has no checkpoint: it
    /// may continue from the previous state of the one found. A reader of the offset then searches
    /// again, or takes over the upload with [`Purpose::Fence`](super::Purpose::Fence).
    #[must_use]
    pub fn is_conclusive(&self) -> bool {
        match &self.found {
            _ if self.step != Step::Done => false,
            Some((epoch, _)) => *epoch >= self.current_epoch,
            None => true,
        }
    }

    /// Returns the last epoch that is known to have a competitor.
    #[must_use]
    pub const fn current_epoch(&self) -> u32 {
        self.current_epoch
    }

    /// Returns the lease that the search started with, if it has been read.
    #[must_use]
    pub const fn lease(&self) -> Option<&Lease> {
        self.lease.as_ref()
    }

    fn start(&mut self, lease: Lease) {
        self.current_epoch = lease.holder.epoch;
        self.unread = lease.base_epochs.iter().rev().copied().collect();
        self.lease = Some(lease);
    }

    fn advance(&mut self) {
        self.step = self.unread.pop().map_or(Step::Done, Step::Earlier);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::super::lease::WriterEpoch;
    use super::*;

    fn held(epoch: u32) -> Vec<u8> {
        let holder = WriterEpoch { epoch, writer: 1 };
        Lease { holder, ..Lease::unheld() }.encode().unwrap()
    }

    #[test]
    fn a_search_ends_at_the_last_possible_epoch() {
        let mut search = CheckpointSearch::new(UploadId::new("u").unwrap());
        search.feed(Some(held(u32::MAX))).unwrap();
        search.feed(None).unwrap();
        search.feed(Some(vec![1])).unwrap();
        assert_eq!(search.next_key(), None);
        assert_eq!(search.finish().unwrap(), (None, Checkpoint::empty()));
    }

    #[test]
    fn a_checkpoint_is_reported_only_if_its_epoch_has_no_successor_after_it_was_read() {
        let checkpoint = || Some(Checkpoint::empty().encode().unwrap());
        let mut search = CheckpointSearch::new(UploadId::new("u").unwrap());
        search.feed(Some(held(4))).unwrap();
        assert_eq!(search.next_key().as_deref(), Some("u.u.c.4"));
        search.feed(checkpoint()).unwrap();
        assert_eq!(search.next_key().as_deref(), Some("u.u.b.5"));
        assert!(search.is_advisory() && !search.is_conclusive());
        let mut current = search.clone();
        current.feed(None).unwrap();
        assert_eq!((current.next_key(), current.is_conclusive()), (None, true));
        search.feed(Some(vec![1])).unwrap();
        search.feed(None).unwrap();
        search.feed(None).unwrap();
        assert_eq!((search.next_key(), search.is_conclusive()), (None, false));
        assert_eq!((search.current_epoch(), search.finish().unwrap().0), (5, Some(4)));
    }

    #[test]
    fn an_upload_without_a_writer_has_no_checkpoint_to_read() {
        let mut search = CheckpointSearch::new(UploadId::new("u").unwrap());
        search.feed(Some(Lease::unheld().encode().unwrap())).unwrap();
        assert_eq!(search.next_key().as_deref(), Some("u.u.b.1"));
        assert!(search.is_at_candidate() && !search.is_advisory());
        search.feed(None).unwrap();
        assert_eq!(search.finish().unwrap(), (None, Checkpoint::empty()));
    }
}
