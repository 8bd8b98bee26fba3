//! The media IDs issued by VOD.

use http::StatusCode;
use serde_json::{Value, json};

use super::response::changed;
use crate::clock::iso_secs;
use crate::http::{Response, json as json_response};
use crate::state::SandboxState;
use crate::store::Media;

/// All media IDs, oldest first, with the parameters of the calls that created them.
pub(super) fn list(state: &SandboxState) -> Response {
    let media: Vec<_> = state.store.all_media().iter().map(describe).collect();
    json_response(StatusCode::OK, &media)
}

/// Deletes a media ID, but not its object.
pub(super) fn delete(state: &SandboxState, id: &str) -> Response {
    changed(state.store.delete_media(id), &format!("media {id}"))
}

fn describe(media: &Media) -> Value {
    json!({
        "id": media.id,
        "kind": media.kind,
        "bucket": media.bucket,
        "key": media.key,
        "parameters": media.parameters,
        "created": iso_secs(media.created),
    })
}
