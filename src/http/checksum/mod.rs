//! Checksums that a client sends with its bytes: `Upload-Checksum` of tus 1.0.0
//! (<https://tus.io/protocols/resumable-upload#checksum>) and the digest fields of RFC 9530
//! (<https://www.rfc-editor.org/rfc/rfc9530>).

mod content_checks;
mod digest_fields;
mod hasher;
mod repr_digest_state;
mod resumable_sha256;
mod state;
mod tus_checksum;

pub use content_checks::ContentChecks;
pub use digest_fields::{repr_digests, wanted_digests};
pub use repr_digest_state::ReprDigestState;
pub use resumable_sha256::ResumableSha256;

pub(super) use tus_checksum::TUS_ALGORITHMS;

/// An algorithm of a checksum or digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// SHA-1 (RFC 3174), of 20 bytes; the one that tus requires. tus only.
    Sha1,
    /// MD5 (RFC 1321), of 16 bytes. tus only.
    Md5,
    /// CRC-32 as zlib and gzip have it (RFC 1952 §8), of 4 bytes, the highest first. tus only.
    Crc32,
    /// SHA-256 (RFC 6234), of 32 bytes. In tus and in digest fields.
    Sha256,
    /// SHA-512 (RFC 6234), of 64 bytes. In digest fields only.
    Sha512,
}

impl Algorithm {
    /// The algorithms of `Upload-Checksum`.
    const TUS: [Self; 4] = [Self::Sha1, Self::Md5, Self::Crc32, Self::Sha256];

    /// The number of bytes of its digest.
    #[must_use]
    pub const fn digest_bytes(self) -> usize {
        match self {
            Self::Crc32 => 4,
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// Its name in `Upload-Checksum`, and in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Md5 => "md5",
            Self::Crc32 => "crc32",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}

/// The checksum that a client declares for its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The expected digest.
    pub expected: Vec<u8>,
}
