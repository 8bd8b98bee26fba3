//! `Content-Digest`, `Repr-Digest` and `Want-Repr-Digest` (RFC 9530).

use sfv::{BareItem, Dictionary, ListEntry};

use super::{Algorithm, Checksum};
use crate::http::header::REPR_DIGEST;
use crate::http::{RequestHead, structured_fields};

/// The digests of the content of this request (`Content-Digest`, RFC 9530 §2), all of which must
/// match. Empty if the header is absent or malformed.
#[must_use]
pub(super) fn content_digests(head: &RequestHead) -> Vec<Checksum> {
    digests(head, "content-digest")
}

/// The digests of the entire representation (`Repr-Digest`, RFC 9530 §3).
#[must_use]
pub fn repr_digests(head: &RequestHead) -> Vec<Checksum> {
    digests(head, REPR_DIGEST.as_str())
}

/// The supported algorithms in which the client requests a digest of the entire representation
/// (`Want-Repr-Digest`, RFC 9530 §4), in order of preference.
///
/// A preference is an Integer from 0 to 10, and 0 is "not acceptable": such members and invalid
/// ones are ignored.
#[must_use]
pub fn wanted_digests(head: &RequestHead) -> Vec<Algorithm> {
    let mut wanted: Vec<(i64, Algorithm)> = members(head, "want-repr-digest")
        .filter_map(|(algorithm, value)| Some((i64::from(value.as_integer()?), algorithm)))
        .filter(|(preference, _)| (1..=10).contains(preference))
        .collect();
    wanted.sort_by_key(|(preference, _)| -preference);
    wanted.into_iter().map(|(_, algorithm)| algorithm).collect()
}

/// A digest whose length is not that of its algorithm is kept, so that it never matches: ignoring
/// it would omit a check that the client requested.
fn digests(head: &RequestHead, name: &str) -> Vec<Checksum> {
    members(head, name)
        .filter_map(|(algorithm, value)| {
            Some(Checksum { algorithm, expected: value.as_byte_sequence()?.to_vec() })
        })
        .collect()
}

/// The members of the supported algorithms. Others are ignored: unknown ones, and those that RFC
/// 9530 §7.2 marks as "Deprecated" (md5, sha, unixsum, unixcksum, adler, crc32c).
fn members(head: &RequestHead, name: &str) -> impl Iterator<Item = (Algorithm, BareItem)> {
    let dictionary: Dictionary = structured_fields::dictionary(head, name).unwrap_or_default();
    dictionary.into_iter().filter_map(|(key, entry)| {
        let algorithm = match key.as_str() {
            "sha-256" => Algorithm::Sha256,
            "sha-512" => Algorithm::Sha512,
            _ => return None,
        };
        match entry {
            ListEntry::Item(item) => Some((algorithm, item.bare_item)),
            ListEntry::InnerList(_) => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use ::http::Method;
    use proptest::prelude::*;

    use super::super::state::ChecksumState;
    use super::*;

    // RFC 9530 §B.1: the content with its final line feed, and its digests there and in §2.
    const CONTENT: &[u8] = b"{\"hello\": \"world\"}\n";
    const SHA_256: &str = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
    const SHA_512: &str = "sha-512=:\
        YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:";

    fn head(name: &str, value: &str) -> RequestHead {
        RequestHead::new(Method::PATCH, "/", [(name, value)])
    }

    fn content_matches(value: &str) -> bool {
        let mut state = ChecksumState::new(content_digests(&head("Content-Digest", value)));
        state.update(CONTENT);
        state.matches()
    }

    #[test]
    fn the_examples_of_the_rfc_match() {
        assert_eq!(repr_digests(&head("Repr-Digest", SHA_256)).len(), 1);
        assert!(content_matches(SHA_256));
        assert!(content_matches(&format!("{SHA_256}, {SHA_512}")));
    }

    #[test]
    fn every_supported_digest_must_match() {
        let wrong = "sha-512=:\
        YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4=:";
        assert!(!content_matches(wrong));
        assert!(!content_matches(&format!("{SHA_256}, {wrong}")));
        assert!(!content_matches("sha-256=:AA==:"));
    }

    #[test]
    fn deprecated_and_unknown_algorithms_and_other_values_are_ignored() {
        for value in [
            "md5=:AA==:, sha=:AA==:, adler=:AA==:, crc32c=:AA==:, unixsum=:AA==:, future=:AA==:",
            "sha-256=7",
            "sha-256=(:AA==:)",
            "sha-256",
            "sha-256=RK/0qy18",
            "",
        ] {
            assert_eq!(content_digests(&head("Content-Digest", value)), [], "{value:?}");
        }
    }

    #[test]
    fn wanted_algorithms_are_in_the_order_of_preference() {
        let wanted = |value| wanted_digests(&head("Want-Repr-Digest", value));
        let (sha256, sha512) = (Algorithm::Sha256, Algorithm::Sha512);
        // RFC 9530 §4.
        assert_eq!(wanted("sha-256=1"), [sha256]);
        assert_eq!(wanted("sha-512=3, sha-256=10, unixsum=0"), [sha256, sha512]);
        assert_eq!(wanted("sha-512=0, sha-256=11, sha-256=x"), []);
        assert_eq!(wanted("sha-256=2, sha-512=2"), [sha256, sha512]);
    }

    proptest! {
        #[test]
        fn parsing_never_panics(value: String) {
            let _ = content_digests(&head("Content-Digest", &value));
            let _ = wanted_digests(&head("Want-Repr-Digest", &value));
            let _ = content_digests(&head("Content-Digest", &format!("sha-256=:{value}:")));
        }
    }
}
