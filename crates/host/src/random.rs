//! The host's secure randomness: ids that clients must not guess, nonces that must not repeat.

use spin_sdk::wasip3::random::random;

/// 64 random bits.
pub(crate) fn bits64() -> u64 {
    random::get_random_u64()
}

/// 128 random bits.
pub(crate) fn bits128() -> u128 {
    (u128::from(bits64()) << 64) | u128::from(bits64())
}

/// A nonce for XChaCha20-Poly1305.
pub(crate) fn nonce() -> [u8; 24] {
    bytes()
}

/// What a queue draws its ids and nonces from.
pub(crate) fn seed() -> [u8; 32] {
    bytes()
}

/// A multiple of 8 random bytes.
fn bytes<const LEN: usize>() -> [u8; LEN] {
    const { assert!(LEN.is_multiple_of(8)) };
    let mut bytes = [0; LEN];
    for chunk in bytes.chunks_exact_mut(8) {
        chunk.copy_from_slice(&bits64().to_le_bytes());
    }
    bytes
}
