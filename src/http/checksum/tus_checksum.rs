//! `Upload-Checksum: <algorithm> <base64>` of tus 1.0.0 ("Checksum").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Algorithm, Checksum};
use crate::error::{Error, Result};
use crate::http::RequestHead;

/// The supported algorithms, as `Tus-Checksum-Algorithm` lists them. tus requires sha1.
pub(in crate::http) const TUS_ALGORITHMS: &str = "sha1,md5,crc32,sha256";

/// The checksum in the header of `head`, or `None` without one.
///
/// # Errors
/// Returns the errors of [`Checksum::parse_tus`].
pub(super) fn tus_checksum(head: &RequestHead) -> Result<Option<Checksum>> {
    head.header(HEADER).map(Checksum::parse_tus).transpose()
}

impl Checksum {
    /// Parses a value of `Upload-Checksum`, of a header or of a trailer.
    ///
    /// A CRC-32 is the base64 of its four bytes, most significant first, as in
    /// `x-amz-checksum-crc32`
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>).
    /// tus does not define it, and servers differ: tus-ruby-server uses the base64 of the decimal
    /// number (its `lib/tus/checksum.rb`), which is rejected here.
    ///
    /// # Errors
    /// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) with the field
    /// `upload-checksum`, for an unsupported algorithm, for which tus requires the status 400, and
    /// for a digest that is not base64 or not of the algorithm's length.
    pub fn parse_tus(value: &str) -> Result<Self> {
        let (name, encoded) = value.trim().split_once(' ').ok_or_else(|| invalid(FORM))?;
        let algorithm =
            algorithm(name).ok_or_else(|| invalid(format!("of one of {TUS_ALGORITHMS}")))?;
        let expected = STANDARD.decode(encoded.trim()).map_err(|_| invalid(FORM))?;
        if expected.len() != algorithm.digest_bytes() {
            let bytes = algorithm.digest_bytes();
            return Err(invalid(format!("the base64 of {bytes} bytes for {name}")));
        }
        Ok(Self { algorithm, expected })
    }
}

fn algorithm(name: &str) -> Option<Algorithm> {
    Algorithm::TUS.into_iter().find(|algorithm| algorithm.name() == name)
}

fn invalid(allowed: impl Into<String>) -> Error {
    Error::field_invalid(HEADER, allowed)
}

const HEADER: &str = "upload-checksum";
const FORM: &str = "an algorithm, a space and the base64 of the digest";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use ::http::Method;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_the_protocol_is_parsed() {
        // tus 1.0.0, "Checksum", "Example": of "hello world".
        let checksum = Checksum::parse_tus("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=").unwrap();
        assert_eq!(checksum.algorithm, Algorithm::Sha1);
        assert_eq!(checksum.expected[..2], [0x2a, 0xae]);
    }

    #[test]
    fn every_listed_algorithm_is_supported() {
        assert_eq!(TUS_ALGORITHMS, Algorithm::TUS.map(Algorithm::name).join(","));
        for name in TUS_ALGORITHMS.split(',') {
            let algorithm = algorithm(name).unwrap();
            assert_eq!(algorithm.name(), name);
            let value = format!("{name} {}", STANDARD.encode(vec![7; algorithm.digest_bytes()]));
            assert_eq!(Checksum::parse_tus(&value).unwrap().algorithm, algorithm);
        }
    }

    #[test]
    fn the_error_for_an_unsupported_checksum_contains_its_field() {
        for value in [
            "",
            "sha1",
            "sha512 \
             z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+\
             DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
            "adler32 AAAAAQ==",
            "SHA1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
            "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0",
            "sha1 2aae6c35c94fcfb415dbe95f408b9ce91ee846ed",
            "sha1 AAAA",
            "crc32 MzQyMTc4MDI2Mg==",
            "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0= more",
        ] {
            let error = Checksum::parse_tus(value).unwrap_err();
            assert_eq!(error.field().unwrap().name, "upload-checksum", "{value:?}");
        }
    }

    #[test]
    fn a_request_without_the_header_has_no_checksum() {
        let head = RequestHead::new(Method::PATCH, "/", [("Host", "edge.example")]);
        assert_eq!(tus_checksum(&head).unwrap(), None);
    }

    proptest! {
        #[test]
        fn parsing_never_panics(value: String, name in "sha1|md5|crc32|sha256") {
            let _ = Checksum::parse_tus(&value);
            let _ = Checksum::parse_tus(&format!("{name} {value}"));
        }
    }
}
