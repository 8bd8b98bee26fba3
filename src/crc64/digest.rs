//! The running checksum.
//!
//! WebAssembly has no carry-less multiplication, so the checksum is computed with lookup tables.
//! Each lookup depends on the previous one. Words are therefore distributed over three lanes with
//! separate registers, which are combined at the last word of each lane (zlib's "braided" CRC-32).
//! Measured under wasmtime 48 on x86-64, this is 1.7 times as fast as one lane of eight tables and
//! 1.2 times as fast as one lane of sixteen (natively 2.6 and 2.0 times). A fourth lane is not
//! faster.

use super::Crc64;
use super::tables::{LANES, WORD, WORD_OF_LANE, WordTable};

/// A running CRC-64/XZ that can be resumed from a stored [`Crc64`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crc64Digest {
    /// The checksum of the bytes so far: the register with its final inversion.
    crc: Crc64,
}

impl Crc64Digest {
    /// Creates a checksum of no bytes.
    #[must_use]
    pub const fn new() -> Self {
        Self::from_parts(Crc64::EMPTY)
    }

    /// Continues after the bytes whose checksum is `crc`.
    #[must_use]
    pub const fn from_parts(crc: Crc64) -> Self {
        Self { crc }
    }

    /// Appends `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        self.crc = Crc64(!advance(!self.crc.0, bytes));
    }

    /// Returns the checksum of all bytes so far.
    #[must_use]
    pub const fn value(&self) -> Crc64 {
        self.crc
    }
}

impl Default for Crc64Digest {
    fn default() -> Self {
        Self::new()
    }
}

// Inlined into a large function, the lanes are kept in memory instead of registers, which costs the
// worker about an eighth of its CPU time (`cargo xtask bench relay`).
#[inline(never)]
fn advance(register: u64, bytes: &[u8]) -> u64 {
    let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
    let Some((last_block, blocks)) = blocks.split_last() else {
        return advance_one_lane(register, rest);
    };
    let mut lanes = [0; LANES];
    // The register is combined with the first word, as if that followed it directly.
    lanes[0] = register;
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        for (lane, word) in lanes.iter_mut().zip(words) {
            *lane = look_up(&WORD_OF_LANE, *lane ^ u64::from_le_bytes(*word));
        }
    }
    let (words, _) = last_block.as_chunks::<8>();
    let mut combined = 0;
    for (lane, word) in lanes.iter().zip(words) {
        combined = look_up(&WORD, combined ^ lane ^ u64::from_le_bytes(*word));
    }
    advance_one_lane(combined, rest)
}

fn advance_one_lane(mut register: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        register = look_up(&WORD, register ^ u64::from_le_bytes(*word));
    }
    // No byte follows the last one of a word: its table is that of single bytes.
    for byte in rest {
        register = (register >> 8) ^ WORD[7][usize::from(register.to_le_bytes()[0] ^ byte)];
    }
    register
}

/// Splits the word, because shifts of 32 bits make shorter code than those of 64 (5 % in wasm).
#[inline(always)]
fn look_up(table: &WordTable, word: u64) -> u64 {
    let (low, high) = (word as u32, (word >> 32) as u32);
    table[0][(low & 0xFF) as usize]
        ^ table[1][(low >> 8 & 0xFF) as usize]
        ^ table[2][(low >> 16 & 0xFF) as usize]
        ^ table[3][(low >> 24) as usize]
        ^ table[4][(high & 0xFF) as usize]
        ^ table[5][(high >> 8 & 0xFF) as usize]
        ^ table[6][(high >> 16 & 0xFF) as usize]
        ^ table[7][(high >> 24) as usize]
}

const BLOCK_BYTES: usize = 8 * LANES;
