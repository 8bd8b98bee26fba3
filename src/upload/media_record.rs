//! Which upload a media that the worker issued belongs to. The record exists from the creation of
//! the upload until the media is complete or its token expires.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::UploadId;
use super::record::{self, RecordKind};
use crate::error::Result;

/// An issued media that has never been completed. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaRecord {
    /// The newest upload of the media.
    pub upload: String,
    /// When the media's token expires, in milliseconds since the Unix epoch. A new upload may
    /// continue the media before that.
    pub expires_at_ms: u64,
}

impl MediaRecord {
    /// The key of the record of `media_id`: a digest, because a media id may have characters and a
    /// length that key-value stores do not accept.
    #[must_use]
    pub fn name(media_id: &str) -> String {
        let digest = Sha256::digest(media_id);
        digest
            .iter()
            .take(DIGEST_BYTES)
            .fold(PREFIX.to_owned(), |name, byte| format!("{name}{byte:02x}"))
    }

    /// Returns true if `name` is the key of a media record.
    #[must_use]
    pub fn is_name(name: &str) -> bool {
        name.starts_with(PREFIX)
    }

    /// The upload, or `None` if the record names none.
    #[must_use]
    pub fn upload(&self) -> Option<UploadId> {
        UploadId::new(&self.upload)
    }

    /// The stored form.
    ///
    /// # Errors
    /// Those of [`crate::upload::UploadRecord::encode`].
    pub fn encode(&self) -> Result<Vec<u8>> {
        record::encode(RecordKind::Media, self)
    }

    /// The record in a stored form.
    ///
    /// # Errors
    /// Those of [`crate::upload::UploadRecord::decode`].
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        record::decode(RecordKind::Media, bytes)
    }
}

const PREFIX: &str = "m.";

/// 128 bits: two media ids do not share a record.
const DIGEST_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let record = MediaRecord { upload: "a1".into(), expires_at_ms: 7 };
        assert_eq!(MediaRecord::decode(&record.encode().unwrap()), Ok(record.clone()));
        assert_eq!(record.upload(), UploadId::new("a1"));
    }

    #[test]
    fn every_media_id_has_a_key_of_its_own_that_every_store_accepts() {
        let names = ["93ab", "93ac", "a b/ü", &"x".repeat(128)].map(MediaRecord::name);
        for name in &names {
            assert!(MediaRecord::is_name(name));
            assert_eq!(name.len(), 34);
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'));
        }
        assert_ne!(names[0], names[1]);
    }
}
