//! Media ids that VOD gave out.

use http::StatusCode;
use serde_json::{Value, json};

use super::response::changed;
use crate::clock::iso_secs;
use crate::http::{Reply, json as json_reply};
use crate::state::SandboxState;
use crate::store::Media;

/// All media ids, the oldest first, with the parameters of the calls that made them.
pub(super) fn list(state: &SandboxState) -> Reply {
    let media: Vec<_> = state.store.all_media().iter().map(describe).collect();
    json_reply(StatusCode::OK, &media)
}

/// Deletes a media id: RefreshUploadVideo knows it no longer. Its object stays.
pub(super) fn delete(state: &SandboxState, id: &str) -> Reply {
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
