//! Checksums by their names in tus and RFC 9530.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

/// The checksum in base64; `None` if the algorithm is unknown.
///
/// tus names algorithms without dashes; CRC-32 is encoded as four bytes in big-endian order.
pub(crate) fn checksum(algorithm: &str, content: &[u8]) -> Option<String> {
    let bytes = match algorithm.replace('-', "").as_str() {
        "crc32" => crc32fast::hash(content).to_be_bytes().to_vec(),
        "md5" => Md5::digest(content).to_vec(),
        "sha1" => Sha1::digest(content).to_vec(),
        "sha256" => Sha256::digest(content).to_vec(),
        "sha512" => Sha512::digest(content).to_vec(),
        _ => return None,
    };
    Some(STANDARD.encode(bytes))
}

/// `sha-256=:…:`, the format of Content-Digest and Repr-Digest (RFC 9530, section 2).
pub(crate) fn sha_256_field(content: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(content)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_match_the_specifications() {
        // The example of tus 1.0.0, section Checksum.
        assert_eq!(
            checksum("sha1", b"hello world").as_deref(),
            Some("Kq5sNclPz7QV2+lfQIuc6R7oRu0=")
        );
        // The check value of CRC-32/ISO-HDLC, cbf43926.
        assert_eq!(checksum("crc32", b"123456789").as_deref(), Some("y/Q5Jg=="));
        assert_eq!(checksum("sha-256", b""), checksum("sha256", b""));
        assert_eq!(checksum("rot13", b""), None);
    }

    #[test]
    fn a_digest_field_is_a_dictionary_of_bytes() {
        // RFC 9530, section B.1: {"hello": "world"} with a line feed.
        assert_eq!(
            sha_256_field(b"{\"hello\": \"world\"}\n"),
            "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
        );
    }
}
