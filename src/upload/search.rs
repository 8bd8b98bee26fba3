//! Finding an upload's last checkpoint: which keys to read, in which order.

use super::checkpoint::{Checkpoint, Phase};
use super::lease::Lease;
use super::records::UploadKey;
use crate::error::{Error, ErrorKind, Result};

/// Finds the last checkpoint of an upload.
///
/// It does no I/O: read the key that [`next_key`](Self::next_key) names and hand its value to
/// [`take`](Self::take), until there is no next key. It changes nothing, so that anybody may ask
/// for an upload's offset while a writer is at work.
///
/// ```text
/// lease → the bids after its epoch, until there is none → the checkpoints, most recent first
/// ```
///
/// The bids tell whether the lease is up to date: of two writers that take an upload over at the
/// same time, the one that is ahead may have written the lease first.
#[derive(Clone, Debug)]
pub struct CheckpointSearch {
    key: UploadKey,
    step: Step,
    lease: Lease,
    /// Epochs whose checkpoints have not been looked at yet, the next one last.
    to_look: Vec<u32>,
    found: Option<(u32, Checkpoint)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Lease,
    Bid(u32),
    Checkpoint(u32),
    Done,
}

impl CheckpointSearch {
    /// Begins with the upload's lease.
    #[must_use]
    pub const fn new(key: UploadKey) -> Self {
        let lease = Lease::unclaimed();
        Self { key, step: Step::Lease, lease, to_look: Vec::new(), found: None }
    }

    /// A search in the epochs before that of `lease`, which stands.
    pub(super) fn before(key: UploadKey, lease: Lease) -> Self {
        let to_look = lease.bases.iter().rev().copied().collect();
        let mut search = Self { key, step: Step::Done, lease, to_look, found: None };
        search.look_further();
        search
    }

    /// The key to read next, or `None` when the search is over.
    #[must_use]
    pub fn next_key(&self) -> Option<String> {
        match self.step {
            Step::Lease => Some(self.key.lease()),
            Step::Bid(epoch) => Some(self.key.registers(epoch).candidate().to_owned()),
            Step::Checkpoint(epoch) => Some(self.key.checkpoint(epoch)),
            Step::Done => None,
        }
    }

    /// Takes the value of that key, or `None` where there is none.
    ///
    /// # Errors
    /// [`ErrorKind::UploadNotFound`] without a lease; [`ErrorKind::CheckpointCorrupt`] and
    /// [`ErrorKind::CheckpointNewer`] for a record that cannot be read.
    pub fn take(&mut self, value: Option<Vec<u8>>) -> Result<()> {
        match (self.step, value) {
            (Step::Lease, None) => {
                return Err(Error::new(ErrorKind::UploadNotFound, "no upload has this id"));
            }
            (Step::Lease, Some(value)) => {
                self.lease = Lease::decode(&value)?;
                self.to_look = self.lease.checkpoint_epochs().collect();
                self.to_look.reverse();
                self.step = Step::Bid(self.lease.turn.epoch.saturating_add(1));
            }
            (Step::Bid(epoch), Some(_)) if epoch < u32::MAX => {
                self.to_look.push(epoch);
                self.step = Step::Bid(epoch + 1);
            }
            (Step::Bid(_) | Step::Checkpoint(_), None) => self.look_further(),
            (Step::Checkpoint(epoch), Some(value)) => {
                self.found = Some((epoch, Checkpoint::decode(&value)?));
                self.step = Step::Done;
            }
            (Step::Bid(_) | Step::Done, _) => self.step = Step::Done,
        }
        Ok(())
    }

    /// What was found: the epoch of the writer and its checkpoint, an empty one with epoch `None`
    /// where none has ever been written.
    ///
    /// # Errors
    /// [`ErrorKind::CheckpointCorrupt`] where there has been one and it is missing.
    pub fn finish(self) -> Result<(Option<u32>, Checkpoint)> {
        match self.found {
            Some((epoch, checkpoint)) => Ok((Some(epoch), checkpoint)),
            None if self.lease.fresh => Ok((None, Checkpoint::empty())),
            None => {
                let message = "the upload's checkpoint is missing";
                Err(Error::new(ErrorKind::CheckpointCorrupt, message))
            }
        }
    }

    /// True where what was found stands, as long as the lease is still the one that the search began
    /// with. Not so while the lease's writer has no checkpoint yet: the one before may have been
    /// changed by a writer that was fenced, and who asks for the offset looks again, or takes the
    /// upload over with [`Purpose::Fence`](super::Purpose::Fence).
    #[must_use]
    pub fn is_settled(&self) -> bool {
        match &self.found {
            Some((epoch, checkpoint)) => {
                let goes_on = matches!(checkpoint.phase, Phase::Receiving | Phase::Completing);
                !goes_on || *epoch >= self.lease.turn.epoch
            }
            None => true,
        }
    }

    /// The lease that the search began with.
    pub(super) const fn lease(&self) -> &Lease {
        &self.lease
    }

    fn look_further(&mut self) {
        self.step = self.to_look.pop().map_or(Step::Done, Step::Checkpoint);
    }
}
