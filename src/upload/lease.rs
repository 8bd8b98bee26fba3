//! The lease of an upload: where its current writer and its last checkpoint are found. Fences stale
//! writers without compare-and-swap.
//!
//! A writer takes over an upload by acquiring the epoch after the current one in an
//! [election](super::election). At most one writer ever acquires an epoch, and each stores its
//! checkpoints under the key of its epoch, so a stale writer cannot overwrite those of another.
//!
//! After each checkpoint, a writer reads the candidate of the epoch after its own and the lease. It
//! acknowledges bytes only if there is no candidate and no later lease. A writer that takes over
//! writes that candidate first and then reads the checkpoint, so it finds every byte that was
//! acknowledged.
//!
//! A candidate is deleted only after the lease of a later epoch is stored.
//!
//! To a reader, the lease is a hint: it bounds how many candidates and checkpoints are read. One
//! that is out of date costs reads.

use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::record::impl_record;
use crate::units::UnixMillis;

/// How long the keys of an epoch are retained after another writer has acquired a later one.
const RETENTION: Duration = Duration::from_secs(3600);

/// How long the acquisition of a lease may take: the keys of its epoch could have been deleted
/// since. Shorter than [`RETENTION`] by more than clocks differ.
pub(super) const RELIANCE_MAX: Duration = Duration::from_secs(1200);

/// The shortest time between two marks of a lease.
const MARK_INTERVAL: Duration = Duration::from_secs(600);

/// Maximum number of marks, which limits the size of a lease.
const MARKS_MAX: usize = 12;

/// Maximum number of epochs whose keys one takeover deletes.
const RETIRED_MAX: u32 = 16;

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
    /// The first epoch whose keys may exist.
    pub oldest_epoch: u32,
    /// When some of the epochs since then were acquired, the oldest one first.
    pub marks: Vec<EpochMark>,
}

