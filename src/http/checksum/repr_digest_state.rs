//! The digest of a representation that is sent in several requests.

use super::{Algorithm, Checksum, ResumableSha256, repr_digests, wanted_digests};
use crate::error::{Error, ErrorKind, Result};
use crate::http::RequestHead;
use crate::units::ByteCount;

/// The SHA-256 of a representation whose client has declared it (`Repr-Digest`) or requested it
/// (`Want-Repr-Digest`). It is stored between requests.
#[derive(Clone, Debug)]
pub struct ReprDigestState {
    digest: ResumableSha256,
    /// The expected digest of 32 bytes; another length never matches.
    expected: Option<Vec<u8>>,
    /// Whether the body of the current request has ended properly.
    has_ended: bool,
}

impl ReprDigestState {
    /// The digest for the upload that `head` creates; `None` if the client neither declares nor
    /// requests one.
    #[must_use]
    pub fn from_creation(head: &RequestHead) -> Option<Self> {
        let expected = declared_digest(head);
        let wanted = wanted_digests(head).contains(&Algorithm::Sha256);
        (wanted || expected.is_some()).then(|| Self::new(ResumableSha256::new(), expected))
    }

    /// The stored digest, for a request whose bytes start at `offset`; `None` if they start
    /// elsewhere because a writer was interrupted: the digest then cannot be computed.
    ///
    /// # Errors
    /// Returns the errors of [`ResumableSha256::from_bytes`].
    pub fn load(stored: &[u8], offset: ByteCount) -> Result<Option<Self>> {
        let corrupt =
            || Error::new(ErrorKind::CheckpointCorrupt, "the stored digest cannot be read");
        let (expected_len, rest) = stored.split_first().ok_or_else(corrupt)?;
        let (expected, state) =
            rest.split_at_checked(usize::from(*expected_len)).ok_or_else(corrupt)?;
        let digest = ResumableSha256::from_bytes(state)?;
        let expected = (!expected.is_empty()).then(|| expected.to_vec());
        Ok((digest.bytes() == offset).then(|| Self::new(digest, expected)))
    }

    /// The stored form, which [`ReprDigestState::load`] reads.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let expected = self.expected.as_deref().unwrap_or_default();
        let mut stored = vec![u8::try_from(expected.len()).unwrap_or_default()];
        stored.extend_from_slice(expected);
        stored.extend(self.digest.to_bytes());
        stored
    }

    /// Sets the expected digest if a later request declares it.
    pub fn set_expected(&mut self, head: &RequestHead) {
        if let Some(expected) = declared_digest(head) {
            self.expected = Some(expected);
        }
    }

    /// Returns true if the client has declared the digest.
    #[must_use]
    pub const fn is_expected(&self) -> bool {
        self.expected.is_some()
    }

    /// Whether the representation has the expected digest. `None` unless all `bytes` of it were
    /// added and the request has ended.
    #[must_use]
    pub fn matches_at(&self, bytes: ByteCount) -> Option<bool> {
        if !self.has_ended || self.digest.bytes() != bytes {
            return None;
        }
        let expected = self.expected.clone()?;
        let checksum = Checksum { algorithm: Algorithm::Sha256, expected };
        Some(self.digest.matches(&[checksum]))
    }

    /// The value of `Repr-Digest` if all `bytes` of the representation were added.
    #[must_use]
    pub fn field_value_at(&self, bytes: ByteCount) -> Option<String> {
        (self.digest.bytes() == bytes).then(|| self.digest.field_value())
    }

    /// The number of bytes that were added.
    #[must_use]
    pub fn bytes(&self) -> ByteCount {
        self.digest.bytes()
    }

    pub(in crate::http) fn update(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
    }

    pub(in crate::http) const fn request_has_ended(&mut self) {
        self.has_ended = true;
    }

    fn new(digest: ResumableSha256, expected: Option<Vec<u8>>) -> Self {
        Self { digest, expected, has_ended: false }
    }
}

/// The SHA-256 in `Repr-Digest`.
fn declared_digest(head: &RequestHead) -> Option<Vec<u8>> {
    let mut digests = repr_digests(head).into_iter();
    let sha_256 = digests.find(|checksum| checksum.algorithm == Algorithm::Sha256);
    sha_256.map(|checksum| checksum.expected).filter(|digest| u8::try_from(digest.len()).is_ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use ::http::Method;

    use super::*;

    /// Of `abc` (FIPS 180-4; RFC 6234, section 8.5).
    const ABC: &str = "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:";

    fn head(headers: &[(&str, &str)]) -> RequestHead {
        RequestHead::new(Method::POST, "/v1/files", headers.iter().copied())
    }

    fn expected() -> ReprDigestState {
        ReprDigestState::from_creation(&head(&[("Repr-Digest", ABC)])).unwrap()
    }

    #[test]
    fn a_digest_continues_across_requests() {
        let mut first = expected();
        first.update(b"ab");
        let stored = first.to_bytes();
        assert!(ReprDigestState::load(&stored, ByteCount(1)).unwrap().is_none());
        let mut second = ReprDigestState::load(&stored, ByteCount(2)).unwrap().unwrap();
        assert!(second.is_expected());
        second.update(b"c");
        assert_eq!(second.matches_at(ByteCount(3)), None, "the request may go on");
        second.request_has_ended();
        assert_eq!(second.matches_at(ByteCount(3)), Some(true));
        assert_eq!(second.matches_at(ByteCount(4)), None);
        assert_eq!(second.field_value_at(ByteCount(3)).as_deref(), Some(ABC));
    }

    #[test]
    fn other_bytes_do_not_match() {
        let mut digest = expected();
        digest.update(b"abd");
        digest.request_has_ended();
        assert_eq!(digest.matches_at(ByteCount(3)), Some(false));
    }

    #[test]
    fn a_digest_that_is_only_wanted_is_reported_and_not_verified() {
        let wanted = [("Want-Repr-Digest", "sha-256=10")];
        let digest = ReprDigestState::from_creation(&head(&wanted)).unwrap();
        let mut digest = ReprDigestState::load(&digest.to_bytes(), ByteCount(0)).unwrap().unwrap();
        digest.update(b"abc");
        digest.request_has_ended();
        assert_eq!(digest.matches_at(ByteCount(3)), None);
        assert!(digest.field_value_at(ByteCount(3)).is_some());
        digest.set_expected(&head(&[("Repr-Digest", ABC)]));
        assert_eq!(digest.matches_at(ByteCount(3)), Some(true));
        assert!(ReprDigestState::from_creation(&head(&[])).is_none());
    }

    #[test]
    fn an_unreadable_stored_state_is_rejected() {
        let whole = expected().to_bytes();
        for stored in [&[][..], &[33][..], &[0][..], &whole[..whole.len() - 1], &whole[1..]] {
            assert!(ReprDigestState::load(stored, ByteCount(0)).is_err(), "{stored:?}");
        }
    }
}
