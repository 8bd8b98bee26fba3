//! Checksums that are computed as the bytes arrive.

use super::hasher::Hasher;
use super::{Algorithm, Checksum};
use crate::error::Result;

/// The checksums of one request's content, or of a representation.
#[derive(Clone, Debug, Default)]
pub(super) struct ChecksumState {
    running: Vec<(Hasher, Checksum)>,
}

impl ChecksumState {
    /// The state before the first byte.
    pub(super) fn new(checksums: impl IntoIterator<Item = Checksum>) -> Self {
        let running = checksums
            .into_iter()
            .map(|checksum| (Hasher::new(checksum.algorithm), checksum))
            .collect();
        Self { running }
    }

    /// Returns true if there is no checksum to verify.
    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Adds the next bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        for (hasher, _) in &mut self.running {
            hasher.update(bytes);
        }
    }

    /// Returns true if the bytes match every checksum.
    pub(super) fn matches(self) -> bool {
        let mut running = self.running.into_iter();
        running.all(|(hasher, checksum)| hasher.finish() == checksum.expected)
    }
}

/// The checksum of content whose algorithm is only known from its trailer (tus 1.0.0,
/// `checksum-trailer`): every algorithm of tus is computed.
#[derive(Clone, Debug)]
pub(super) struct TrailerChecksumState {
    running: [(Algorithm, Hasher); 4],
}

impl TrailerChecksumState {
    /// The state before the first byte.
    pub(super) fn new() -> Self {
        Self { running: Algorithm::TUS.map(|algorithm| (algorithm, Hasher::new(algorithm))) }
    }

    /// Adds the next bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        for (_, hasher) in &mut self.running {
            hasher.update(bytes);
        }
    }

    /// Returns true if the bytes match the checksum in this trailer, an `Upload-Checksum`.
    ///
    /// # Errors
    /// Returns the errors of [`Checksum::parse_tus`].
    pub(super) fn matches_trailer(self, value: &str) -> Result<bool> {
        let checksum = Checksum::parse_tus(value)?;
        let known = self.running.into_iter().find(|(known, _)| *known == checksum.algorithm);
        Ok(known.is_some_and(|(_, hasher)| hasher.finish() == checksum.expected))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;
    use crate::error::ErrorKind;

    // "hello", as in the tests of rustus (`src/utils/hashes.rs`).
    const MD5: &str = "md5 XUFAKrxLKna5cZ2REBfFkg==";
    // "hello world", as in tus 1.0.0, "Checksum", "Example".
    const SHA1: &str = "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=";
    // "123456789": cbf43926.
    const CRC32: &str = "crc32 y/Q5Jg==";

    fn matches(checksums: &[&str], chunks: &[&str]) -> bool {
        let checksums = checksums.iter().map(|value| Checksum::parse_tus(value).unwrap());
        let mut state = ChecksumState::new(checksums);
        chunks.iter().for_each(|chunk| state.update(chunk.as_bytes()));
        state.matches()
    }

    #[test]
    fn the_bytes_must_match_every_checksum() {
        assert!(matches(&[MD5, MD5], &["hel", "", "lo"]));
        assert!(matches(&[SHA1], &["hello world"]));
        assert!(matches(&[CRC32], &["123456789"]));
        assert!(!matches(&[MD5, CRC32], &["hello"]));
    }

    #[test]
    fn without_checksums_nothing_is_verified() {
        let mut state = ChecksumState::new([]);
        assert!(state.is_empty());
        state.update(b"hello");
        assert!(state.matches());
    }

    #[test]
    fn a_trailer_may_declare_its_algorithm_after_the_bytes() {
        let state = |bytes: &str| {
            let mut state = TrailerChecksumState::new();
            state.update(bytes.as_bytes());
            state
        };
        for (trailer, bytes) in [(MD5, "hello"), (SHA1, "hello world"), (CRC32, "123456789")] {
            assert!(state(bytes).matches_trailer(trailer).unwrap(), "{trailer}");
            assert!(!state("other").matches_trailer(trailer).unwrap(), "{trailer}");
        }
        let error = state("hello").matches_trailer("sha3 AA==").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RequestInvalid);
    }
}
