//! The records of the store.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A stored object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) size_bytes: u64,
    /// Upper-case hex without quotes; for a multipart object followed by `-` and the part count.
    pub(crate) etag: String,
    pub(crate) crc64: u64,
    /// `Content-Type`, `Cache-Control`, `x-oss-meta-*` and the like, as sent.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) modified: Timestamp,
    /// The bodies that make up the object, in order.
    pub(crate) segments: Vec<Segment>,
    /// Whether it was created by a multipart upload.
    pub(crate) multipart: bool,
}

/// One body of an object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Segment {
    /// `None` if bodies are discarded.
    pub(crate) body: Option<String>,
    pub(crate) size_bytes: u64,
}

/// An open multipart upload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) id: String,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) initiated: Timestamp,
    /// The headers of the future object.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) parts: BTreeMap<u16, Part>,
}

/// A stored part.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    /// 1 to 10,000.
    pub(crate) number: u16,
    pub(crate) size_bytes: u64,
    /// Upper-case hex without quotes.
    pub(crate) etag: String,
    pub(crate) crc64: u64,
    pub(crate) modified: Timestamp,
    /// `None` if bodies are discarded.
    pub(crate) body: Option<String>,
}

/// A media ID and the object to upload for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Media {
    pub(crate) id: String,
    pub(crate) kind: MediaKind,
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// The parameters of the call, without credentials.
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) created: Timestamp,
}

/// The kind of a media ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MediaKind {
    /// Video or audio; its upload credential can be refreshed.
    Video,
    /// An image.
    Image,
    /// A watermark, subtitle or material.
    Attached,
}

/// A job of UploadMediaByURL.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct UrlJob {
    pub(crate) id: String,
    /// The URL, decoded.
    pub(crate) source_url: String,
    pub(crate) status: UrlJobStatus,
    /// The media ID of a successful job.
    pub(crate) media_id: Option<String>,
    pub(crate) file_size_bytes: Option<u64>,
    pub(crate) error_code: Option<String>,
    pub(crate) error_message: Option<String>,
    /// The parameters of the call that queued it, without credentials.
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) created: Timestamp,
    pub(crate) completed: Option<Timestamp>,
}

/// The status of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum UrlJobStatus {
    /// Queued; it can be canceled.
    Pending,
    /// In progress.
    Processing,
    /// Finished with a media ID.
    Success,
    /// Finished without one.
    Fail,
    /// Canceled. The vendor does not document the name of this status.
    Canceled,
}
