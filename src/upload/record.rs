//! The frame of every stored record: its kind, its version and a checksum.
//!
//! `"VOD"`, one byte of kind, one byte of version, the fields (postcard,
//! <https://postcard.jamesmunns.com/wire-format>), and the CRC-64/XZ of the preceding bytes in
//! eight little-endian bytes. A record that cannot be read is an error and is never treated as a
//! missing one: an upload that restarted because of it would decrease its offset.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::crc64::Crc64Digest;
use crate::error::{Error, ErrorKind, Result};

/// The record version that is written, and the newest that is supported.
pub const VERSION: u8 = 1;

/// The kind of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordKind {
    /// [`super::UploadRecord`]
    Upload,
    /// [`super::Lease`]
    Lease,
    /// [`super::Checkpoint`]
    Checkpoint,
    /// [`super::EtagPage`]
    EtagPage,
    /// [`crate::queue::FileRecord`]
    File,
    /// [`super::MediaRecord`]
    Media,
    /// [`super::ExpiryEntry`]
    ExpiryEntry,
    /// [`super::ExpiryCursor`]
    ExpiryCursor,
    /// [`super::StoreOwner`]
    StoreOwner,
}

impl RecordKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Upload => b'u',
            Self::Lease => b'l',
            Self::Checkpoint => b'c',
            Self::EtagPage => b'e',
            Self::File => b'f',
            Self::Media => b'm',
            Self::ExpiryEntry => b'x',
            Self::ExpiryCursor => b'y',
            Self::StoreOwner => b'o',
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Upload => "upload record",
            Self::Lease => "lease",
            Self::Checkpoint => "checkpoint",
            Self::EtagPage => "ETag page",
            Self::File => "file record",
            Self::Media => "media record",
            Self::ExpiryEntry => "expiry entry",
            Self::ExpiryCursor => "expiry cursor",
            Self::StoreOwner => "owner of the records",
        }
    }
}

/// Encodes a record.
///
/// # Errors
/// Returns [`ErrorKind::Internal`] if the fields cannot be serialized, which no type here causes.
pub(crate) fn encode<T: Serialize>(kind: RecordKind, fields: &T) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + CHECKSUM_BYTES + 256);
    bytes.extend_from_slice(MAGIC);
    bytes.extend([kind.byte(), VERSION]);
    let mut bytes = postcard::to_extend(fields, bytes)
        .map_err(|error| Error::new(ErrorKind::Internal, format!("{}: {error}", kind.name())))?;
    let checksum = checksum(&bytes);
    bytes.extend(checksum);
    Ok(bytes)
}

/// Decodes a record.
///
/// # Errors
/// Returns [`ErrorKind::CheckpointNewer`] if its version is newer, and
/// [`ErrorKind::CheckpointCorrupt`] if it is damaged or incomplete, or of another kind.
pub(crate) fn decode<T: DeserializeOwned>(kind: RecordKind, bytes: &[u8]) -> Result<T> {
    let corrupt = |what: &str| {
        let message = format!("the stored {} {what}", kind.name());
        Error::new(ErrorKind::CheckpointCorrupt, message)
    };
    if bytes.len() < HEADER_BYTES + CHECKSUM_BYTES || !bytes.starts_with(MAGIC) {
        return Err(corrupt("is not a record of this uploader"));
    }
    let (framed, stored_checksum) = bytes.split_at(bytes.len() - CHECKSUM_BYTES);
    let (header, fields) = framed.split_at(HEADER_BYTES);
    if checksum(framed) != stored_checksum {
        return Err(corrupt("fails its checksum"));
    }
    if header.get(3) != Some(&kind.byte()) {
        return Err(corrupt("is a record of another kind"));
    }
    match header.get(4) {
        Some(&VERSION) => {}
        version => {
            let message = format!(
                "the stored {} has version {}; this is version {VERSION}",
                kind.name(),
                version.copied().unwrap_or_default()
            );
            return Err(Error::new(ErrorKind::CheckpointNewer, message));
        }
    }
    let (fields, rest) =
        postcard::take_from_bytes(fields).map_err(|_| corrupt("cannot be read"))?;
    if rest.is_empty() { Ok(fields) } else { Err(corrupt("has bytes after its end")) }
}

