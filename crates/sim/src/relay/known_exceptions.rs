//! Known leftovers of a run, each with its reason. Runs count them; nothing else may be left.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use vod_uploader::units::UnixMillis;
use vod_uploader::upload::UploadId;

use super::checker::{History, split_key};
use crate::world::World;

/// How long before the deletion of an upload record VOD may have rejected the worker's token.
const REJECTION_AGE_MAX: Duration = Duration::from_secs(60);

/// How long a deletion may take from the read of the lease to the deletion of the upload record.
const DELETION_TIME_MAX: Duration = Duration::from_secs(10);

/// The largest difference between the clocks of two instances, in seeded runs.
const CLOCK_SKEW_MAX: Duration = Duration::from_secs(4);

/// Something that is left after all uploads have expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Leftover {
    /// A key of the key-value store.
    Key(String),
    /// A multipart upload on OSS.
    MultipartUpload { id: String, object: String, part_count: usize },
    /// An object of a partial upload on OSS.
    TemporaryObject(String),
}

/// A known reason for a leftover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KnownException {
    /// A write takes effect after a deletion has read which records exist.
    LateWrite,
    /// A creation that is slow enters its upload into a bucket of the index that a cleanup has
    /// passed. It enters the upload again and deletes the first keys, unless it stops before that,
    /// or one of its writes takes effect later.
    LateIndexKey,
    /// The lease and the last checkpoint do not refer to a checkpoint or a register that a writer
    /// wrote after another one had taken over, nor to a tail that is written without its
    /// checkpoint, nor to a replaced record whose deletion has failed.
    UnreferencedRecord,
    /// A write to a register of the lock for creating a FilePond upload takes effect after the
    /// registers were deleted.
    LateLockRegister,
    /// An instance that crashes, or is taken over, between InitiateMultipartUpload and the
    /// checkpoint that stores the upload ID leaves a multipart upload without parts, which the
    /// bucket's lifecycle rule deletes.
    EmptyMultipartUpload,
    /// A session sends an abort until OSS no longer has the upload, at most four times.
    /// If a gateway answers each with 204 in place of OSS, the multipart upload stays, and the
    /// bucket's lifecycle rule deletes it.
    FalseAbort,
    /// The credential of a client has expired with its upload, and the worker has no other for its
    /// object: the bucket's lifecycle rule deletes the parts.
    PartsWithoutCredential,
    /// VOD has rejected the worker's own token when the upload was ended: the records are deleted,
    /// and the bucket's lifecycle rule deletes the parts.
    PartsWithoutToken,
    /// A request that an instance sent before it crashed may store the object of a partial upload
    /// after another instance has deleted it. No record refers to the object then; the bucket's
    /// lifecycle rule deletes it.
    LateTemporaryObject,
}

impl KnownException {
    /// Returns `true` if it needs neither a crash nor a failure: two writers, or an expired
    /// credential, are enough.
    const fn is_race(self) -> bool {
        matches!(
            self,
            Self::LateWrite
                | Self::UnreferencedRecord
                | Self::EmptyMultipartUpload
                | Self::PartsWithoutCredential
        )
    }
}

/// The leftovers of a run, and what has happened before.
pub(super) struct Leftovers<'a> {
    all: Vec<Leftover>,
    history: &'a History,
    world: &'a World,
}

/// How often a session sends an abort that succeeds.
const ABORTS_MAX: u32 = 4;

impl<'a> Leftovers<'a> {
    pub(super) const fn new(all: Vec<Leftover>, history: &'a History, world: &'a World) -> Self {
        Self { all, history, world }
    }

    /// The number of uploads of which something is left, by reason.
    ///
    /// # Panics
    /// If a leftover has no known reason, or if there are more than could have been caused.
    pub(super) fn exceptions(&self) -> BTreeMap<KnownException, u64> {
        let mut found = BTreeSet::new();
        let mut unknown = Vec::new();
        for leftover in &self.all {
            match self.reason(leftover) {
                Some(reason) => drop(found.insert((reason, leftover.upload()))),
                None => unknown.push(leftover.to_string()),
            }
        }
        assert!(unknown.is_empty(), "left after all uploads have expired: {}", unknown.join(", "));
        let caused = found.iter().filter(|(reason, _)| !reason.is_race()).count();
        let causes = self.history.disturbances() + self.world.vod.token_rejected_at.len();
        assert!(caused <= causes, "{causes} crashes and failures leave {found:?}");
        let mut exceptions = BTreeMap::new();
        for (reason, _) in &found {
            *exceptions.entry(*reason).or_default() += 1;
        }
        exceptions
    }

