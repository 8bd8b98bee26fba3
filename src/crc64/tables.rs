//! The lookup tables of the reflected polynomial, computed by the compiler.

/// The ECMA-182 polynomial 0x42F0_E1EB_A9EA_3693, bit-reversed as CRC-64/XZ uses it.
pub(super) const POLYNOMIAL: u64 = 0xC96C_5795_D787_0F42;

/// For each byte of a word and each value of it, the register after the word. 16 KiB, so that a
/// level-1 cache of 32 KiB has room for the data.
pub(super) type WordTable = [[u64; 256]; 8];

/// The register after one word.
pub(super) static WORD: WordTable = word_table(0);

/// The register after a word and the words of all other lanes.
pub(super) static WORD_OF_LANE: WordTable = word_table(8 * (LANES - 1));

/// Number of words that are looked up independently of each other; see [`super::digest`].
pub(super) const LANES: usize = 3;

/// The register after one byte.
const BYTE: [u64; 256] = byte_table();

const fn byte_table() -> [u64; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut register = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            register = (register >> 1) ^ (POLYNOMIAL & (register & 1).wrapping_neg());
            bit += 1;
        }
        table[byte] = register;
        byte += 1;
    }
    table
}

/// Returns the table of a word followed by `gap_bytes` zero bytes.
const fn word_table(gap_bytes: usize) -> WordTable {
    let mut table = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut register = BYTE[byte];
        let mut gap = 0;
        while gap < gap_bytes {
            register = after_zero_byte(register);
            gap += 1;
        }
        // Only the gap follows the last byte of a word; seven more bytes follow the first one.
        let mut position = 8;
        while position > 0 {
            position -= 1;
            table[position][byte] = register;
            register = after_zero_byte(register);
        }
        byte += 1;
    }
    table
}

const fn after_zero_byte(register: u64) -> u64 {
    (register >> 8) ^ BYTE[(register & 0xFF) as usize]
}
