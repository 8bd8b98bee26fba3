//! Checksums of bodies: CRC-64/XZ, MD5 and ETags.

use crc_fast::{CrcAlgorithm, checksum_combine};
use md5::{Digest as _, Md5};

use crate::encoding::hex_upper;

/// Length and checksums of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checksum {
    /// Length in bytes.
    pub(crate) size_bytes: u64,
    /// CRC-64/XZ, the one that OSS calls ECMA.
    pub(crate) crc64: u64,
    /// `None` if it was not computed because bodies are discarded.
    pub(crate) md5: Option<[u8; 16]>,
}

impl Checksum {
    /// Upper-case hex of the MD5.
    ///
    /// Without MD5 it consists of CRC and length: it has the same length and identifies the bytes,
    /// but differs from the ETag of OSS.
    pub(crate) fn etag(&self) -> String {
        hex_upper(&self.md5.unwrap_or_else(|| {
            let mut substitute = [0; 16];
            substitute[..8].copy_from_slice(&self.crc64.to_be_bytes());
            substitute[8..].copy_from_slice(&self.size_bytes.to_be_bytes());
            substitute
        }))
    }
}

/// Computes a [`Checksum`] incrementally.
#[derive(Debug)]
pub(super) struct Hasher {
    size_bytes: u64,
    crc64: crc_fast::Digest,
    md5: Option<Md5>,
}

impl Hasher {
    pub(super) fn new(want_md5: bool) -> Self {
        Self {
            size_bytes: 0,
            crc64: crc_fast::Digest::new(CrcAlgorithm::Crc64Xz),
            md5: want_md5.then(Md5::new),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.size_bytes += bytes.len() as u64;
        self.crc64.update(bytes);
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
    }

    pub(super) fn finish(self) -> Checksum {
        Checksum {
            size_bytes: self.size_bytes,
            crc64: self.crc64.finalize(),
            md5: self.md5.map(|md5| md5.finalize().into()),
        }
    }
}

/// The CRC of two concatenated bodies, from their CRCs and the length of the second.
pub(crate) fn crc64_combine(first: u64, second: u64, second_size_bytes: u64) -> u64 {
    checksum_combine(CrcAlgorithm::Crc64Xz, first, second, second_size_bytes)
}

/// The ETag of a multipart object: MD5 over the part ETags, `-`, the number of parts.
pub(crate) fn multipart_etag<'a>(part_etags: impl Iterator<Item = &'a str>) -> String {
    let mut md5 = Md5::new();
    let mut count = 0;
    for etag in part_etags {
        md5.update(etag);
        count += 1;
    }
    format!("{}-{count}", hex_upper(&md5.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checksum(bytes: &[u8], want_md5: bool) -> Checksum {
        let mut hasher = Hasher::new(want_md5);
        bytes.chunks(7).for_each(|chunk| hasher.update(chunk));
        hasher.finish()
    }

    #[test]
    fn the_crc_is_crc_64_xz() {
        assert_eq!(checksum(b"123456789", false).crc64, 11_051_210_869_376_104_954);
        let text = b"This is a test of the emergency broadcast system.";
        assert_eq!(checksum(text, false).crc64, 2_871_916_124_362_751_090);
        assert_eq!(checksum(b"", false).crc64, 0);
    }

    #[test]
    fn combining_returns_the_crc_of_the_concatenated_bytes() {
        assert_eq!(
            crc64_combine(11_051_210_869_376_104_954, 2_871_916_124_362_751_090, 49),
            7_672_622_622_872_733_320
        );
        let joined = [(4_413_811_901_831_858_137, 204_800), (10_093_793_885_213_898_015, 102_405)]
            .into_iter()
            .fold(4_413_811_901_831_858_137, |crc, (next, size)| crc64_combine(crc, next, size));
        assert_eq!(joined, 17_319_633_076_251_218_328);
        assert_eq!(crc64_combine(5, 0, 0), 5);
    }

    #[test]
    fn an_etag_is_the_md5_or_a_substitute_of_the_same_length() {
        assert_eq!(checksum(b"123456789", true).etag(), "25F9E794323B453885F5181F1B624D0B");
        let substitute = checksum(b"123456789", false).etag();
        assert_eq!(substitute, "995DC9BBDF1939FA0000000000000009");
    }
}
