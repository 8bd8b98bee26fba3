//! `GET /v1/files/{id}`: the state of an upload as JSON.

use ::http::StatusCode;
use serde::Serialize;

use super::Response;
use crate::crc64::Crc64;
use crate::timestamp::iso8601_extended;
use crate::units::{ByteCount, UnixMillis};
use crate::upload::{Checkpoint, UploadKind, UploadPhase, UploadRecord};

/// The state of an upload, read from its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadStatus {
    /// The upload record.
    pub record: UploadRecord,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// Whether its owner has paused it.
    pub paused: bool,
    /// When it expires unless bytes arrive before; `None`: it does not expire.
    pub expires_at: Option<UnixMillis>,
    /// Whether it has expired.
    pub expired: bool,
}

impl UploadStatus {
    /// The acknowledged offset.
    #[must_use]
    pub fn durable(&self) -> ByteCount {
        self.checkpoint.durable()
    }

    /// The length of the file, if the client has declared it or the object is complete.
    #[must_use]
    pub fn length(&self) -> Option<ByteCount> {
        let declared = self.record.length().or(self.checkpoint.length_bytes.map(ByteCount));
        match &self.checkpoint.phase {
            UploadPhase::Completed(object) => declared.or(Some(ByteCount(object.size_bytes))),
            _ => declared,
        }
    }

    /// Returns true if the object is complete.
    #[must_use]
    pub const fn is_completed(&self) -> bool {
        matches!(self.checkpoint.phase, UploadPhase::Completed(_))
    }

    /// Returns true if the upload has ended.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        matches!(
            self.checkpoint.phase,
            UploadPhase::Completed(_) | UploadPhase::Aborted | UploadPhase::Lost { .. }
        )
    }

    /// The stable name of its state.
    #[must_use]
    pub const fn state(&self) -> &'static str {
        match self.checkpoint.phase {
            UploadPhase::Receiving if self.expired => "expired",
            UploadPhase::Receiving if self.paused => "paused",
            UploadPhase::Receiving => "receiving",
            UploadPhase::Completing => "completing",
            UploadPhase::Completed(_) => "completed",
            UploadPhase::Aborted => "aborted",
            UploadPhase::Lost { .. } => "lost",
        }
    }

    /// The response to GET.
    #[must_use]
    pub fn response(&self) -> Response {
        Response::json(StatusCode::OK, &self.to_body())
    }

    /// The body of the response to GET.
    pub(super) fn to_body(&self) -> StatusBody<'_> {
        StatusBody {
            bucket: &self.record.target.bucket,
            bytes_durable: self.durable().bytes(),
            bytes_total: self.length().map(ByteCount::bytes),
            crc64: match &self.checkpoint.phase {
                UploadPhase::Completed(object) => Some(Crc64(object.crc64).to_string()),
                _ => None,
            },
            expires_at: self.expires_at.map(iso8601_extended),
            file_name: &self.record.file_name,
            media_id: &self.record.media_id,
            object: &self.record.target.object,
            parts: self.checkpoint.part_count,
            reason: match &self.checkpoint.phase {
                UploadPhase::Lost { code } => Some(code),
                _ => None,
            },
            role: match &self.record.kind {
                UploadKind::Regular => "whole",
                UploadKind::Partial => "partial",
                UploadKind::Final { .. } => "final",
            },
            state: self.state(),
        }
    }
}

/// The state of an upload as a JSON object. Members that are unknown are `null`.
#[derive(Serialize)]
pub(super) struct StatusBody<'a> {
    bucket: &'a str,
    bytes_durable: u64,
    bytes_total: Option<u64>,
    crc64: Option<String>,
    expires_at: Option<String>,
    file_name: &'a str,
    media_id: &'a str,
    object: &'a str,
    parts: u16,
    reason: Option<&'a str>,
    role: &'static str,
    state: &'static str,
}
