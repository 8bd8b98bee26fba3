//! Open uploads and request counts.

use http::StatusCode;
use serde_json::{Value, json};

use super::response::changed;
use crate::clock::oss_time;
use crate::http::{Response, json as json_response};
use crate::state::SandboxState;
use crate::store::Upload;

/// All open uploads with their parts.
pub(super) fn list(state: &SandboxState) -> Response {
    let uploads: Vec<_> = state.store.uploads().iter().map(describe).collect();
    json_response(StatusCode::OK, &uploads)
}

/// Counts by operation, and the open uploads.
pub(super) fn requests(state: &SandboxState) -> Response {
    let open: Vec<_> = state
        .store
        .uploads()
        .into_iter()
        .map(|upload| json!({ "upload_id": upload.id, "bucket": upload.bucket, "key": upload.key }))
        .collect();
    json_response(
        StatusCode::OK,
        &json!({ "operations": state.counters.snapshot(), "open_uploads": open }),
    )
}

/// Deletes an upload, as an abort or a lifecycle rule of OSS does.
pub(super) fn delete(state: &SandboxState, id: &str) -> Response {
    changed(state.store.abort_upload(id), &format!("open upload {id}"))
}

fn describe(upload: &Upload) -> Value {
    let parts: Vec<_> = upload
        .parts
        .values()
        .map(|part| {
            json!({
                "number": part.number,
                "size": part.size_bytes,
                "etag": part.etag,
                // As a string: JavaScript numbers lose the low bits.
                "crc64": part.crc64.to_string(),
            })
        })
        .collect();
    json!({
        "upload_id": upload.id,
        "bucket": upload.bucket,
        "key": upload.key,
        "initiated": oss_time(upload.initiated),
        "parts": parts,
    })
}
