//! What a request says about uploads: which one it concerns, and which ones it may end.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use vod_uploader::units::UnixMillis;

use super::message::{Reply, Request};

/// A request that has been sent.
#[derive(Clone, Debug)]
pub(super) struct SentRequest {
    method: &'static str,
    /// The ID of the upload that the request concerns.
    pub(super) upload: Option<String>,
    is_filepond: bool,
    pub(super) sent_at: UnixMillis,
    /// The offset of the first byte of the request.
    offset: Option<u64>,
    /// The offset of the upload that was acknowledged before.
    pub(super) floor: u64,
    /// Whether the request creates an upload that continues a media asset.
    pub(super) is_continuation: bool,
}

impl SentRequest {
    /// `request`, sent at `sent_at`.
    pub(super) fn new(request: &Request, sent_at: UnixMillis) -> Self {
        Self {
            method: request.method(),
            upload: upload_id(request.path()).map(str::to_owned),
            is_filepond: request.path().starts_with("/v1/filepond"),
            sent_at,
            offset: request.header("upload-offset").map(|offset| offset.parse().unwrap()),
            floor: 0,
            is_continuation: continued_media(request).is_some(),
        }
    }

    /// The ID of the upload that the request has created.
    pub(super) fn created_by(&self, reply: &Reply) -> Option<String> {
        if self.method != "POST" || self.upload.is_some() || reply.is_gone() {
            return None;
        }
        if self.is_filepond {
            return (reply.status == 201).then(|| reply.text().to_owned());
        }
        reply.header("location").and_then(upload_id).map(str::to_owned)
    }

    /// The ID of an upload and the offset that `reply` reports for it.
    pub(super) fn reported_by(&self, reply: &Reply) -> Option<(String, u64)> {
        let id = self.upload.clone().or_else(|| self.created_by(reply))?;
        let offset = match reply.offset() {
            None if self.method == "GET" && reply.status == 200 => {
                reply.json()["bytes_durable"].as_u64()
            }
            // FilePond continues at the start of a chunk, which may be before what is durable.
            offset => offset.filter(|_| !self.is_filepond || reply.status == 204),
        };
        Some((id, offset?))
    }

    /// Returns `true` if bytes of the request are stored, which renews the upload.
    pub(super) fn has_stored(&self, reply: &Reply) -> bool {
        // FilePond repeats chunks that are stored.
        self.method == "PATCH" && !self.is_filepond && reply.offset() > self.offset
    }
}

/// The ID of the upload at `path`, without an action; `None` if it is not that of an upload.
pub(super) fn upload_id(path: &str) -> Option<&str> {
    let mut segments = path.split('/');
    let is_upload = segments.next() == Some("")
        && segments.next() == Some("v1")
        && matches!(segments.next(), Some("files" | "filepond"));
    segments.next().filter(|id| is_upload && !id.is_empty())
}

/// The media asset that the upload of a creation continues.
pub(super) fn continued_media(request: &Request) -> Option<String> {
    if request.header("upload-media-token").is_some() {
        return request.header("upload-media-id").map(str::to_owned);
    }
    let metadata = request.header("upload-metadata")?;
    let has_token = metadata.split(',').any(|pair| pair.starts_with("media_token "));
    let id = metadata.split(',').find_map(|pair| pair.strip_prefix("media_id "));
    let id = id.filter(|_| has_token).map(|id| STANDARD.decode(id).unwrap());
    id.map(|id| String::from_utf8(id).unwrap())
}
