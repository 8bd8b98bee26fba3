//! A crash of one writer, and what becomes of what it has left on its way.

use super::{World, WriterId};

/// What becomes of what a crashed session has left on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strays {
    ArriveAtOnce,
    ArriveAtTheEnd,
    NeverArrive,
}

impl Strays {
    pub(crate) const ALL: [Self; 3] = [Self::ArriveAtOnce, Self::ArriveAtTheEnd, Self::NeverArrive];
}

impl World {
    /// Crashes a writer after `step` steps; false where it has ended before.
    pub(crate) fn crash_at(&mut self, id: WriterId, step: u64, strays: Strays) -> bool {
        for _ in 0..step {
            self.step(id);
        }
        if self.writers[id].has_ended() {
            return false;
        }
        self.crash(id);
        match strays {
            Strays::ArriveAtOnce => self.land_strays(),
            Strays::ArriveAtTheEnd => {}
            Strays::NeverArrive => self.strays.clear(),
        }
        true
    }
}
