//! Random values derived from a seed, because the engine generates no randomness.

use sha2::{Digest as _, Sha256};

/// A sequence of values that cannot be predicted without the seed.
///
/// Value `n` is the SHA-256 of the seed and `n`. Nonces require values that never repeat, and IDs
/// require values that do not reveal each other.
pub(super) struct SeededRng {
    seed: [u8; 32],
    drawn: u64,
}

impl SeededRng {
    pub(super) const fn new(seed: [u8; 32]) -> Self {
        Self { seed, drawn: 0 }
    }

    pub(super) fn next_u128(&mut self) -> u128 {
        let mut digest = Sha256::new();
        digest.update(self.seed);
        digest.update(self.drawn.to_le_bytes());
        self.drawn += 1;
        let digest = digest.finalize();
        digest.iter().take(16).fold(0, |bits, byte| (bits << 8) | u128::from(*byte))
    }

    pub(super) fn next_u64(&mut self) -> u64 {
        self.next_u128() as u64
    }
}

/// Omits the seed, which would reveal every later ID and nonce.
impl std::fmt::Debug for SeededRng {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SeededRng").field("drawn", &self.drawn).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn values_never_repeat_and_depend_on_the_seed_alone() {
        let draw = |seed| {
            let mut rng = SeededRng::new([seed; 32]);
            (0..1_000).map(|_| rng.next_u128()).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        let both: HashSet<_> = draw(1).into_iter().chain(draw(2)).collect();
        assert_eq!(both.len(), 2_000);
    }

    #[test]
    fn debug_output_omits_the_seed() {
        assert_eq!(format!("{:?}", SeededRng::new([7; 32])), "SeededRng { drawn: 0, .. }");
    }
}
