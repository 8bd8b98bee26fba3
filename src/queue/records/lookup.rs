//! The lookup of a stored file: which keys to read, in which order.

use super::file_record::FileRecord;
use super::fingerprint::FileFingerprint;
use crate::credential::UploadAddress;
use crate::error::{ErrorKind, Result};
use crate::units::UnixMillis;
use crate::upload::{Checkpoint, CheckpointSearch, UploadId, UploadPhase, UploadRecord};

/// Finds the upload of a file and its last checkpoint.
///
/// The lookup performs no I/O: the caller reads the key that [`next_key`](Self::next_key) returns
/// and passes its value to [`feed`](Self::feed), until there is no next key.
///
/// ```text
/// file record → upload record → lease, checkpoints (see `CheckpointSearch`)
/// ```
#[derive(Clone, Debug)]
pub struct CheckpointLookup {
    step: Step,
    file: FileRecord,
    record: Option<UploadRecord>,
}

/// The records of a file.
#[derive(Clone, Debug, Default)]
pub struct StoredFile {
    /// Media ID, if known.
    pub media_id: Option<String>,
    /// When the file record was written.
    pub written_at: UnixMillis,
    /// The upload that the file continues, if any.
    pub upload: Option<StoredUpload>,
}

/// A stored upload.
#[derive(Clone, Debug)]
pub struct StoredUpload {
    /// Upload ID.
    pub id: UploadId,
    /// Its record.
    pub record: UploadRecord,
    /// Its last checkpoint.
    pub checkpoint: Checkpoint,
}

#[derive(Clone, Debug)]
enum Step {
    File(String),
    Upload(UploadId),
    Search(UploadId, Box<CheckpointSearch>),
    Done(Option<(UploadId, Box<Checkpoint>)>),
}

impl CheckpointLookup {
    /// Creates a lookup by the fingerprint of a file or, without one, of its known upload.
    #[must_use]
    pub fn new(fingerprint: Option<&FileFingerprint>, upload: Option<&UploadId>) -> Self {
        let step = match (fingerprint, upload) {
            (Some(fingerprint), _) => Step::File(fingerprint.key()),
            (None, Some(upload)) => Step::Upload(upload.clone()),
            (None, None) => Step::Done(None),
        };
        Self { step, file: FileRecord::default(), record: None }
    }

    /// Returns the key to read next, or `None` if the lookup is done.
    #[must_use]
    pub fn next_key(&self) -> Option<String> {
        match &self.step {
            Step::File(key) => Some(key.clone()),
            Step::Upload(upload) => Some(upload.record_key()),
            Step::Search(_, search) => search.next_key(),
            Step::Done(_) => None,
        }
    }

    /// Accepts the value of that key, or `None` if it does not exist.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CheckpointCorrupt`] or [`ErrorKind::CheckpointNewer`] if a record
    /// cannot be decoded.
    pub fn feed(&mut self, value: Option<Vec<u8>>) -> Result<()> {
        let none = Step::Done(None);
        self.step = match (std::mem::replace(&mut self.step, none), value) {
            (Step::File(_), Some(value)) => {
                self.file = FileRecord::decode(&value)?;
                let upload = self.file.upload.as_deref().and_then(UploadId::new);
                upload.map_or(Step::Done(None), Step::Upload)
            }
            (Step::Upload(upload), Some(value)) => {
                self.record = Some(UploadRecord::decode(&value)?);
                let search = CheckpointSearch::new(upload.clone());
                Step::Search(upload, Box::new(search))
            }
            (Step::Search(upload, search), value) => Self::search(upload, search, value)?,
            // The writer of the file record crashed before the records of the upload were written,
            // or while they were being deleted. Nothing was acknowledged.
            (Step::File(_) | Step::Upload(_) | Step::Done(_), _) => Step::Done(None),
        };
        Ok(())
    }

    fn search(
        upload: UploadId,
        mut search: Box<CheckpointSearch>,
        value: Option<Vec<u8>>,
    ) -> Result<Step> {
        match search.feed(value) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UploadNotFound => return Ok(Step::Done(None)),
            Err(error) => return Err(error),
        }
        if search.next_key().is_some() {
            return Ok(Step::Search(upload, search));
        }
        let (_, checkpoint) = search.finish()?;
        Ok(Step::Done(Some((upload, Box::new(checkpoint)))))
    }

    /// Returns the records found.
    #[must_use]
    pub fn finish(self) -> StoredFile {
        let written_at = self.file.written_at();
        let upload = match (self.step, self.record) {
            (Step::Done(Some((id, checkpoint))), Some(record)) => {
                Some(StoredUpload { id, record, checkpoint: *checkpoint })
            }
            _ => None,
        };
        StoredFile { media_id: self.file.media_id, written_at, upload }
    }
}

impl StoredUpload {
    /// Returns the address of the object.
    pub(in crate::queue) fn address(&self) -> UploadAddress {
        let target = &self.record.target;
        UploadAddress {
            endpoint: target.endpoint.clone(),
            bucket: target.bucket.clone(),
            object: target.object.clone(),
        }
    }
}

impl StoredFile {
    /// Returns when the last of the records was written.
    #[must_use]
    pub fn last_written_at(&self) -> UnixMillis {
        let of_upload = self
            .upload
            .as_ref()
            .map(|upload| upload.record.created_at_ms.max(upload.checkpoint.written_at_ms));
        self.written_at.max(UnixMillis(of_upload.unwrap_or_default()))
    }

    /// Returns the upload if it can be resumed or is complete, but not if it was aborted or lost.
    #[must_use]
    pub fn resumable(self) -> Option<StoredUpload> {
        self.upload.filter(|upload| {
            let phase = &upload.checkpoint.phase;
            !matches!(phase, UploadPhase::Aborted | UploadPhase::Lost { .. })
        })
    }

    /// Returns true if no upload and no media ID is known.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.upload.is_none() && self.media_id.is_none()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;
    use crate::upload::{Target, UploadKind};

    #[test]
    fn an_aborted_or_lost_upload_is_not_resumable() {
        let stored = |phase: UploadPhase| StoredFile {
            upload: Some(StoredUpload {
                id: UploadId::new("a").unwrap(),
                record: record(),
                checkpoint: Checkpoint { phase, ..Checkpoint::empty() },
            }),
            ..StoredFile::default()
        };
        assert!(stored(UploadPhase::Receiving).resumable().is_some());
        assert!(stored(UploadPhase::Completing).resumable().is_some());
        assert!(stored(UploadPhase::Aborted).resumable().is_none());
        assert!(stored(UploadPhase::Lost { code: "upload-lost".into() }).resumable().is_none());
    }

    fn record() -> UploadRecord {
        UploadRecord {
            created_at_ms: 1,
            file_name: "a.mp4".into(),
            length_bytes: Some(1),
            media_id: String::new(),
            target: Target {
                endpoint: "https://oss-cn-shanghai.aliyuncs.com".into(),
                bucket: "b".into(),
                object: "o".into(),
                region: None,
                cname: false,
                signature_v1: false,
            },
            content_type: None,
            client_metadata: None,
            credential_from_vod: false,
            kind: UploadKind::Regular,
        }
    }
}
