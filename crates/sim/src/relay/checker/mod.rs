//! The invariants of a run.

mod history;
mod lifetimes;
mod secrets;
mod stored_progress;

use std::collections::BTreeMap;
use std::time::Duration;

use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{Lease, UploadId, UploadRecord};

pub(super) use self::history::{History, split_key};
pub use self::lifetimes::EndCause;
use self::lifetimes::Lifetimes;
use self::secrets::Secrets;
use self::stored_progress::stored_offset;
use super::message::{Reply, Request};
use super::sent::{SentRequest, continued_media, upload_id};
use crate::world::{Content, KeyValueStore};

/// Bytes of part buffers that one task may hold: parts in flight, one that is filled, and one
/// spare.
const TASK_BUFFER_BYTES_MAX: u64 = 5 * 102_400;

/// Observes every write, every response and every object, and panics if an invariant is violated.
#[derive(Debug)]
pub(crate) struct InvariantChecker {
    /// How long an upload without new bytes is kept at least.
    ttl_min: Duration,
    /// The bytes of every file and of every partial upload of the run.
    contents: Vec<Content>,
    /// The bytes of each object, as an index into `contents`.
    objects: BTreeMap<String, usize>,
    /// The media ID of each upload.
    media_ids: BTreeMap<String, String>,
    /// The writer of each epoch of each upload.
    writers: BTreeMap<(String, u32), u64>,
    /// The highest offset that was acknowledged to any client, by the ID of the upload.
    acknowledged: BTreeMap<String, u64>,
    lifetimes: Lifetimes,
    secrets: Secrets,
    history: History,
}

impl InvariantChecker {
    /// A checker of a run in which an upload without new bytes is kept for at least `ttl_min`.
    pub(super) fn new(ttl_min: Duration) -> Self {
        Self {
            ttl_min,
            contents: Vec::new(),
            objects: BTreeMap::new(),
            media_ids: BTreeMap::new(),
            writers: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            lifetimes: Lifetimes::default(),
            secrets: Secrets::default(),
            history: History::default(),
        }
    }

    /// A client sends these bytes as a file or as a partial upload.
    pub(super) fn expect_content(&mut self, content: &Content) {
        assert!(!self.contents.contains(content), "two files of a run have the same bytes");
        self.contents.push(content.clone());
    }

    /// A record is written: it contains no secret, and an upload has one media asset.
    pub(super) fn observe_write(&mut self, key: &str, value: &[u8], now: UnixMillis) {
        self.history.observe_write(key, value, now);
        self.secrets.check_record(key, value);
        if let Some(id) = UploadId::from_record_key(key) {
            let record = UploadRecord::decode(value).unwrap();
            let media_id = record.media_id.clone();
            let known = self.media_ids.entry(key.to_owned()).or_insert_with(|| media_id.clone());
            assert_eq!(*known, media_id, "{key} has two media IDs");
            self.lifetimes.observe_record(&id, record);
        }
    }

    /// A key is deleted, whether or not it exists.
    pub(super) fn observe_deletion_attempt(&mut self, key: &str, now: UnixMillis) {
        self.history.observe_deletion_attempt(key, now);
    }

    /// Checks a line of the log.
    pub(super) fn check_log(&self, line: &str) {
        self.secrets.check_log(line);
    }

    /// A key is deleted: the record of an upload that a client knows only for a reason.
    pub(super) fn observe_deletion(&mut self, key: &str, kv: &KeyValueStore, now: UnixMillis) {
        self.history.observe_deletion(key, kv, now);
        let Some(id) = UploadId::from_record_key(key) else { return };
        if self.lifetimes.is_known(id.as_str()) {
            let cause = self.end_cause(id.as_str(), now);
            assert!(cause.is_some(), "{key} is deleted without a reason");
        }
        self.lifetimes.observe_end(id.as_str(), now);
    }

