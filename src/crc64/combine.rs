//! Combines the checksums of consecutive byte ranges.

use super::Crc64;
use super::tables::POLYNOMIAL;

/// Returns the checksum of A followed by B, given the checksums `a` and `b` and the length of B in
/// bytes.
///
/// Appending `len_b` bytes multiplies the polynomial of A by x^(8·len_b), so the cost is at most
/// 64 multiplications, regardless of the length.
#[must_use]
pub const fn combine(a: Crc64, b: Crc64, len_b: u64) -> Crc64 {
    let mut shifted = a.0;
    let mut bytes = len_b;
    let mut power = 0;
    while bytes != 0 {
        if bytes & 1 == 1 {
            shifted = multiply(BYTE_SHIFTS[power], shifted);
        }
        bytes >>= 1;
        power += 1;
    }
    Crc64(shifted ^ b.0)
}

/// Returns the product of two reflected polynomials modulo the CRC's.
pub(super) const fn multiply(a: u64, b: u64) -> u64 {
    let mut product = 0;
    let mut a = a;
    let mut b = b;
    // The top bit is the coefficient of x^0.
    while a != 0 {
        product ^= b & (a >> 63).wrapping_neg();
        a <<= 1;
        b = (b >> 1) ^ (POLYNOMIAL & (b & 1).wrapping_neg());
    }
    product
}

/// `BYTE_SHIFTS[k]` is x^(8·2^k), which appends 2^k bytes.
const BYTE_SHIFTS: [u64; 64] = byte_shifts();

const fn byte_shifts() -> [u64; 64] {
    let mut shifts = [0; 64];
    shifts[0] = 1 << (63 - 8);
    let mut power = 1;
    while power < 64 {
        shifts[power] = multiply(shifts[power - 1], shifts[power - 1]);
        power += 1;
    }
    shifts
}
