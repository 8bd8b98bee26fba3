//! The bytes that are uploaded, and a CRC-64/XZ that is independent of the engine's.

use std::rc::Rc;

/// A source's bytes. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content(Rc<Vec<u8>>);

impl Content {
    /// `len` bytes. The period of the pattern is a prime, so that all parts differ.
    pub fn of_len(len: u64) -> Self {
        let len = usize::try_from(len).unwrap();
        let mut bytes = Vec::with_capacity(len + PERIOD);
        PATTERN.with(|pattern| {
            while bytes.len() < len {
                bytes.extend_from_slice(pattern);
            }
        });
        bytes.truncate(len);
        Self(Rc::new(bytes))
    }

    /// As [`Self::of_len`], with the first byte of every 4 KiB changed by `salt`, so that files
    /// with different salts have different bytes.
    pub fn salted(len: u64, salt: u8) -> Self {
        let mut content = Self::of_len(len);
        let bytes = Rc::make_mut(&mut content.0);
        bytes.iter_mut().step_by(4_096).for_each(|byte| *byte = byte.wrapping_add(salt));
        content
    }

    /// The same bytes, and `more` bytes after them.
    pub fn with_more(&self, more: usize) -> Self {
        let mut bytes = self.0.to_vec();
        bytes.resize(bytes.len() + more, 7);
        Self(Rc::new(bytes))
    }

    /// These bytes, and those of `next` after them.
    pub fn followed_by(&self, next: &Self) -> Self {
        Self(Rc::new([self.bytes(), next.bytes()].concat()))
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Returns `true` if there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes from offset `from` to before offset `to`.
    pub fn range(&self, from: u64, to: u64) -> &[u8] {
        &self.0[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()]
    }
}

/// The CRC-64/XZ of `bytes`, computed from tables for eight bytes at a time.
pub fn crc64(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut register = u64::MAX;
    for word in words {
        let mixed = (register ^ u64::from_le_bytes(*word)).to_le_bytes();
        register = TABLES
            .iter()
            .rev()
            .zip(mixed)
            .fold(0, |sum, (table, byte)| sum ^ table[usize::from(byte)]);
    }
    for byte in rest {
        register = (register >> 8) ^ TABLES[0][usize::from((register as u8) ^ byte)];
    }
    !register
}

/// Table `n` has the CRC of each byte with `n` zero bytes after it.
static TABLES: [[u64; 256]; 8] = tables();

const fn tables() -> [[u64; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut index = 0;
    while index < 256 {
        let mut register = index as u64;
        let mut bit = 0;
        while bit < 8 {
            let carry = register & 1;
            register >>= 1;
            if carry == 1 {
                register ^= POLYNOMIAL_REFLECTED;
            }
            bit += 1;
        }
        tables[0][index] = register;
        index += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut index = 0;
        while index < 256 {
            let before: u64 = tables[table - 1][index];
            tables[table][index] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            index += 1;
        }
        table += 1;
    }
    tables
}

thread_local! {
    static PATTERN: Vec<u8> =
        (0..PERIOD).map(|index| ((index * index / 7 + index) % 251) as u8).collect();
}

/// ECMA-182, reflected.
const POLYNOMIAL_REFLECTED: u64 = 0xc96c_5795_d787_0f42;
const PERIOD: usize = 65_537;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_equals_the_check_value_of_the_catalog() {
        assert_eq!(crc64(b"123456789"), 0x995d_c9bb_df19_39fa);
        assert_eq!(crc64(b""), 0);
    }
}
