//! Multipart uploads on OSS: those that the queue has recorded, and those that may be left.

use std::collections::{BTreeMap, BTreeSet};

use crate::world::{KeyValueStore, ServiceCall, Store, crc64};

/// The multipart uploads of a run.
#[derive(Debug, Default)]
pub(super) struct MultipartUploads {
    /// Name of the file of each upload that the queue knows.
    known: BTreeMap<String, String>,
    /// Uploads of which the queue has reported that nothing is left.
    reported_gone: BTreeSet<String>,
    /// Whether an upload may be left that the queue does not know, or by contract.
    orphans_allowed: bool,
    /// CRC-64 of the bytes with which each part of an upload was sent first.
    parts: BTreeMap<(String, String), u64>,
}

impl MultipartUploads {
    /// The response to InitiateMultipartUpload has arrived.
    pub(super) fn created(&mut self, id: &str, name: &str) {
        self.remove(name);
        self.known.insert(id.to_owned(), name.to_owned());
    }

    pub(super) const fn allow_orphans(&mut self) {
        self.orphans_allowed = true;
    }

    /// Parts of a file are left, by contract.
    pub(super) fn allow_orphans_of(&mut self, name: &str) {
        self.remove(name);
        self.orphans_allowed = true;
    }

    /// Any upload may be left, by contract.
    pub(super) fn clear(&mut self) {
        self.known.clear();
    }

    /// The file is uploaded: its upload is gone.
    pub(super) fn remove(&mut self, name: &str) {
        self.known.retain(|_, of| of != name);
    }

    /// The queue has crashed: the next one knows what the key-value store has.
    pub(super) fn retain_stored(&mut self, kv: &KeyValueStore) {
        let is_stored = |id: &String| {
            let has = |value: &Vec<u8>| value.windows(id.len()).any(|part| part == id.as_bytes());
            kv.values.values().any(has)
        };
        self.known.retain(|id, _| is_stored(id));
        self.orphans_allowed = true;
    }

    /// The file is canceled, and the queue reports that nothing is left of it.
    pub(super) fn canceled(&mut self, name: &str) {
        let of_file = |(id, of): (&String, &String)| (of == name).then(|| id.clone());
        self.reported_gone.extend(self.known.iter().filter_map(of_file));
        self.remove(name);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Checks that a part number is always sent with the same bytes.
    pub(super) fn observe_call(&mut self, call: &ServiceCall) {
        let ServiceCall::Send { body: Some(body), .. } = call else { return };
        let Some(part) = call.part() else { return };
        let crc = crc64(body);
        let first = *self.parts.entry(part.clone()).or_insert(crc);
        assert_eq!(crc, first, "part {part:?} is sent with other bytes than before");
    }

    /// Checks that no part of an upload is left that was reported as gone. An upload without parts
    /// may be left.
    pub(super) fn check_reported_gone(&self, store: &Store) {
        for id in &self.reported_gone {
            let has_parts = store.uploads.get(id).is_some_and(|parts| !parts.is_empty());
            assert!(!has_parts, "parts of {id} are left and were reported as deleted");
        }
    }

    /// Checks that nothing is left, once every file is uploaded or canceled.
    pub(super) fn check_nothing_left(&self, store: &Store) {
        assert!(
            self.orphans_allowed || store.uploads.is_empty(),
            "multipart uploads are left: {:?}",
            store.uploads.keys()
        );
    }
}
