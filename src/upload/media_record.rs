//! The record that links a media asset, created by the worker, to its upload. It exists from the
//! creation of the upload until the asset is complete or its token expires.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::UploadId;
use super::record::impl_record;

/// The upload of a media asset that is not complete. Contains no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaRecord {
    /// ID of the most recent upload of the asset.
    pub upload: String,
    /// When the asset's token expires, in milliseconds since the Unix epoch. Until then, a new
    /// upload may use the media ID.
    pub expires_at_ms: u64,
}

impl_record!(MediaRecord, Media);

impl MediaRecord {
    /// Returns the key of the record of `media_id`. It contains a digest, because key-value stores
    /// limit the characters and the length of keys.
    #[must_use]
    pub fn key(media_id: &str) -> String {
        let digest = Sha256::digest(media_id);
        digest
            .iter()
            .take(DIGEST_BYTES)
            .fold(PREFIX.to_owned(), |key, byte| format!("{key}{byte:02x}"))
    }

    /// Returns the ID of the upload; `None` if the record has an invalid one.
    #[must_use]
    pub fn upload(&self) -> Option<UploadId> {
        UploadId::new(&self.upload)
    }
}

const PREFIX: &str = "m.";

/// 128 bits, so that two media IDs never share a record.
const DIGEST_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn a_record_round_trips() {
        let record = MediaRecord { upload: "a1".into(), expires_at_ms: 7 };
        assert_eq!(MediaRecord::decode(&record.encode().unwrap()), Ok(record.clone()));
        assert_eq!(record.upload(), UploadId::new("a1"));
    }

    #[test]
    fn media_ids_have_distinct_keys_that_every_store_accepts() {
        let keys = ["93ab", "93ac", "a b/ü", &"x".repeat(128)].map(MediaRecord::key);
        for key in &keys {
            assert!(key.starts_with(PREFIX));
            assert_eq!(key.len(), 34);
            assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'));
        }
        assert_ne!(keys[0], keys[1]);
    }
}
