//! The file record, by which a later uploader finds the upload of a file.

use serde::{Deserialize, Serialize};

use crate::units::UnixMillis;
use crate::upload::record::impl_record;

/// Identifies the upload that a file continues. Contains no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Upload ID; `None` if the upload no longer exists and only its media ID is reused.
    pub upload: Option<String>,
    /// Media ID, if known.
    pub media_id: Option<String>,
    /// When the record was written, in milliseconds since the Unix epoch.
    pub written_at_ms: u64,
}

impl_record!(FileRecord, File);

impl FileRecord {
    /// Returns when the record was written.
    #[must_use]
    pub const fn written_at(&self) -> UnixMillis {
        UnixMillis(self.written_at_ms)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_record_round_trips_and_a_damaged_one_is_rejected() {
        let record =
            FileRecord { upload: Some("u1".into()), media_id: Some("m1".into()), written_at_ms: 5 };
        let bytes = record.encode().unwrap();
        assert_eq!(FileRecord::decode(&bytes).unwrap(), record);
        for index in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[index] ^= 1;
            let kind = FileRecord::decode(&damaged).unwrap_err().kind();
            let expected = [ErrorKind::CheckpointCorrupt, ErrorKind::CheckpointNewer];
            assert!(expected.contains(&kind), "byte {index}: {kind:?}");
        }
    }
}
