//! The records of the upload: the one that every session gets, and what is stored.

use vod_uploader::upload::{
    Checkpoint, CheckpointSearch, Target, UploadId, UploadKind, UploadRecord,
};

use crate::world::{BUCKET, ENDPOINT, KeyValueStore, START};

/// The object key of the upload.
pub const OBJECT: &str = "sv/1a2b-3c/film.mp4";

/// The ID of the upload.
#[must_use]
pub fn upload_id() -> UploadId {
    UploadId::new("0123abcd").unwrap()
}

/// The upload record.
pub(super) fn upload_record(length_bytes: Option<u64>) -> UploadRecord {
    UploadRecord {
        created_at_ms: START.0,
        file_name: "film.mp4".into(),
        length_bytes,
        media_id: "d8a1".into(),
        target: Target {
            endpoint: ENDPOINT.into(),
            bucket: BUCKET.into(),
            object: OBJECT.into(),
            region: None,
            cname: false,
            signature_v1: false,
        },
        content_type: Some("video/mp4".into()),
        client_metadata: None,
        credential_from_vod: false,
        kind: UploadKind::Regular,
    }
}

/// Returns `true` if a request can find the upload: from its first lease on.
pub(super) fn is_created(kv: &KeyValueStore) -> bool {
    kv.values.contains_key(&upload_id().lease_key())
}

/// The last checkpoint, and whether a response may report it.
pub(super) fn find_checkpoint(kv: &KeyValueStore) -> (Checkpoint, bool) {
    let mut search = CheckpointSearch::new(upload_id());
    while let Some(key) = search.next_key() {
        search.feed(kv.values.get(&key).cloned()).unwrap();
    }
    let is_conclusive = search.is_conclusive();
    (search.finish().unwrap().1, is_conclusive)
}
