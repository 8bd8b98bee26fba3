//! The checksums that a request declares for its content, verified as the bytes arrive.

use ::http::header::TRAILER;

use super::digest_fields::content_digests;
use super::state::{ChecksumState, TrailerChecksumState};
use super::tus_checksum::tus_checksum;
use super::{Checksum, ReprDigestState, repr_digests};
use crate::error::{Error, Result};
use crate::http::RequestHead;

/// The checksums of one request's content, and their state.
#[derive(Clone, Debug, Default)]
pub struct ContentChecks {
    in_head: Option<ChecksumState>,
    in_trailer: Option<TrailerChecksumState>,
    repr_digest: Option<ReprDigestState>,
    trailer_error: Option<Error>,
}

impl ContentChecks {
    /// The checksums of a tus request: in `Upload-Checksum`, or in a trailer of that name that
    /// `Trailer` announces (<https://tus.io/protocols/resumable-upload#checksum>).
    ///
    /// # Errors
    /// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) for an invalid or unsupported
    /// checksum.
    pub fn from_tus(head: &RequestHead) -> Result<Self> {
        let in_head = Self::new(tus_checksum(head)?);
        let announced = head
            .header_values(TRAILER)
            .flat_map(|names| names.split(','))
            .any(|name| name.trim().eq_ignore_ascii_case("upload-checksum"));
        let in_trailer = (announced && in_head.is_empty()).then(TrailerChecksumState::new);
        Ok(Self { in_trailer, ..in_head })
    }

    /// The digests in `Content-Digest`, and those in `Repr-Digest` if the content is the complete
    /// file (RFC 9530, <https://www.rfc-editor.org/rfc/rfc9530>).
    #[must_use]
    pub fn from_digest_fields(head: &RequestHead, is_complete_file: bool) -> Self {
        let repr_digests = if is_complete_file { repr_digests(head) } else { Vec::new() };
        Self::new(content_digests(head).into_iter().chain(repr_digests))
    }

    fn new(checksums: impl IntoIterator<Item = Checksum>) -> Self {
        let state = ChecksumState::new(checksums);
        Self { in_head: (!state.is_empty()).then_some(state), ..Self::default() }
    }

    /// Also computes the digest of the entire representation.
    #[must_use]
    pub fn with_repr_digest(self, repr_digest: Option<ReprDigestState>) -> Self {
        Self { repr_digest, ..self }
    }

    /// Returns the digest of the entire representation, as far as its bytes were added.
    #[must_use]
    pub fn into_repr_digest(self) -> Option<ReprDigestState> {
        self.repr_digest
    }

    /// Returns true if there is no checksum to verify.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.in_head.is_none() && self.in_trailer.is_none()
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        if let Some(in_head) = &mut self.in_head {
            in_head.update(bytes);
        }
        if let Some(in_trailer) = &mut self.in_trailer {
            in_trailer.update(bytes);
        }
        if let Some(repr_digest) = &mut self.repr_digest {
            repr_digest.update(bytes);
        }
    }

    /// Returns true if the content, which has ended, matches all its checksums. `trailer` is the
    /// value of the trailer `Upload-Checksum`. A trailer that was announced and is missing or
    /// invalid does not match, and has an error.
    #[must_use]
    pub fn matches(&mut self, trailer: Option<&str>) -> bool {
        if let Some(repr_digest) = &mut self.repr_digest {
            repr_digest.request_has_ended();
        }
        let in_head = self.in_head.clone().is_none_or(ChecksumState::matches);
        let Some(state) = self.in_trailer.clone() else { return in_head };
        match state.matches_trailer(trailer.unwrap_or_default()) {
            Ok(matches) => in_head && matches,
            Err(error) => {
                self.trailer_error = Some(error);
                false
            }
        }
    }

    /// Why the trailer with the checksum is invalid: tus requires the status 400 for an unsupported
    /// algorithm, and 460 for a checksum that differs.
    #[must_use]
    pub const fn trailer_error(&self) -> Option<&Error> {
        self.trailer_error.as_ref()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use ::http::Method;

    use super::*;

    /// Of `123456789`: the check value of CRC-32/ISO-HDLC
    /// (<https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-32-iso-hdlc>).
    const CRC32: &str = "crc32 y/Q5Jg==";

    fn head(headers: &[(&str, &str)]) -> RequestHead {
        RequestHead::new(Method::PATCH, "/v1/files/a", headers.iter().copied())
    }

    fn agree(headers: &[(&str, &str)], trailer: Option<&str>) -> bool {
        let mut checks = ContentChecks::from_tus(&head(headers)).unwrap();
        checks.update(b"1234");
        checks.update(b"56789");
        checks.matches(trailer)
    }

    #[test]
    fn bytes_match_the_checksum_in_the_head_or_in_the_trailer() {
        assert!(agree(&[("Upload-Checksum", CRC32)], None));
        assert!(!agree(&[("Upload-Checksum", "crc32 AAAAAA==")], None));
        let announced = [("Trailer", "Expires, upload-checksum")];
        assert!(agree(&announced, Some(CRC32)));
        for (trailer, is_invalid) in [
            (None, true),
            (Some("crc32 AAAAAA=="), false),
            (Some("crc32"), true),
            (Some("xxh3 AA=="), true),
        ] {
            let mut checks = ContentChecks::from_tus(&head(&announced)).unwrap();
            checks.update(b"123456789");
            assert!(!checks.matches(trailer), "{trailer:?}");
            assert_eq!(checks.trailer_error().is_some(), is_invalid, "{trailer:?}");
        }
        assert!(agree(&[], Some("crc32 AAAAAA==")), "an unannounced trailer");
    }

    #[test]
    fn a_representation_digest_is_verified_if_the_content_is_the_complete_file() {
        let digest = "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:";
        let head = head(&[("Repr-Digest", digest)]);
        assert!(ContentChecks::from_digest_fields(&head, false).is_empty());
        assert!(!ContentChecks::from_digest_fields(&head, true).matches(None));
    }
}