/// Implements `encode` and `decode` for a record type. `$check` validates the decoded fields.
macro_rules! impl_record {
    ($type:ty, $kind:ident, $check:expr) => {
        impl $type {
            /// Encodes the record.
            ///
            /// # Errors
            /// Returns [`ErrorKind::Internal`](crate::ErrorKind::Internal), which no value of this
            /// type causes.
            pub fn encode(&self) -> $crate::Result<Vec<u8>> {
                $crate::upload::record::encode($crate::upload::record::RecordKind::$kind, self)
            }

            /// Decodes the record.
            ///
            /// # Errors
            /// Returns [`CheckpointNewer`](crate::ErrorKind::CheckpointNewer) if its version is
            /// newer, and [`CheckpointCorrupt`](crate::ErrorKind::CheckpointCorrupt) if it is
            /// damaged or incomplete.
            pub fn decode(bytes: &[u8]) -> $crate::Result<Self> {
                let kind = $crate::upload::record::RecordKind::$kind;
                let record = $crate::upload::record::decode(kind, bytes)?;
                $check(&record)?;
                Ok(record)
            }
        }
    };
    ($type:ty, $kind:ident) => {
        impl_record!($type, $kind, |_: &$type| $crate::Result::Ok(()));
    };
}
pub(crate) use impl_record;

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut digest = Crc64Digest::new();
    digest.update(bytes);
    digest.value().0.to_le_bytes()
}

const MAGIC: &[u8; 3] = b"VOD";
const HEADER_BYTES: usize = MAGIC.len() + 2;
const CHECKSUM_BYTES: usize = 8;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn error<T: DeserializeOwned>(kind: RecordKind, bytes: &[u8]) -> Error {
        decode::<T>(kind, bytes).err().unwrap()
    }

    #[test]
    fn a_record_is_read_only_as_its_own_kind() {
        let kinds = [
            (RecordKind::Upload, "upload record"),
            (RecordKind::Lease, "lease"),
            (RecordKind::Checkpoint, "checkpoint"),
            (RecordKind::EtagPage, "ETag page"),
            (RecordKind::File, "file record"),
            (RecordKind::Media, "media record"),
            (RecordKind::ExpiryEntry, "expiry entry"),
            (RecordKind::ExpiryCursor, "expiry cursor"),
            (RecordKind::StoreOwner, "owner of the records"),
        ];
        for (written, _) in kinds {
            let bytes = encode(written, &7_u64).unwrap();
            for (read, name) in kinds {
                if read == written {
                    assert_eq!(decode::<u64>(read, &bytes), Ok(7));
                    continue;
                }
                let error = error::<u64>(read, &bytes);
                assert_eq!(error.kind(), ErrorKind::CheckpointCorrupt);
                let message = format!("the stored {name} is a record of another kind");
                assert!(error.to_string().contains(&message), "{error}");
            }
        }
    }

    #[test]
    fn a_record_that_is_cut_off_is_corrupt() {
        let bytes = encode(RecordKind::Lease, &(1_u8, "text")).unwrap();
        for len in 0..bytes.len() {
            let error = error::<(u8, String)>(RecordKind::Lease, &bytes[..len]);
            assert_eq!(error.kind(), ErrorKind::CheckpointCorrupt, "{len}");
        }
        // The shortest record has no fields.
        let shortest = encode(RecordKind::Lease, &()).unwrap();
        assert_eq!(decode::<()>(RecordKind::Lease, &shortest), Ok(()));
    }

    #[test]
    fn bytes_of_another_program_are_named_so() {
        let error = error::<()>(RecordKind::Lease, b"not a record of the uploader");
        assert!(error.to_string().contains("is not a record of this uploader"), "{error}");
    }
}
