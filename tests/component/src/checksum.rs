//! The checksums that clients send with their bytes: `Upload-Checksum` of tus
//! (<https://tus.io/protocols/resumable-upload#checksum>) and the digests of RFC 9530.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc::{CRC_32_ISO_HDLC, Crc};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

/// The algorithms of `Upload-Checksum`.
pub const ALGORITHMS: [&str; 4] = ["sha1", "md5", "crc32", "sha256"];

/// `Upload-Checksum` of these bytes.
///
/// # Panics
/// For an algorithm that is none of [`ALGORITHMS`].
#[must_use]
pub fn tus_checksum(algorithm: &str, bytes: &[u8]) -> String {
    let digest = match algorithm {
        "sha1" => Sha1::digest(bytes).to_vec(),
        "md5" => Md5::digest(bytes).to_vec(),
        "crc32" => Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(bytes).to_be_bytes().to_vec(),
        "sha256" => Sha256::digest(bytes).to_vec(),
        other => panic!("unknown algorithm {other}"),
    };
    format!("{algorithm} {}", STANDARD.encode(digest))
}

/// `Content-Digest` or `Repr-Digest` of these bytes: `sha-256` or `sha-512`.
///
/// # Panics
/// For another algorithm.
#[must_use]
pub fn digest_field(algorithm: &str, bytes: &[u8]) -> String {
    let digest = match algorithm {
        "sha-256" => Sha256::digest(bytes).to_vec(),
        "sha-512" => Sha512::digest(bytes).to_vec(),
        other => panic!("unknown algorithm {other}"),
    };
    format!("{algorithm}=:{}:", STANDARD.encode(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_match_published_values() {
        // The example of tus 1.0.0, "Checksum".
        assert_eq!(tus_checksum("sha1", b"hello world"), "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=");
        // RFC 1321, section A.5, and the check value of CRC-32/ISO-HDLC.
        assert_eq!(tus_checksum("md5", b"abc"), "md5 kAFQmDzST7DWlj99KOF/cg==");
        assert_eq!(tus_checksum("crc32", b"123456789"), "crc32 y/Q5Jg==");
        // RFC 9530, section 2.
        assert_eq!(
            digest_field("sha-256", b"{\"hello\": \"world\"}\n"),
            "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
        );
    }
}