    /// A record is written and its writer receives the result: an epoch has one such writer. A
    /// writer whose lease is not confirmed acknowledges nothing, nor does a writer of an upload
    /// whose records are deleted.
    pub(super) fn observe_confirmed_write(&mut self, key: &str, value: &[u8], kv: &KeyValueStore) {
        if let Some(upload) = key.strip_suffix(".lease")
            && kv.values.contains_key(&format!("{upload}.upload"))
        {
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

    /// An object is stored by a request that was sent at `sent_at`: it has exactly the bytes of one
    /// client, and never those of another.
    pub(super) fn observe_object(&mut self, key: &str, bytes: &[u8], sent_at: UnixMillis) {
        self.history.observe_object(key, sent_at);
        let content = self.contents.iter().position(|content| content.bytes() == bytes);
        let Some(content) = content else {
            panic!("{key} has {} bytes that no client has sent as a file", bytes.len());
        };
        let known = *self.objects.entry(key.to_owned()).or_insert(content);
        assert_eq!(known, content, "{key} is overwritten with another file");
        self.lifetimes.observe_object(key);
    }

    /// An object is deleted.
    pub(super) fn observe_object_deletion(&mut self, key: &str, now: UnixMillis) {
        self.history.observe_object_deletion(key, now);
    }

    /// An instance crashes, an operation fails or is slow, or a request is aborted.
    pub(super) const fn observe_disturbance(&mut self) {
        self.history.observe_disturbance();
    }

    /// What has happened to the records and objects.
    pub(super) const fn history(&self) -> &History {
        &self.history
    }

    /// The offset below which no later response may report the upload.
    pub(super) fn acknowledged(&self, id: &str) -> u64 {
        self.acknowledged.get(id).copied().unwrap_or(0)
    }

    /// A response reports `offset`, to a request that was sent when `floor` was acknowledged.
    pub(super) fn observe_offset(&mut self, id: &str, floor: u64, offset: u64) {
        assert!(offset >= floor, "{id} regresses from {floor} to {offset}");
        let acknowledged = self.acknowledged.entry(id.to_owned()).or_insert(0);
        *acknowledged = offset.max(*acknowledged);
    }

    /// A client sends a request, which may end uploads.
    pub(super) fn observe_request(&mut self, request: &Request) {
        if request.method() == "DELETE"
            && let Some(id) = upload_id(request.path())
        {
            self.lifetimes.observe_termination(id);
        }
        if let Some(media_id) = continued_media(request) {
            self.lifetimes.observe_continuation(&media_id);
        }
    }

    /// A client receives a response. It contains no secret, an acknowledged offset does not
    /// decrease, and an upload is gone only for a reason.
    pub(super) fn observe_response(
        &mut self,
        sent: &SentRequest,
        reply: &Reply,
        kv: &KeyValueStore,
        now: UnixMillis,
    ) {
        for (name, value) in reply.headers() {
            self.secrets.check_response(name, value.as_bytes());
        }
        self.check_body(reply.body());
        if let Some(token) = reply.header("media-token") {
            self.secrets.add_media_token(token);
        }
        if let Some(id) = sent.created_by(reply) {
            self.lifetimes.observe_creation(&id, sent.sent_at, sent.is_continuation);
            self.check_acknowledged(&id, kv, now);
        }
        let Some((id, offset)) = sent.reported_by(reply) else {
            if let (Some(id), true) = (&sent.upload, reply.is_gone()) {
                self.observe_gone(id, now);
            }
            return;
        };
        self.observe_offset(&id, sent.floor, offset);
        if sent.has_stored(reply) {
            self.lifetimes.observe_renewal(&id, sent.sent_at, now, self.ttl_min);
            self.check_acknowledged(&id, kv, now);
        }
    }

    /// A client reads that an upload is gone.
    pub(super) fn observe_gone(&mut self, id: &str, now: UnixMillis) {
        assert!(self.end_cause(id, now).is_some(), "{id} is gone without a reason");
        self.lifetimes.observe_end(id, now);
    }

    /// Checks that an upload exists that a response has acknowledged.
    fn check_acknowledged(&self, id: &str, kv: &KeyValueStore, now: UnixMillis) {
        assert!(
            exists(kv, id) || self.end_cause(id, now).is_some(),
            "{id} is acknowledged, but does not exist"
        );
    }

    /// A client starts again, because one of `ids` is gone.
    pub(super) fn observe_restart<'a>(
        &mut self,
        ids: impl IntoIterator<Item = &'a str>,
        now: UnixMillis,
    ) {
        let cause = ids.into_iter().find_map(|id| self.end_cause(id, now));
        let cause = cause.expect("a client starts again although its uploads exist");
        self.lifetimes.observe_restart(cause);
    }

    /// How often clients have started again, by cause.
    pub(super) const fn restarts(&self) -> &BTreeMap<EndCause, u64> {
        self.lifetimes.restarts()
    }

    /// Checks that every upload that a client knows exists with all acknowledged bytes, unless it
    /// has ended for a reason.
    pub(super) fn check_known_uploads(&self, kv: &KeyValueStore, now: UnixMillis) {
        for id in self.lifetimes.known() {
            if self.end_cause(id, now).is_some() {
                continue;
            }
            assert!(exists(kv, id), "{id} has disappeared");
            let (acknowledged, stored) = (self.acknowledged(id), stored_offset(kv, id));
            assert!(
                stored >= Some(acknowledged),
                "{stored:?} bytes of {id} are stored, and {acknowledged} are acknowledged"
            );
        }
    }

    /// Checks that the body of a response has no secret.
    pub(super) fn check_body(&self, body: &[u8]) {
        self.secrets.check_response("the body", body);
    }

    /// Checks that a request to OSS or VOD has no secret that it need not have.
    pub(super) fn check_request(&self, request: &vod_uploader::oss::Request) {
        self.secrets.check_request(request);
    }

    fn end_cause(&self, id: &str, now: UnixMillis) -> Option<EndCause> {
        self.lifetimes.end_cause(id, now, self.ttl_min)
    }

    /// Checks the part buffers of an instance with `tasks` tasks.
    pub(super) fn check_memory(&self, held_bytes: u64, tasks: u64) {
        let budget = tasks * TASK_BUFFER_BYTES_MAX;
        assert!(held_bytes <= budget, "{tasks} tasks hold {held_bytes} bytes of part buffers");
    }
}

/// Returns `true` if requests find the upload.
fn exists(kv: &KeyValueStore, id: &str) -> bool {
    ["upload", "filepond"].iter().any(|kind| kv.values.contains_key(&format!("u.{id}.{kind}")))
}
