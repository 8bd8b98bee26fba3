//! The order in which pending operations continue.

use super::random::Random;

/// In which order operations continue that could continue in any.
#[derive(Clone, Debug, Default)]
pub enum Schedule {
    /// In the order in which they were started.
    #[default]
    First,
    /// In an order that follows from a seed.
    Seeded(Random),
}

impl Schedule {
    /// An order that follows from `seed`.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self::Seeded(Random::seeded(seed))
    }

    /// Index of the next one of `len` operations.
    pub fn pick(&mut self, len: usize) -> usize {
        match self {
            Self::First => 0,
            Self::Seeded(random) => random.index(len),
        }
    }

    /// Returns `true` in `per_mille` of a thousand cases of a seeded order, and never otherwise.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        match self {
            Self::First => false,
            Self::Seeded(random) => random.chance(per_mille),
        }
    }
}