/// When an epoch was acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochMark {
    /// The epoch.
    pub epoch: u32,
    /// The instant, in milliseconds since the Unix epoch.
    pub at_ms: u64,
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
            oldest_epoch: 1,
            marks: Vec::new(),
        }
    }

    /// Returns the epochs whose checkpoint may be the last one, most recent first.
    pub fn checkpoint_epochs(&self) -> impl Iterator<Item = u32> + '_ {
        std::iter::once(self.holder.epoch)
            .chain(self.base_epochs.iter().copied())
            .filter(|epoch| *epoch > 0)
    }

    /// Returns the lease with which `holder` takes over from `self` at `now`. `found` is the epoch
    /// of the last checkpoint; `None` if there is none.
    #[must_use]
    pub(super) fn taken_over_by(
        &self,
        holder: WriterEpoch,
        found: Option<u32>,
        now: UnixMillis,
    ) -> Self {
        // The checkpoint of each holder since then may be the last one.
        let holders = (self.holder.epoch..holder.epoch).rev().filter(|epoch| *epoch > 0);
        let older = found.filter(|found| *found < self.holder.epoch);
        let base_epochs: Vec<_> = holders.chain(older).collect();
        let retired = self.retired_at(now).min(base_epochs.iter().copied().min().unwrap_or(0));
        let oldest_epoch =
            retired.clamp(self.oldest_epoch, self.oldest_epoch.saturating_add(RETIRED_MAX));
        let mut marks = self.marks.clone();
        marks.retain(|mark| mark.epoch > oldest_epoch);
        let is_due =
            marks.last().is_none_or(|mark| now.since(UnixMillis(mark.at_ms)) >= MARK_INTERVAL);
        if is_due && marks.len() < MARKS_MAX {
            marks.push(EpochMark { epoch: holder.epoch, at_ms: now.0 });
        }
        Self { holder, base_epochs, is_first: found.is_none(), oldest_epoch, marks }
    }

    /// Returns the epochs whose keys are deleted once the lease that was taken over from `self` is
    /// `next`.
    pub(super) const fn retired_by(&self, next: &Self) -> Range<u32> {
        self.oldest_epoch..next.oldest_epoch
    }

    /// Returns the first epoch that was acquired less than [`RETENTION`] ago, or an earlier one.
    fn retired_at(&self, now: UnixMillis) -> u32 {
        let is_old = |mark: &&EpochMark| now.since(UnixMillis(mark.at_ms)) >= RETENTION;
        self.marks.iter().rfind(is_old).map_or(0, |mark| mark.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000_000_000);

    fn held(epoch: u32) -> Lease {
        Lease { holder: WriterEpoch { epoch, writer: 1 }, is_first: false, ..Lease::unheld() }
    }

    /// The lease after a takeover of each of `epochs` at `now`.
    fn taken_over(lease: &Lease, epochs: Range<u32>, now: UnixMillis) -> Lease {
        epochs.fold(lease.clone(), |lease, epoch| {
            lease.taken_over_by(WriterEpoch { epoch, writer: 2 }, Some(epoch - 1), now)
        })
    }

    #[test]
    fn epoch_zero_has_no_checkpoint() {
        assert_eq!(Lease::unheld().checkpoint_epochs().count(), 0);
        let first = Lease::unheld().taken_over_by(WriterEpoch { epoch: 1, writer: 1 }, None, NOW);
        assert_eq!(first.checkpoint_epochs().collect::<Vec<_>>(), [1]);
        assert!(first.base_epochs.is_empty() && first.is_first);
    }

    #[test]
    fn a_takeover_searches_each_epoch_since_the_last_checkpoint_once() {
        let base_epochs = |found| {
            held(3).taken_over_by(WriterEpoch { epoch: 5, writer: 2 }, Some(found), NOW).base_epochs
        };
        assert_eq!(base_epochs(1), [4, 3, 1]);
        assert_eq!(base_epochs(3), [4, 3]);
        assert_eq!(base_epochs(4), [4, 3]);
    }

    #[test]
    fn keys_of_an_epoch_are_retained_for_an_hour_after_a_later_one_was_acquired() {
        let lease = taken_over(&Lease::unheld(), 1..9, NOW);
        let after = |age: Duration| taken_over(&lease, 9..10, NOW + age);
        assert_eq!(lease.retired_by(&after(RETENTION - Duration::from_millis(1))), 1..1);
        // The only mark is that of epoch 2: nothing is known about the age of the later ones.
        assert_eq!(lease.retired_by(&after(RETENTION)), 1..2);
        let marked = taken_over(&lease, 9..12, NOW + MARK_INTERVAL);
        let next = taken_over(&marked, 12..13, NOW + MARK_INTERVAL + RETENTION);
        assert_eq!(marked.retired_by(&next), 1..9);
        assert_eq!(next.marks.first().map(|mark| mark.epoch), Some(12));
    }

    #[test]
    fn a_takeover_retires_neither_many_epochs_at_once_nor_the_last_checkpoint() {
        let mut lease = held(100);
        lease.marks.push(EpochMark { epoch: 100, at_ms: NOW.0 });
        let (holder, now) = (WriterEpoch { epoch: 101, writer: 2 }, NOW + RETENTION);
        assert_eq!(lease.retired_by(&lease.taken_over_by(holder, Some(100), now)), 1..17);
        assert_eq!(lease.retired_by(&lease.taken_over_by(holder, Some(5), now)), 1..5);
    }

    #[test]
    fn a_lease_has_a_bounded_number_of_marks() {
        let mut lease = held(5);
        for number in 1..=MARKS_MAX {
            let holder = WriterEpoch { epoch: lease.holder.epoch + 1, writer: 2 };
            lease.marks.clear();
            lease.marks.extend((0..number).map(|_| EpochMark { epoch: 5, at_ms: NOW.0 }));
            let marks = lease.taken_over_by(holder, Some(5), NOW + MARK_INTERVAL).marks.len();
            assert_eq!(marks, (number + 1).min(MARKS_MAX));
        }
    }

    #[test]
    fn the_last_possible_epochs_are_retired() {
        let lease = Lease { oldest_epoch: u32::MAX, ..held(u32::MAX - 1) };
        let holder = WriterEpoch { epoch: u32::MAX, writer: 2 };
        assert_eq!(lease.taken_over_by(holder, None, NOW).oldest_epoch, u32::MAX);
    }

    #[test]
    fn a_lease_has_a_limited_number_of_marks() {
        let later = |count: u32| NOW + MARK_INTERVAL * count;
        let lease = (1..100).fold(Lease::unheld(), |lease, epoch| {
            // No checkpoint was ever written, so that no epoch is retired.
            lease.taken_over_by(WriterEpoch { epoch, writer: 2 }, None, later(epoch))
        });
        assert!(lease.marks.len() <= MARKS_MAX, "{} marks", lease.marks.len());
    }
}
