//! Which upload a file continues: the record by which a later uploader finds it.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::units::UnixMillis;
use crate::upload::record::{self, RecordKind};

/// Which upload a file continues. Holds no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// The id of the upload; `None` where it is gone and its media id is to be used again.
    pub upload: Option<String>,
    /// The media id, where one is known.
    pub media_id: Option<String>,
    /// When this was written, in milliseconds since the Unix epoch.
    pub written_at_ms: u64,
}

impl FileRecord {
    /// When this was written.
    #[must_use]
    pub const fn written_at(&self) -> UnixMillis {
        UnixMillis(self.written_at_ms)
    }

    /// The stored form.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal), which no value of this type causes.
    pub fn encode(&self) -> Result<Vec<u8>> {
        record::encode(RecordKind::File, self)
    }

    /// The record in a stored form.
    ///
    /// # Errors
    /// [`CheckpointNewer`](crate::ErrorKind::CheckpointNewer) for a version that this code does not
    /// know, [`CheckpointCorrupt`](crate::ErrorKind::CheckpointCorrupt) for anything else that is
    /// not such a record, whole.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        record::decode(RecordKind::File, bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn what_was_written_is_read_and_what_is_damaged_is_not() {
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
