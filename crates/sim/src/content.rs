//! The bytes that are uploaded, and a CRC-64/XZ that owes nothing to the engine.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A source's bytes. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content(Rc<Vec<u8>>);

impl Content {
    /// `len` bytes. The pattern's period is a prime, so that no two parts are alike.
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

    /// As [`Self::of_len`], with another first byte of every 4 KiB for another `salt`, so that the
    /// bytes of one file are not taken for another's.
    pub fn salted(len: u64, salt: u8) -> Self {
        let mut content = Self::of_len(len);
        let bytes = Rc::make_mut(&mut content.0);
        bytes.iter_mut().step_by(4_096).for_each(|byte| *byte = byte.wrapping_add(salt));
        content
    }

    /// The same with `more` bytes after its end.
    pub fn with_more(&self, more: usize) -> Self {
        let mut bytes = self.0.to_vec();
        bytes.resize(bytes.len() + more, 7);
        Self(Rc::new(bytes))
    }

    /// These bytes and then those of `next`.
    pub fn followed_by(&self, next: &Self) -> Self {
        Self(Rc::new([self.bytes(), next.bytes()].concat()))
    }

    /// How many bytes there are.
    pub fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// True where there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Those from one offset to before another.
    pub fn range(&self, from: u64, to: u64) -> &[u8] {
        &self.0[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()]
    }
}

/// The CRC-64/XZ of `bytes`, from a table that is made here. Bytes that were seen before are
/// looked up: tests send the same parts thousands of times.
pub fn crc64(bytes: &[u8]) -> u64 {
    SEEN.with_borrow_mut(|seen| {
        if let Some(crc) = seen.get(bytes) {
            return *crc;
        }
        let crc = compute(bytes);
        seen.insert(bytes.to_vec(), crc);
        crc
    })
}

fn compute(bytes: &[u8]) -> u64 {
    let mut table = [0_u64; 256];
    for (index, entry) in table.iter_mut().enumerate() {
        let mut register = index as u64;
        for _ in 0..8 {
            let carry = register & 1;
            register >>= 1;
            if carry == 1 {
                register ^= POLYNOMIAL_REFLECTED;
            }
        }
        *entry = register;
    }
    let mut register = u64::MAX;
    for byte in bytes {
        register = (register >> 8) ^ table[usize::from((register as u8) ^ byte)];
    }
    !register
}

thread_local! {
    static PATTERN: Vec<u8> =
        (0..PERIOD).map(|index| ((index * index / 7 + index) % 251) as u8).collect();
    static SEEN: RefCell<BTreeMap<Vec<u8>, u64>> = const { RefCell::new(BTreeMap::new()) };
}

/// ECMA-182, reflected.
const POLYNOMIAL_REFLECTED: u64 = 0xc96c_5795_d787_0f42;
const PERIOD: usize = 65_537;
