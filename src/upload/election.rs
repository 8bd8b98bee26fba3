//! Elects at most one of several competitors without compare-and-swap.
//!
//! One round of an election is a *splitter* over two registers of the key-value store (M. Moir,
//! J. H. Anderson, *Wait-free algorithms for fast, long-lived renaming*, Science of Computer
//! Programming 25, 1995; after L. Lamport, *A fast mutual exclusion algorithm*, 1987):
//!
//! ```text
//! write my ID to `candidate` → read `closed`: if set, lost
//!                            → set `closed` → read `candidate`: if it is still my ID, acquired
//! ```
//!
//! At most one competitor acquires a round, regardless of how late the writes of others arrive. A
//! single competitor always acquires it. Competitors that overlap may all lose; then the next round
//! decides, with separate registers.
//!
//! A round is decided permanently: its registers may be deleted only when no competitor can still
//! use them. How a winner publishes that it holds the round, and when others may start the next
//! one, is up to the user of this module.

/// The two keys of one round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registers {
    candidate: String,
    closed: String,
}

/// One competitor's attempt to acquire one round.
///
/// It performs no I/O: execute the operation that [`step`](Self::step) returns, pass its result to
/// [`feed`](Self::feed), and repeat until `step` returns [`ElectionStep::Ended`].
#[derive(Clone, Debug)]
pub struct Election {
    registers: Registers,
    candidate: Vec<u8>,
    closed: Vec<u8>,
    state: State,
}

/// What a competitor does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElectionStep {
    /// Read this key.
    Read(String),
    /// Write this value to this key.
    Write(String, Vec<u8>),
    /// The attempt has ended.
    Ended(ElectionOutcome),
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElectionOutcome {
    /// This competitor has acquired the round; no other one has or will.
    Acquired,
    /// Lost: the round was closed before this competitor arrived.
    Closed,
    /// Lost: another competitor arrived at the same time. It may have lost as well.
    Overwritten,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    WriteCandidate,
    ReadClosed,
    WriteClosed,
    ReadBack,
    Ended(ElectionOutcome),
}

impl Registers {
    /// Returns the registers of `round`: `<candidate_prefix>.<round>` and
    /// `<closed_prefix>.<round>`.
    #[must_use]
    pub fn new(candidate_prefix: &str, closed_prefix: &str, round: u32) -> Self {
        let key = |prefix: &str| format!("{prefix}.{round}");
        Self { candidate: key(candidate_prefix), closed: key(closed_prefix) }
    }

    /// Returns the key of the last competitor's ID. It exists as soon as anyone competes.
    #[must_use]
    pub fn candidate(&self) -> &str {
        &self.candidate
    }

    /// Returns the key that exists once the round can no longer be acquired by a new competitor.
    #[must_use]
    pub fn closed(&self) -> &str {
        &self.closed
    }

    /// Returns the key of the last competitor's ID, to be deleted.
    #[must_use]
    pub(super) fn into_candidate(self) -> String {
        self.candidate
    }

    /// Returns the key that closes the round, to be deleted.
    #[must_use]
    pub(super) fn into_closed(self) -> String {
        self.closed
    }

    /// Returns both keys, to be deleted.
    #[must_use]
    pub fn into_keys(self) -> [String; 2] {
        [self.candidate, self.closed]
    }
}

impl Election {
    /// Competes with `candidate`, which must be unique to this competitor. `closed` is the value
    /// with which the round is closed; the election itself does not depend on it.
    #[must_use]
    pub const fn new(registers: Registers, candidate: Vec<u8>, closed: Vec<u8>) -> Self {
        Self { registers, candidate, closed, state: State::WriteCandidate }
    }

    /// Competes with a random ID, 16 hexadecimal digits in both registers.
    #[must_use]
    pub fn with_id(registers: Registers, id: u64) -> Self {
        let value = format!("{id:016x}").into_bytes();
        Self::new(registers, value.clone(), value)
    }

    /// Returns what to do next.
    #[must_use]
    pub fn step(&self) -> ElectionStep {
        let Registers { candidate, closed } = &self.registers;
        match self.state {
            State::WriteCandidate => ElectionStep::Write(candidate.clone(), self.candidate.clone()),
            State::ReadClosed => ElectionStep::Read(closed.clone()),
            State::WriteClosed => ElectionStep::Write(closed.clone(), self.closed.clone()),
            State::ReadBack => ElectionStep::Read(candidate.clone()),
            State::Ended(outcome) => ElectionStep::Ended(outcome),
        }
    }

