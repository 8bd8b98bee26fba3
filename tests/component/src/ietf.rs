//! A client of the worker for the IETF's resumable uploads.

use std::io;

use vod_uploader_wire::Headers;
use vod_uploader_wire::Response;
use vod_uploader_wire::ietf::Draft;

use crate::body::Body;
use crate::edge::Edge;
use crate::tus::Upload;

/// POST of a new upload called `clip.mp4`.
///
/// # Panics
/// If no response arrives.
#[must_use]
pub fn create(
    draft: Draft,
    edge: &Edge,
    complete: bool,
    more: Headers<'_>,
    body: &Body<'_>,
) -> Response {
    let creation = draft
        .creation("POST", "/v1/files", complete)
        .header("content-disposition", "inline; filename=\"clip.mp4\"")
        .headers(more);
    body.send(&edge.client(), creation).expect("a response")
}

/// The upload that a POST without content creates.
///
/// # Panics
/// If the worker rejects it.
#[must_use]
pub fn create_empty(draft: Draft, edge: &Edge) -> Upload {
    Upload::from_response(&create(draft, edge, false, &[], &Body::Bytes(b"")))
}

/// PATCH.
///
/// # Errors
/// Returns an error if no complete response arrives.
pub fn append(
    draft: Draft,
    edge: &Edge,
    upload: &Upload,
    (offset, complete): (u64, bool),
    more: Headers<'_>,
    body: &Body<'_>,
) -> io::Result<Response> {
    let patch = draft.patch(&upload.path, offset, complete).headers(more);
    body.send(&edge.client(), patch)
}

/// HEAD.
///
/// # Panics
/// If no response arrives.
#[must_use]
pub fn head(draft: Draft, edge: &Edge, upload: &Upload) -> Response {
    edge.client().send(&draft.request("HEAD", &upload.path)).expect("a response")
}

/// DELETE.
///
/// # Panics
/// If no response arrives.
#[must_use]
pub fn delete(draft: Draft, edge: &Edge, upload: &Upload) -> Response {
    edge.client().send(&draft.request("DELETE", &upload.path)).expect("a response")
}
