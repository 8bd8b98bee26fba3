//! One running computation of any of the algorithms.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::Algorithm;

#[derive(Clone, Debug)]
pub(super) enum Hasher {
    Sha1(Sha1),
    Md5(Md5),
    Crc32(crc32fast::Hasher),
    Sha256(Sha256),
    // Boxed, as its state is twice as large as the others'.
    Sha512(Box<Sha512>),
}

impl Hasher {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Md5 => Self::Md5(Md5::new()),
            Algorithm::Crc32 => Self::Crc32(crc32fast::Hasher::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(Box::new(Sha512::new())),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Md5(hasher) => hasher.update(bytes),
            Self::Crc32(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The digest of the bytes.
    pub(super) fn finish(self) -> Vec<u8> {
        match self {
            Self::Sha1(hasher) => hasher.finalize().to_vec(),
            Self::Md5(hasher) => hasher.finalize().to_vec(),
            Self::Crc32(hasher) => hasher.finalize().to_be_bytes().to_vec(),
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
            Self::Sha512(hasher) => hasher.finalize().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Algorithm; 5] =
        [Algorithm::Sha1, Algorithm::Md5, Algorithm::Crc32, Algorithm::Sha256, Algorithm::Sha512];

    fn digest(algorithm: Algorithm, chunks: &[&[u8]]) -> Vec<u8> {
        let mut hasher = Hasher::new(algorithm);
        chunks.iter().for_each(|chunk| hasher.update(chunk));
        hasher.finish()
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_published_vectors_are_reproduced() {
        for (algorithm, text, expected) in [
            // RFC 3174 §7.3, TEST1.
            (Algorithm::Sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            // RFC 1321 §A.5.
            (Algorithm::Md5, "abc", "900150983cd24fb0d6963f7d28e17f72"),
            (Algorithm::Md5, "", "d41d8cd98f00b204e9800998ecf8427e"),
            // The check value of CRC-32/ISO-HDLC in the RevEng catalogue.
            (Algorithm::Crc32, "123456789", "cbf43926"),
            // RFC 6234 §8.5, TEST1 of SHA-256 and of SHA-512.
            (
                Algorithm::Sha256,
                "abc",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                Algorithm::Sha512,
                "abc",
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                 2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
        ] {
            let found = digest(algorithm, &[text.as_bytes()]);
            assert_eq!(hex(&found), expected, "{algorithm:?} of {text:?}");
            assert_eq!(found.len(), algorithm.digest_bytes());
        }
    }

    proptest! {
        #[test]
        fn bytes_may_arrive_in_any_split(bytes: Vec<u8>, at: prop::sample::Index) {
            let (head, tail) = bytes.split_at(at.index(bytes.len() + 1));
            for algorithm in ALL {
                prop_assert_eq!(digest(algorithm, &[&bytes]), digest(algorithm, &[head, tail]));
            }
        }
    }
}
