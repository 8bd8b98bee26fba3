//! Pseudorandom bytes, the same for the same seed.

use std::io::{self, Read};

/// An endless stream of bytes: splitmix64, little-endian (<https://prng.di.unimi.it/splitmix64.c>).
#[derive(Clone, Debug)]
pub(crate) struct SeededBytes {
    state: u64,
}

impl SeededBytes {
    /// The stream of this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

impl Read for SeededBytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        for chunk in buffer.chunks_mut(size_of::<u64>()) {
            let word = self.next().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(buffer.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_words_of_seed_zero_are_the_published_ones() {
        let mut bytes = SeededBytes::new(0);
        assert_eq!(bytes.next(), 0xE220_A839_7B1D_CDAF);
        assert_eq!(bytes.next(), 0x6E78_9E6A_A1B9_65F4);
    }
}
