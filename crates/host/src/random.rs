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
    let mut nonce = [0; 24];
    for chunk in nonce.chunks_exact_mut(8) {
        chunk.copy_from_slice(&bits64().to_le_bytes());
    }
    nonce
}
