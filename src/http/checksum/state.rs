//! Checksums that are computed as the bytes arrive.

use super::hasher::Hasher;
use super::{Algorithm, Checksum};
use crate::error::{Error, ErrorKind, Result};

/// The checksums of one request's content, or of a representation.
#[derive(Clone, Debug, Default)]
pub struct ChecksumState {
    running: Vec<(Hasher, Checksum)>,
}

impl ChecksumState {
    /// The state before the first byte.
    #[must_use]
    pub fn new(checksums: impl IntoIterator<Item = Checksum>) -> Self {
        let running = checksums
            .into_iter()
            .map(|checksum| (Hasher::new(checksum.algorithm), checksum))
            .collect();
        Self { running }
    }

    /// Returns true if there is no checksum to verify.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        for (hasher, _) in &mut self.running {
            hasher.update(bytes);
        }
    }

    /// Returns true if the bytes match every checksum.
    #[must_use]
    pub fn matches(self) -> bool {
        self.verify().is_ok()
    }

    /// As [`matches`](Self::matches), with an error that names the checksum.
    ///
    /// # Errors
    /// [`ErrorKind::DigestMismatch`] for the first checksum that does not match.
    pub fn verify(self) -> Result<()> {
        for (hasher, checksum) in self.running {
            if hasher.finish() != checksum.expected {
                return Err(mismatch(checksum.algorithm));
            }
        }
        Ok(())
    }
}

/// The checksum of content whose algorithm is only known from its trailer (tus 1.0.0,
/// `checksum-trailer`): every algorithm of tus is computed.
#[derive(Clone, Debug)]
pub struct TrailerChecksumState {
    running: [(Algorithm, Hasher); 4],
}

impl TrailerChecksumState {
    /// The state before the first byte.
    #[must_use]
    pub fn new() -> Self {
        Self { running: Algorithm::TUS.map(|algorithm| (algorithm, Hasher::new(algorithm))) }
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        for (_, hasher) in &mut self.running {
            hasher.update(bytes);
        }
    }

    /// Returns true if the bytes match the checksum in this trailer, an `Upload-Checksum`.
    ///
    /// # Errors
    /// As [`Checksum::parse_tus`].
    pub fn matches_trailer(self, value: &str) -> Result<bool> {
        let checksum = Checksum::parse_tus(value)?;
        let known = self.running.into_iter().find(|(known, _)| *known == checksum.algorithm);
        Ok(known.is_some_and(|(_, hasher)| hasher.finish() == checksum.expected))
    }

    /// As [`matches_trailer`](Self::matches_trailer), with an error if it does not match.
    ///
    /// # Errors
    /// As [`Checksum::parse_tus`]; [`ErrorKind::DigestMismatch`].
    pub fn verify_trailer(self, value: &str) -> Result<()> {
        let algorithm = Checksum::parse_tus(value)?.algorithm;
        if self.matches_trailer(value)? { Ok(()) } else { Err(mismatch(algorithm)) }
    }
}

impl Default for TrailerChecksumState {
    fn default() -> Self {
        Self::new()
    }
}

fn mismatch(algorithm: Algorithm) -> Error {
    let message = format!("the bytes do not have the {} that the request names", algorithm.name());
    Error::new(ErrorKind::DigestMismatch, message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    // "hello", as in the tests of rustus (`src/utils/hashes.rs`).
    const MD5: &str = "md5 XUFAKrxLKna5cZ2REBfFkg==";
    // "hello world", as in tus 1.0.0, "Checksum", "Example".
    const SHA1: &str = "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=";
    // "123456789": cbf43926.
    const CRC32: &str = "crc32 y/Q5Jg==";

    fn verified(checksums: &[&str], chunks: &[&str]) -> Result<()> {
        let checksums = checksums.iter().map(|value| Checksum::parse_tus(value).unwrap());
        let mut state = ChecksumState::new(checksums);
        chunks.iter().for_each(|chunk| state.update(chunk.as_bytes()));
        state.verify()
    }

    #[test]
    fn the_bytes_must_match_every_checksum() {
        assert!(verified(&[MD5, MD5], &["hel", "", "lo"]).is_ok());
        assert!(verified(&[SHA1], &["hello world"]).is_ok());
        assert!(verified(&[CRC32], &["123456789"]).is_ok());
        let error = verified(&[MD5, CRC32], &["hello"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DigestMismatch);
        assert!(error.message().contains("crc32"), "{error}");
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
            let error = state("other").verify_trailer(trailer).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::DigestMismatch);
        }
        let error = state("hello").matches_trailer("sha3 AA==").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RequestInvalid);
    }
}
