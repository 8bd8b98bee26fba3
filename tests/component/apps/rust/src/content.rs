//! The bytes of a file: generated from a seed, so that a test need not send them.

/// A file of seeded bytes: a repeated block of 256 KiB, in which the first 8 bytes are its number.
/// The tests have a separate implementation.
pub(crate) struct Content {
    block: Vec<u8>,
}

impl Content {
    /// The file of `seed`, without an end.
    pub(crate) fn new(seed: u64) -> Self {
        let mut state = seed;
        let words = (0..BLOCK_BYTES / 8).map(|_| next(&mut state));
        Self { block: words.flat_map(u64::to_le_bytes).collect() }
    }

    /// The bytes from `offset` to `end`, or to the end of their block, whichever is first.
    pub(crate) fn chunk(&self, offset: u64, end: u64) -> Vec<u8> {
        let number = offset / BLOCK_BYTES;
        let mut block = self.block.clone();
        block[..8].copy_from_slice(&number.to_le_bytes());
        let within = |offset: u64| (offset - number * BLOCK_BYTES) as usize;
        block.truncate(within(end.min((number + 1) * BLOCK_BYTES)));
        block.split_off(within(offset))
    }
}

/// SplitMix64 (<https://prng.di.unimi.it/splitmix64.c>).
const fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut bits = *state;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

const BLOCK_BYTES: u64 = 256 << 10;
