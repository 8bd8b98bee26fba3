//! `GET /v1/files/{id}`: an upload's state as JSON.

use serde_json::json;

use super::Response;
use crate::crc64::Crc64;
use crate::timestamp::iso8601_extended;
use crate::units::{ByteCount, UnixMillis};
use crate::upload::{Checkpoint, Phase, Role, UploadRecord};

/// How an upload stands, as its records say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadStatus {
    /// What it is.
    pub record: UploadRecord,
    /// How far it is.
    pub checkpoint: Checkpoint,
    /// True where its owner has paused it.
    pub paused: bool,
    /// When it is given up, unless bytes come before; `None`: it is kept for ever.
    pub expires_at: Option<UnixMillis>,
    /// True where that has passed.
    pub expired: bool,
}

impl UploadStatus {
    /// The acknowledged offset.
    #[must_use]
    pub fn durable(&self) -> ByteCount {
        self.checkpoint.durable()
    }

    /// The whole length, once the client has declared it or the object is whole.
    #[must_use]
    pub fn length(&self) -> Option<ByteCount> {
        let declared = self.record.length().or(self.checkpoint.length_bytes.map(ByteCount));
        match &self.checkpoint.phase {
            Phase::Completed(object) => declared.or(Some(ByteCount(object.size_bytes))),
            _ => declared,
        }
    }

    /// True where the object is whole.
    #[must_use]
    pub const fn is_completed(&self) -> bool {
        matches!(self.checkpoint.phase, Phase::Completed(_))
    }

    /// True where nothing is to come any more.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        matches!(self.checkpoint.phase, Phase::Completed(_) | Phase::Aborted | Phase::Lost { .. })
    }

    /// The stable word for its phase.
    #[must_use]
    pub const fn state(&self) -> &'static str {
        match self.checkpoint.phase {
            Phase::Receiving if self.expired => "expired",
            Phase::Receiving if self.paused => "paused",
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
        Response::json(200, &self.to_json())
    }

    /// The state as a JSON object.
    pub(super) fn to_json(&self) -> serde_json::Value {
        let crc64 = match &self.checkpoint.phase {
            Phase::Completed(object) => Some(Crc64(object.crc64).to_string()),
            _ => None,
        };
        let reason = match &self.checkpoint.phase {
            Phase::Lost { code } => Some(code.as_str()),
            _ => None,
        };
        let role = match &self.record.role {
            Role::Whole => "whole",
            Role::Partial => "partial",
            Role::Final { .. } => "final",
        };
        json!({
            "state": self.state(),
            "reason": reason,
            "role": role,
            "bytes_durable": self.durable().bytes(),
            "bytes_total": self.length().map(ByteCount::bytes),
            "parts": self.checkpoint.part_count,
            "file_name": self.record.file_name,
            "media_id": self.record.media_id,
            "bucket": self.record.target.bucket,
            "object": self.record.target.object,
            "crc64": crc64,
            "expires_at": self.expires_at.map(iso8601_extended),
        })
    }
}
