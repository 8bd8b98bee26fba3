//! The progress of an upload as its records have it.

use vod_uploader::upload::{Checkpoint, CheckpointSearch, UploadId, UploadPhase};

use crate::world::KeyValueStore;

/// The offset in the last checkpoint of an upload that has not been aborted or lost. A chunked file
/// of FilePond without its first chunk has no checkpoint.
pub(super) fn stored_offset(kv: &KeyValueStore, id: &str) -> Option<u64> {
    let id = UploadId::new(id)?;
    if !kv.values.contains_key(&id.record_key()) {
        return Some(0);
    }
    let checkpoint = last_checkpoint(kv, id)?;
    match checkpoint.phase {
        UploadPhase::Completed(object) => Some(object.size_bytes),
        UploadPhase::Receiving | UploadPhase::Completing => {
            let tail = checkpoint.tail.map_or(0, |tail| u64::from(tail.len_bytes));
            Some(checkpoint.parts_bytes + tail)
        }
        UploadPhase::Aborted | UploadPhase::Lost { .. } => None,
    }
}

/// The last checkpoint of an upload.
pub(super) fn last_checkpoint(kv: &KeyValueStore, id: UploadId) -> Option<Checkpoint> {
    search(kv, id).finish().ok().map(|(_, checkpoint)| checkpoint)
}

/// The last epoch of an upload that has a competitor.
pub(super) fn current_epoch(kv: &KeyValueStore, id: UploadId) -> u32 {
    search(kv, id).current_epoch()
}

fn search(kv: &KeyValueStore, id: UploadId) -> CheckpointSearch {
    let mut search = CheckpointSearch::new(id);
    while let Some(key) = search.next_key()
        && search.feed(kv.values.get(&key).cloned()).is_ok()
    {}
    search
}
