//! `GET /v1/files/{id}`: an upload's state as JSON.

use serde_json::json;

use super::Response;
use crate::crc64::Crc64;
use crate::units::ByteCount;
use crate::upload::{Checkpoint, Phase, UploadRecord};

/// How an upload stands, as its records say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadStatus {
    /// What it is.
    pub record: UploadRecord,
    /// How far it is.
    pub checkpoint: Checkpoint,
}

impl UploadStatus {
    /// The acknowledged offset.
    #[must_use]
    pub fn durable(&self) -> ByteCount {
        self.checkpoint.durable()
    }

    /// The stable word for its phase.
    #[must_use]
    pub const fn state(&self) -> &'static str {
        match self.checkpoint.phase {
            Phase::Receiving => "receiving",
            Phase::Completing => "completing",
            Phase::Completed(_) => "completed",
            Phase::Aborted => "aborted",
            Phase::Lost { .. } => "lost",
        }
    }

    /// The answer.
    #[must_use]
    pub fn response(&self) -> Response {
        let crc64 = match &self.checkpoint.phase {
            Phase::Completed(object) => Some(Crc64(object.crc64).to_string()),
            _ => None,
        };
        let reason = match &self.checkpoint.phase {
            Phase::Lost { code } => Some(code.as_str()),
            _ => None,
        };
        let body = json!({
            "state": self.state(),
            "reason": reason,
            "bytes_durable": self.durable().bytes(),
            "bytes_total": self.record.length_bytes,
            "parts": self.checkpoint.part_count,
            "file_name": self.record.file_name,
            "media_id": self.record.media_id,
            "bucket": self.record.target.bucket,
            "object": self.record.target.object,
            "crc64": crc64,
        });
        Response::json(200, &body)
    }
}
