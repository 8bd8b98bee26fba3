//! Files to upload: seeded bytes of any length, generated in blocks, and their checksums.

use std::ops::Range;

use crc::{CRC_64_XZ, Crc, Table};
use sha2::{Digest as _, Sha256};

use crate::random::Random;

/// A file of seeded bytes. One block is repeated; each repetition starts with its number, so that
/// misplaced blocks are detected.
#[derive(Clone, Debug)]
pub struct Source {
    block: Vec<u8>,
    length: u64,
}

impl Source {
    /// `length` bytes generated from `seed`.
    #[must_use]
    pub fn new(seed: u64, length: u64) -> Self {
        let mut random = Random::new(seed);
        let words = std::iter::repeat_with(|| random.next()).take(BLOCK_BYTES / 8);
        Self { block: words.flat_map(u64::to_le_bytes).collect(), length }
    }

    /// Its length in bytes.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// The range of the entire file.
    #[must_use]
    pub const fn all(&self) -> Range<u64> {
        0..self.length
    }

    /// Passes the bytes of `range` to `sink` in order, up to one block at a time, until it returns
    /// false.
    ///
    /// # Panics
    /// If the range ends after the file.
    pub fn read(&self, range: Range<u64>, mut sink: impl FnMut(&[u8]) -> bool) {
        assert!(range.end <= self.length, "the file ends at {}", self.length);
        let block_len = BLOCK_BYTES as u64;
        let mut block = self.block.clone();
        let mut offset = range.start;
        while offset < range.end {
            let number = offset / block_len;
            block[..8].copy_from_slice(&number.to_le_bytes());
            let start = index(offset % block_len);
            let end = index((range.end - number * block_len).min(block_len));
            if !sink(&block[start..end]) {
                return;
            }
            offset += (end - start) as u64;
        }
    }

    /// The bytes of `range`.
    #[must_use]
    pub fn bytes(&self, range: Range<u64>) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(index(range.end - range.start));
        self.read(range, |chunk| {
            bytes.extend_from_slice(chunk);
            true
        });
        bytes
    }

    /// The SHA-256 of the file.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        self.read(self.all(), |chunk| {
            digest.update(chunk);
            true
        });
        digest.finalize().into()
    }

    /// The CRC-64/XZ of the file in decimal, as OSS writes it.
    #[must_use]
    pub fn crc64(&self) -> String {
        let mut digest = CRC64.digest();
        self.read(self.all(), |chunk| {
            digest.update(chunk);
            true
        });
        digest.finalize().to_string()
    }
}

/// The SHA-256 of some bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("an offset in memory fits")
}

static CRC64: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_XZ);

const BLOCK_BYTES: usize = 256 << 10;

/// 1 KiB.
pub const KIB: u64 = 1 << 10;
/// 1 MiB.
pub const MIB: u64 = 1 << 20;
/// 1 GiB.
pub const GIB: u64 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_matches_the_published_check_value() {
        assert_eq!(CRC64.checksum(b"123456789"), 0x995d_c9bb_df19_39fa);
    }

    #[test]
    fn a_range_has_the_same_bytes_as_the_file() {
        let source = Source::new(7, 3 * BLOCK_BYTES as u64 + 5);
        let all = source.bytes(source.all());
        let (start, end) = (BLOCK_BYTES - 3, 2 * BLOCK_BYTES + 9);
        assert_eq!(source.bytes(start as u64..end as u64), all[start..end]);
        assert_ne!(all[..16], all[BLOCK_BYTES..BLOCK_BYTES + 16]);
    }
}