    /// Accepts the result of that operation: the value read, or `None` if the key is absent or was
    /// written.
    pub fn feed(&mut self, value: Option<&[u8]>) {
        self.state = match self.state {
            State::WriteCandidate => State::ReadClosed,
            State::ReadClosed if value.is_some() => State::Ended(ElectionOutcome::Closed),
            State::ReadClosed => State::WriteClosed,
            State::WriteClosed => State::ReadBack,
            State::ReadBack if value == Some(&self.candidate[..]) => {
                State::Ended(ElectionOutcome::Acquired)
            }
            State::ReadBack => State::Ended(ElectionOutcome::Overwritten),
            ended @ State::Ended(_) => ended,
        };
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// One round in progress: the registers, and each competitor's attempt.
    #[derive(Clone)]
    struct Round {
        stored: BTreeMap<String, Vec<u8>>,
        competitors: Vec<Election>,
    }

    impl Round {
        fn new(competitors: u64) -> Self {
            let competitor = |id| Election::with_id(Registers::new("b", "d", 7), id);
            Self {
                stored: BTreeMap::new(),
                competitors: (0..competitors).map(competitor).collect(),
            }
        }

        /// Executes the next operation of a competitor.
        fn step(&mut self, index: usize) {
            let value = match self.competitors[index].step() {
                ElectionStep::Read(key) => self.stored.get(&key).cloned(),
                ElectionStep::Write(key, value) => {
                    self.stored.insert(key, value);
                    None
                }
                ElectionStep::Ended(_) => None,
            };
            self.competitors[index].feed(value.as_deref());
        }

        fn outcome(&self, index: usize) -> Option<ElectionOutcome> {
            match self.competitors[index].step() {
                ElectionStep::Ended(outcome) => Some(outcome),
                _ => None,
            }
        }

        /// Passes the outcomes of every order of the remaining operations to `check`. Competitors
        /// that stop for good are covered: the outcomes of the others are checked in all prefixes.
        fn for_every_order(&self, check: &mut impl FnMut(&[Option<ElectionOutcome>])) {
            let outcomes: Vec<_> =
                (0..self.competitors.len()).map(|index| self.outcome(index)).collect();
            check(&outcomes);
            for index in (0..outcomes.len()).filter(|index| outcomes[*index].is_none()) {
                let mut next = self.clone();
                next.step(index);
                next.for_every_order(check);
            }
        }
    }

    #[test]
    fn at_most_one_of_two_or_three_competitors_acquires_a_round_in_every_order() {
        for (competitors, expected_orders) in [(2, 20), (3, 10_000)] {
            let (mut ended, mut acquired) = (0, 0);
            Round::new(competitors).for_every_order(&mut |outcomes| {
                let winners =
                    outcomes.iter().filter(|o| **o == Some(ElectionOutcome::Acquired)).count();
                assert!(winners <= 1, "{outcomes:?}");
                ended += usize::from(outcomes.iter().all(Option::is_some));
                acquired += usize::from(outcomes.iter().all(Option::is_some) && winners == 1);
            });
            assert!(ended > expected_orders, "{ended} orders");
            assert!(acquired > 0 && acquired < ended, "{acquired} of {ended} have a winner");
        }
    }

    #[test]
    fn a_single_competitor_always_acquires_the_round() {
        let mut round = Round::new(1);
        round.for_every_order(&mut |outcomes| {
            assert!(matches!(outcomes[0], None | Some(ElectionOutcome::Acquired)));
        });
        (0..4).for_each(|_| round.step(0));
        assert_eq!(round.outcome(0), Some(ElectionOutcome::Acquired));
    }

    #[test]
    fn a_competitor_that_runs_alone_after_others_stopped_acquires_no_second_time() {
        // The first one stops after any number of operations; the second one runs to its end.
        for stopped_after in 0..=4 {
            let mut round = Round::new(2);
            (0..stopped_after).for_each(|_| round.step(0));
            (0..4).for_each(|_| round.step(1));
            let closed = stopped_after >= 3;
            let expected = if closed { ElectionOutcome::Closed } else { ElectionOutcome::Acquired };
            assert_eq!(round.outcome(1), Some(expected), "{stopped_after}");
        }
    }

    #[test]
    fn register_values_are_the_id_in_hexadecimal() {
        let mut round = Round::new(1);
        (0..4).for_each(|_| round.step(0));
        let id = b"0000000000000000".to_vec();
        assert_eq!(round.stored, BTreeMap::from([("b.7".into(), id.clone()), ("d.7".into(), id)]));
    }

    #[test]
    fn a_round_can_be_closed_with_a_value_of_its_own() {
        let mut election = Election::new(Registers::new("b", "d", 0), vec![1], vec![2]);
        election.feed(None);
        election.feed(None);
        assert_eq!(election.step(), ElectionStep::Write("d.0".into(), vec![2]));
    }
}
