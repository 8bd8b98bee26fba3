//! Random values from one seed that the driver hands in: the engine has no randomness of its own.

use sha2::{Digest as _, Sha256};

/// A sequence of values that nobody can guess who does not know the seed.
///
/// Value `n` is the SHA-256 of the seed and `n`: no two are the same for one seed, which nonces
/// need, and none tells another, which ids need.
pub(super) struct Entropy {
    seed: [u8; 32],
    drawn: u64,
}

impl Entropy {
    pub(super) const fn new(seed: [u8; 32]) -> Self {
        Self { seed, drawn: 0 }
    }

    pub(super) fn bits128(&mut self) -> u128 {
        let mut digest = Sha256::new();
        digest.update(self.seed);
        digest.update(self.drawn.to_le_bytes());
        self.drawn += 1;
        let digest = digest.finalize();
        digest.iter().take(16).fold(0, |bits, byte| (bits << 8) | u128::from(*byte))
    }

    pub(super) fn bits64(&mut self) -> u64 {
        // The lower half: all 128 bits are equally good.
        let [a, b, c, d, e, f, g, h, ..] = self.bits128().to_le_bytes();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    /// A nonce for one request to VOD.
    pub(super) fn nonce(&mut self) -> String {
        format!("{:032x}", self.bits128())
    }
}

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The seed would tell every id and nonce to come.
        f.debug_struct("Entropy").field("drawn", &self.drawn).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_value_comes_twice_and_the_seed_decides_all() {
        let draw = |seed| {
            let mut entropy = Entropy::new([seed; 32]);
            (0..1_000).map(|_| entropy.bits128()).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        let both: HashSet<_> = draw(1).into_iter().chain(draw(2)).collect();
        assert_eq!(both.len(), 2_000);
    }

    #[test]
    fn the_seed_is_not_printed() {
        assert_eq!(format!("{:?}", Entropy::new([7; 32])), "Entropy { drawn: 0, .. }");
    }
}