    fn reason(&self, leftover: &Leftover) -> Option<KnownException> {
        match leftover {
            Leftover::Key(key) => self.reason_of_key(key),
            Leftover::MultipartUpload { id, object, part_count } => {
                self.reason_of_multipart_upload(id, object, *part_count)
            }
            Leftover::TemporaryObject(key) => {
                self.history.is_late_object(key).then_some(KnownException::LateTemporaryObject)
            }
        }
    }

    fn reason_of_multipart_upload(
        &self,
        id: &str,
        object: &str,
        part_count: usize,
    ) -> Option<KnownException> {
        if part_count == 0 && !self.history.was_recorded(id) {
            return Some(KnownException::EmptyMultipartUpload);
        }
        if self.world.store.false_aborts.get(id).is_some_and(|count| *count >= ABORTS_MAX) {
            return Some(KnownException::FalseAbort);
        }
        if self.world.app_server.has_created(object) {
            return Some(KnownException::PartsWithoutCredential);
        }
        let deleted_at = self.history.deleted_with_object_at(object)?;
        let is_recent = |at| deleted_at >= at && deleted_at.since(at) <= REJECTION_AGE_MAX;
        let mut rejections = self.world.vod.token_rejected_at.iter();
        rejections.any(|at| is_recent(*at)).then_some(KnownException::PartsWithoutToken)
    }

    fn reason_of_key(&self, key: &str) -> Option<KnownException> {
        if let Some(end) = end_of_bucket(key) {
            let is_late = self.history.written_at(key)? + CLOCK_SKEW_MAX >= end;
            return is_late.then_some(KnownException::LateIndexKey);
        }
        if let Some(cleaned_at) = self.history.media_cleaned_at(key) {
            // Written by a creation that had stopped before the cleanup.
            let is_late = self.history.written_at(key)? > cleaned_at;
            return is_late.then_some(KnownException::LateWrite);
        }
        let (id, kind) = split_key(key)?;
        let id = UploadId::new(id)?;
        if key == id.record_key() {
            // Written by a creation that had stopped before the deletion.
            let is_late = self.history.written_at(key)? > self.history.deleted_at(id.as_str())?;
            return is_late.then_some(KnownException::LateWrite);
        }
        let has = |record: String| self.all.contains(&Leftover::Key(record));
        if has(id.record_key()) || has(format!("u.{}.filepond", id.as_str())) {
            return None;
        }
        let kind = kind.split('.').next()?;
        if kind == "filepond" {
            return Some(KnownException::LateLockRegister);
        }
        let known = [
            "lease",
            "credential",
            "stop",
            "pause",
            "alive",
            "digest",
            "final",
            "b",
            "c",
            "d",
            "t",
        ];
        if !known.contains(&kind) {
            return None;
        }
        let deleted_at = self.history.deleted_before_creation_at(id.as_str())?;
        let written_at = self.history.written_at(key)?;
        let is_of_writer = ["b", "c", "d", "t"].contains(&kind);
        // A deletion reads the lease before it deletes the upload record.
        let is_late = written_at > deleted_at
            || is_of_writer && deleted_at.since(written_at) <= DELETION_TIME_MAX;
        if is_late {
            return Some(KnownException::LateWrite);
        }
        if !self.history.was_referenced(id.as_str(), key) {
            return is_of_writer.then_some(KnownException::UnreferencedRecord);
        }
        None
    }
}

/// The end of the bucket of the index that `key` belongs to.
fn end_of_bucket(key: &str) -> Option<UnixMillis> {
    let mut parts = key.strip_prefix("x.")?.split('.');
    let width_s: u64 = parts.next()?.parse().ok()?;
    let bucket: u64 = parts.next()?.parse().ok()?;
    Some(UnixMillis((bucket + 1) * width_s * 1_000))
}

impl Leftover {
    /// What of the run it belongs to.
    fn upload(&self) -> &str {
        match self {
            Self::Key(key) => split_key(key).map_or(key.as_str(), |(id, _)| id),
            Self::MultipartUpload { id, .. } => id,
            Self::TemporaryObject(key) => key,
        }
    }
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::MultipartUpload { object, part_count, .. } => {
                write!(f, "a multipart upload of {object} with {part_count} parts")
            }
            Self::TemporaryObject(key) => f.write_str(key),
        }
    }
}
