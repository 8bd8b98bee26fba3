//! A SHA-256 whose state can be stored between requests.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest, Sha256};

use super::{Algorithm, Checksum};
use crate::error::{Error, ErrorKind, Result};
use crate::units::{ByteCount, OBJECT_SIZE_MAX};

/// The running SHA-256 of the first bytes of a representation.
///
/// The draft on resumable uploads ("Integrity Digests") has a server compare `Repr-Digest` of the
/// creation with the digest of the complete upload, which SHOULD be considered failed if they
/// differ. The bytes arrive once, in several requests, so the state is stored between them
/// ([`to_bytes`](Self::to_bytes)) with its offset. SHA-512 is verified only if one request contains
/// the entire representation.
#[derive(Clone)]
pub struct ResumableSha256 {
    sha256: Sha256,
    bytes: ByteCount,
}

impl ResumableSha256 {
    /// The state before the first byte.
    #[must_use]
    pub fn new() -> Self {
        Self { sha256: Sha256::new(), bytes: ByteCount::ZERO }
    }

    /// The number of bytes that were added: the offset of the next ones.
    #[must_use]
    pub const fn bytes(&self) -> ByteCount {
        self.bytes
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.bytes += ByteCount(bytes.len() as u64);
    }

    /// The stored form, of 113 bytes. It reveals the bytes of an unfinished block (up to 63).
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut stored = vec![STORED_VERSION];
        stored.extend(self.bytes.bytes().to_le_bytes());
        stored.extend(self.sha256.serialize());
        stored
    }

    /// Parses the stored form.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CheckpointNewer`] for an unknown version, and
    /// [`ErrorKind::CheckpointCorrupt`] for any other invalid form.
    pub fn from_bytes(stored: &[u8]) -> Result<Self> {
        let corrupt =
            || Error::new(ErrorKind::CheckpointCorrupt, "the stored digest state cannot be read");
        let (version, stored) = stored.split_first().ok_or_else(corrupt)?;
        if *version > STORED_VERSION {
            let message = "the stored digest state is of a newer version";
            return Err(Error::new(ErrorKind::CheckpointNewer, message));
        }
        if *version < STORED_VERSION {
            return Err(corrupt());
        }
        let (bytes, state) = stored.split_first_chunk().ok_or_else(corrupt)?;
        let bytes = u64::from_le_bytes(*bytes);
        // The crate does not validate the lengths in a state.
        let lengths = state.get(32..41).and_then(<[u8]>::split_last);
        let blocks = (bytes / BLOCK_BYTES).to_le_bytes();
        let agree = lengths.is_some_and(|(partial, complete)| {
            complete == blocks && u64::from(*partial) == bytes % BLOCK_BYTES
        });
        if !agree || bytes > OBJECT_SIZE_MAX.bytes() {
            return Err(corrupt());
        }
        let state: &SerializedState<Sha256> = state.try_into().map_err(|_| corrupt())?;
        let sha256 = Sha256::deserialize(state).map_err(|_| corrupt())?;
        Ok(Self { sha256, bytes: ByteCount(bytes) })
    }

    /// The value of `Repr-Digest` for the bytes so far.
    #[must_use]
    pub fn field_value(&self) -> String {
        format!("sha-256=:{}:", STANDARD.encode(self.digest()))
    }

    /// Returns true if the bytes so far match each of these digests that is a SHA-256; other
    /// digests are ignored.
    #[must_use]
    pub fn matches(&self, digests: &[Checksum]) -> bool {
        let digest = self.digest();
        digests
            .iter()
            .filter(|checksum| checksum.algorithm == Algorithm::Sha256)
            .all(|checksum| checksum.expected == digest)
    }

    fn digest(&self) -> Vec<u8> {
        self.sha256.clone().finalize().to_vec()
    }
}

impl Default for ResumableSha256 {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ResumableSha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResumableSha256").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

/// Increased whenever the form changes. `sha2` keeps it stable only within 0.11
/// (`SerializableState`, "Compatibility").
const STORED_VERSION: u8 = 1;

/// Bytes of a block of SHA-256 (RFC 6234, section 4).
const BLOCK_BYTES: u64 = 64;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use proptest::prelude::*;

    use super::*;

    fn of(bytes: &[u8]) -> ResumableSha256 {
        let mut state = ResumableSha256::new();
        state.update(bytes);
        state
    }

    #[test]
    fn the_field_value_is_that_of_the_rfc() {
        // RFC 9530 §B.1.
        let state = of(b"{\"hello\": \"world\"}\n");
        assert_eq!(state.field_value(), "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
    }

    #[test]
    fn the_format_of_a_stored_state_is_stable() {
        // Stored states must remain readable after an update of the crate: the version, the number
        // of bytes, the hash value before the first block (RFC 6234 §6.1), no complete block, and
        // the incomplete block.
        let stored = of(b"abc").to_bytes();
        assert_eq!(stored.len(), 113);
        assert_eq!(stored[..9], [1, 3, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(stored[9..13], 0x6a09_e667_u32.to_le_bytes());
        assert_eq!(stored[41..53], [0, 0, 0, 0, 0, 0, 0, 0, 3, b'a', b'b', b'c']);
        assert_eq!(ResumableSha256::from_bytes(&stored).unwrap().bytes(), ByteCount(3));
    }

    #[test]
    fn other_formats_are_rejected() {
        let stored = of(b"abc").to_bytes();
        let kind = |bytes: &[u8]| ResumableSha256::from_bytes(bytes).unwrap_err().kind();
        assert_eq!(kind(&[]), ErrorKind::CheckpointCorrupt);
        assert_eq!(kind(&stored[..112]), ErrorKind::CheckpointCorrupt);
        // The version, the number of bytes, the number of blocks, and the bytes of the incomplete
        // block.
        for place in [0, 1, 8, 41, 48, 49] {
            let mut other = stored.clone();
            other[place] = if place == 0 { 0 } else { 77 };
            assert_eq!(kind(&other), ErrorKind::CheckpointCorrupt, "{place}");
        }
        let newer = [&[STORED_VERSION + 1], &stored[1..]].concat();
        assert_eq!(kind(&newer), ErrorKind::CheckpointNewer);
    }

    #[test]
    fn only_a_sha_256_is_verified() {
        let state = of(b"abc");
        let right = Checksum { algorithm: Algorithm::Sha256, expected: state.digest() };
        let other = Checksum { algorithm: Algorithm::Sha512, expected: vec![0; 64] };
        let wrong = Checksum { expected: vec![0; 32], ..right.clone() };
        assert!(state.matches(&[right.clone(), other]));
        assert!(!state.matches(&[right, wrong]));
    }

    proptest! {
        #[test]
        fn a_stored_state_continues_unchanged(
            head in prop::collection::vec(any::<u8>(), 0..300),
            tail in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut state = ResumableSha256::from_bytes(&of(&head).to_bytes()).unwrap();
            state.update(&tail);
            let complete = [head, tail].concat();
            prop_assert_eq!(state.field_value(), of(&complete).field_value());
            prop_assert_eq!(state.bytes(), ByteCount(complete.len() as u64));
        }

        #[test]
        fn loading_never_panics(
            stored: Vec<u8>,
            state in prop::collection::vec(any::<u8>(), 113),
        ) {
            let _ = ResumableSha256::from_bytes(&stored);
            let _ = ResumableSha256::from_bytes(&[vec![STORED_VERSION], state].concat());
        }
    }
}
