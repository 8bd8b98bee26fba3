//! CRC-64/XZ, the checksum that OSS computes for every part and object.
//!
//! OSS reports it in the header `x-oss-hash-crc64ecma` as an unsigned decimal number
//! (<https://www.alibabacloud.com/help/en/oss/use-cases/check-data-transmission-integrity-by-using-crc-64>).
//! The checksum of an object follows from those of its parts and their lengths: [`combine`].

mod combine;
mod digest;
mod tables;

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind};

pub use combine::combine;
pub use digest::Crc64Digest;

/// The CRC-64/XZ of some bytes; zero for no bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Crc64(pub u64);

impl Crc64 {
    /// The checksum of no bytes.
    pub const EMPTY: Self = Self(0);

    /// Computes the checksum of `bytes`.
    #[must_use]
    pub fn compute(bytes: &[u8]) -> Self {
        let mut digest = Crc64Digest::new();
        digest.update(bytes);
        digest.value()
    }
}

/// Formats the checksum as an unsigned decimal, as in `x-oss-hash-crc64ecma`.
impl fmt::Display for Crc64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Parses the unsigned decimal of `x-oss-hash-crc64ecma`.
impl FromStr for Crc64 {
    type Err = Error;

    /// # Errors
    /// Returns [`ErrorKind::StoreReplyInvalid`] if `text` is anything else.
    fn from_str(text: &str) -> Result<Self, Error> {
        // u64 would also accept a leading plus sign.
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten().map(Self).ok_or_else(|| {
            Error::new(ErrorKind::StoreReplyInvalid, "a CRC-64 is not an unsigned 64-bit decimal")
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a failed assumption fails the test"
    )]

    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::tables::POLYNOMIAL;
    use super::*;

    #[test]
    fn the_check_value_of_the_crc_catalogue_is_reproduced() {
        assert_eq!(Crc64::compute(b"123456789"), Crc64(0x995D_C9BB_DF19_39FA));
        assert_eq!(Crc64::compute(b""), Crc64::EMPTY);
    }

    #[test]
    fn checksums_around_every_block_boundary_match_the_definition() {
        let bytes: Vec<u8> = (0..200_u8).collect();
        for length in 0..bytes.len() {
            assert_eq!(Crc64::compute(&bytes[..length]), bit_by_bit(&bytes[..length]), "{length}");
        }
    }

    #[test]
    fn only_an_unsigned_decimal_is_parsed() {
        assert_eq!("18446744073709551615".parse(), Ok(Crc64(u64::MAX)));
        assert_eq!(Crc64(7).to_string(), "7");
        for text in ["", "+1", "-1", "0x1", " 1", "18446744073709551616", "1.0", "a"] {
            let error = text.parse::<Crc64>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StoreReplyInvalid, "{text:?}");
        }
    }

    #[test]
    fn combining_supports_lengths_above_those_that_can_be_hashed() {
        // x^(8·2^40), by squaring the factor for a length of one byte.
        let one_byte = combine(Crc64(1), Crc64::EMPTY, 1).0;
        let mut shift = one_byte_shift();
        assert_eq!(combine::multiply(shift, 1), one_byte);
        for _ in 0..40 {
            shift = combine::multiply(shift, shift);
        }
        assert_eq!(combine(Crc64(1), Crc64::EMPTY, 1 << 40).0, combine::multiply(shift, 1));
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..Default::default() })]

        #[test]
        fn a_resumed_digest_equals_one_run(bytes: Vec<u8>, splits: Vec<prop::sample::Index>) {
            let mut ends: Vec<usize> = splits.iter().map(|at| at.index(bytes.len() + 1)).collect();
            ends.push(bytes.len());
            ends.sort_unstable();
            let (mut start, mut crc) = (0, Crc64::EMPTY);
            for end in ends {
                let mut digest = Crc64Digest::from_parts(crc);
                digest.update(&bytes[start..end]);
                (start, crc) = (end, digest.value());
            }
            prop_assert_eq!(crc, bit_by_bit(&bytes));
        }

        #[test]
        fn combining_two_parts_yields_the_checksum_of_both(
            bytes: Vec<u8>,
            split: prop::sample::Index,
        ) {
            let (a, b) = bytes.split_at(split.index(bytes.len() + 1));
            let combined = combine(Crc64::compute(a), Crc64::compute(b), b.len() as u64);
            prop_assert_eq!(combined, bit_by_bit(&bytes));
        }

        #[test]
        fn a_displayed_checksum_parses_back(value: u64) {
            prop_assert_eq!(Crc64(value).to_string().parse(), Ok(Crc64(value)));
        }
    }

    /// The definition: a shift register, one bit at a time.
    fn bit_by_bit(bytes: &[u8]) -> Crc64 {
        let mut register = u64::MAX;
        for byte in bytes {
            register ^= u64::from(*byte);
            for _ in 0..8 {
                let carry = register & 1;
                register >>= 1;
                if carry == 1 {
                    register ^= POLYNOMIAL;
                }
            }
        }
        Crc64(!register)
    }

    /// x^8, reflected.
    fn one_byte_shift() -> u64 {
        1 << 55
    }
}
