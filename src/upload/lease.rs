//! The lease of an upload: the current writer and its epoch. Fences stale writers without
//! compare-and-swap.
//!
//! A writer takes over an upload by acquiring the epoch after the current one in an
//! [election](super::election). At most one writer ever acquires an epoch.
//!
//! That writer writes the lease, which records where the last checkpoint is, and fails if the next
//! epoch has a candidate. It stores its checkpoints under the key of its epoch, so a stale writer
//! cannot overwrite them. After each checkpoint it reads the lease before it acknowledges bytes, so
//! a stale writer cannot acknowledge any.

use serde::{Deserialize, Serialize};

use super::errors::taken_over;
use super::record::impl_record;
use crate::error::Result;

/// Number of epochs before the current one whose registers are retained. A writer can read deleted
/// registers only if that many complete sessions run while it is delayed.
pub(super) const EPOCHS_RETAINED: u32 = 16;

/// A writer and the epoch that it has acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WriterEpoch {
    /// Increases with every takeover; 0 belongs to no writer.
    pub epoch: u32,
    /// The random ID of the writer.
    pub writer: u64,
}

/// The stored lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The writer that holds it.
    pub holder: WriterEpoch,
    /// Until the holder has written a checkpoint: the epochs whose checkpoint may be the last one,
    /// most recent first. Usually the previous epoch and the one that it continued from.
    pub base_epochs: Vec<u32>,
    /// Whether no checkpoint existed when this lease was written. Otherwise, a missing one is an
    /// error.
    pub is_first: bool,
}

impl_record!(Lease, Lease);

impl Lease {
    /// Returns the lease of an upload that has had no writer.
    #[must_use]
    pub const fn unheld() -> Self {
        Self {
            holder: WriterEpoch { epoch: 0, writer: 0 },
            base_epochs: Vec::new(),
            is_first: true,
        }
    }

    /// Returns the epochs whose checkpoint may be the last one, most recent first.
    pub fn checkpoint_epochs(&self) -> impl Iterator<Item = u32> + '_ {
        std::iter::once(self.holder.epoch)
            .chain(self.base_epochs.iter().copied())
            .filter(|epoch| *epoch > 0)
    }

    /// Returns the lease with which `holder` takes over from `self`. `found` is the epoch of the
    /// last checkpoint; `None` if there is none.
    #[must_use]
    pub(super) fn taken_over_by(&self, holder: WriterEpoch, found: Option<u32>) -> Self {
        // Each holder since then may store its first checkpoint before this lease is written.
        let holders = (self.holder.epoch..holder.epoch).rev().filter(|epoch| *epoch > 0);
        let older = found.filter(|found| *found < self.holder.epoch);
        Self { holder, base_epochs: holders.chain(older).collect(), is_first: found.is_none() }
    }

    /// Checks that the stored lease is that of `holder`.
    ///
    /// # Errors
    /// Returns [`TakenOver`](crate::ErrorKind::TakenOver) if it is not, and the errors of
    /// [`Lease::decode`].
    pub(super) fn check_holder(stored: Option<&[u8]>, holder: WriterEpoch) -> Result<()> {
        let stored = stored.map(Self::decode).transpose()?.map(|lease| lease.holder);
        if stored == Some(holder) { Ok(()) } else { Err(taken_over()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(epoch: u32) -> Lease {
        Lease { holder: WriterEpoch { epoch, writer: 1 }, base_epochs: vec![], is_first: false }
    }

    #[test]
    fn epoch_zero_has_no_checkpoint() {
        assert_eq!(Lease::unheld().checkpoint_epochs().count(), 0);
        let first = Lease::unheld().taken_over_by(WriterEpoch { epoch: 1, writer: 1 }, None);
        assert_eq!(first.checkpoint_epochs().collect::<Vec<_>>(), [1]);
        assert!(first.base_epochs.is_empty() && first.is_first);
    }

    #[test]
    fn a_takeover_searches_each_epoch_since_the_last_checkpoint_once() {
        let base_epochs = |found| {
            held(3).taken_over_by(WriterEpoch { epoch: 5, writer: 2 }, Some(found)).base_epochs
        };
        assert_eq!(base_epochs(1), [4, 3, 1]);
        assert_eq!(base_epochs(3), [4, 3]);
        assert_eq!(base_epochs(4), [4, 3]);
    }
}
