//! Who may write: epochs that one writer each can win, which fences stale writers without
//! compare-and-swap.
//!
//! A writer takes an upload over by acquiring the epoch after the current one, in an
//! [election](super::election). At most one writer ever acquires an epoch.
//!
//! The winner writes the lease, which tells everybody where the last checkpoint is, and gives up
//! where there is a bid for the epoch after its own. From then on it writes its checkpoints under
//! the key of its epoch, so that a stale writer overwrites nothing; and after each of its own
//! writes it reads the lease before it acknowledges anything, so that a stale writer acknowledges
//! nothing either.

use serde::{Deserialize, Serialize};

use super::errors::taken_over;
use super::record::{self, RecordKind};
use crate::error::Result;

/// The bids and doors of epochs so far back are deleted: a writer would have to be that many whole
/// sessions late to be misled by it.
pub(super) const EPOCHS_RETAINED: u32 = 16;

/// One writer's turn at an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Turn {
    /// Rises with every take-over; 0 is nobody's.
    pub epoch: u32,
    /// A random id of the writer that won it.
    pub writer: u64,
}

/// The stored lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The turn of the writer that holds it.
    pub turn: Turn,
    /// The epochs under which the last checkpoint may be, most recent first, until the holder has
    /// written its own: as a rule the epoch before, and what that one had started from.
    pub bases: Vec<u32>,
    /// True where no checkpoint had been written when this lease was: none then means no bytes.
    pub fresh: bool,
}

impl Lease {
    /// The lease of an upload that nobody has written to yet.
    #[must_use]
    pub const fn unclaimed() -> Self {
        Self { turn: Turn { epoch: 0, writer: 0 }, bases: Vec::new(), fresh: true }
    }

    /// The epochs under which the last checkpoint may be, most recent first.
    pub fn checkpoint_epochs(&self) -> impl Iterator<Item = u32> + '_ {
        std::iter::once(self.turn.epoch)
            .chain(self.bases.iter().copied())
            .filter(|epoch| *epoch > 0)
    }

    /// The lease with which `turn` takes over from `self`, whose last checkpoint was found under
    /// the epoch `found` (`None`: nowhere).
    #[must_use]
    pub fn taken_over_by(&self, turn: Turn, found: Option<u32>) -> Self {
        // Every holder since may write its first checkpoint between our look and our lease.
        let holders = (self.turn.epoch..turn.epoch).rev().filter(|epoch| *epoch > 0);
        let older = found.filter(|found| *found < self.turn.epoch);
        Self { turn, bases: holders.chain(older).collect(), fresh: found.is_none() }
    }

    /// Checks that the stored lease is that of `holder`.
    ///
    /// # Errors
    /// Returns [`TakenOver`](crate::ErrorKind::TakenOver) if it is not, and the errors of
    /// [`Lease::decode`].
    pub(super) fn check_holder(stored: Option<&[u8]>, holder: Turn) -> Result<()> {
        let stored = stored.map(Self::decode).transpose()?.map(|lease| lease.turn);
        if stored == Some(holder) { Ok(()) } else { Err(taken_over()) }
    }

    /// The stored form.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal), which no value of this type causes.
    pub fn encode(&self) -> Result<Vec<u8>> {
        record::encode(RecordKind::Lease, self)
    }

    /// The lease in a stored form.
    ///
    /// # Errors
    /// [`CheckpointNewer`](crate::ErrorKind::CheckpointNewer) for a version that this code does not
    /// know, [`CheckpointCorrupt`](crate::ErrorKind::CheckpointCorrupt) for anything else that is
    /// not such a record, whole.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        record::decode(RecordKind::Lease, bytes)
    }
}
