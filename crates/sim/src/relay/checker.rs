//! The invariants of a run.

use std::collections::BTreeMap;

use vod_uploader::upload::{Lease, UploadId, UploadRecord};

use super::variables::SEAL_KEY;
use crate::world::{Content, SECRET, TOKEN};

/// Bytes of part buffers that one task may hold: parts in flight, one that is filled, and one
/// spare.
const TASK_BUFFER_BYTES_MAX: u64 = 5 * 102_400;

/// Observes every write, every response and every object, and panics if an invariant is violated.
#[derive(Debug, Default)]
pub(crate) struct InvariantChecker {
    /// The bytes of every file and of every partial upload of the run.
    contents: Vec<Content>,
    /// The bytes of each object, as an index into `contents`.
    objects: BTreeMap<String, usize>,
    /// The media ID of each upload.
    media_ids: BTreeMap<String, String>,
    /// The writer of each epoch of each upload.
    writers: BTreeMap<(String, u32), u64>,
    /// The highest offset that was acknowledged to any client, by the path of the upload.
    acknowledged: BTreeMap<String, u64>,
}

impl InvariantChecker {
    /// A client sends these bytes as a file or as a partial upload.
    pub(super) fn expect_content(&mut self, content: &Content) {
        assert!(!self.contents.contains(content), "two files of a run have the same bytes");
        self.contents.push(content.clone());
    }

    /// A record is written: it contains no secret, and an upload has one media asset.
    pub(super) fn observe_write(&mut self, key: &str, value: &[u8]) {
        check_no_secret(key, value);
        if UploadId::from_record_key(key).is_some() {
            let media_id = UploadRecord::decode(value).unwrap().media_id;
            let known = self.media_ids.entry(key.to_owned()).or_insert_with(|| media_id.clone());
            assert_eq!(*known, media_id, "{key} has two media");
        }
    }

    /// A record is written and its writer receives the result: an epoch has one such writer. A
    /// writer whose lease is not confirmed acknowledges nothing.
    pub(super) fn observe_confirmed_write(&mut self, key: &str, value: &[u8]) {
        if let Some(upload) = key.strip_suffix(".lease") {
            let session = Lease::decode(value).unwrap().holder;
            let epoch = (upload.to_owned(), session.epoch);
            let writer = *self.writers.entry(epoch).or_insert(session.writer);
            assert_eq!(
                writer, session.writer,
                "epoch {} of {upload} has two writers",
                session.epoch
            );
        }
    }

    /// An object is stored: it has exactly the bytes of one client, and never those of another.
    pub(super) fn observe_object(&mut self, key: &str, bytes: &[u8]) {
        let content = self.contents.iter().position(|content| content.bytes() == bytes);
        let Some(content) = content else {
            panic!("{key} has {} bytes that no client has sent as a file", bytes.len());
        };
        let known = *self.objects.entry(key.to_owned()).or_insert(content);
        assert_eq!(known, content, "{key} is overwritten with another file");
    }

    /// The offset below which no later response for `path` may report the upload.
    pub(super) fn acknowledged(&self, path: &str) -> u64 {
        self.acknowledged.get(path).copied().unwrap_or(0)
    }

    /// A response reports `offset`, to a request that was sent when `floor` was acknowledged.
    pub(super) fn observe_offset(&mut self, path: &str, floor: u64, offset: u64) {
        assert!(offset >= floor, "{path} regresses from {floor} to {offset}");
        let acknowledged = self.acknowledged.entry(path.to_owned()).or_insert(0);
        *acknowledged = offset.max(*acknowledged);
    }

    /// Checks that a response to a client has no secret.
    pub(super) fn observe_response(headers: &[(String, String)], body: &[u8]) {
        for (name, value) in headers {
            check_no_secret(name, value.as_bytes());
        }
        check_no_secret("a response", body);
    }

    /// Checks the part buffers of an instance with `tasks` tasks.
    pub(super) fn check_memory(&self, held_bytes: u64, tasks: u64) {
        let budget = tasks * TASK_BUFFER_BYTES_MAX;
        assert!(held_bytes <= budget, "{tasks} tasks hold {held_bytes} bytes of part buffers");
    }
}

fn check_no_secret(place: &str, bytes: &[u8]) {
    for secret in [SECRET, TOKEN, SEAL_KEY] {
        let first = secret.as_bytes()[0];
        let found = bytes
            .iter()
            .enumerate()
            .any(|(at, byte)| *byte == first && bytes[at..].starts_with(secret.as_bytes()));
        assert!(!found, "{place} has a secret");
    }
}
