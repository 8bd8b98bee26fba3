//! What has happened to the records and objects of a run: the causes of leftovers.

use std::collections::{BTreeMap, BTreeSet};

use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{Lease, RecordDeletion, UploadId, UploadRecord};

use super::stored_progress::{current_epoch, last_checkpoint};
use crate::world::KeyValueStore;

/// The history of a run.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// When each key was written last.
    written_at: BTreeMap<String, UnixMillis>,
    uploads: BTreeMap<String, UploadHistory>,
    /// When the lock of each media record was deleted last: the record did not exist then.
    media_cleaned_at: BTreeMap<String, UnixMillis>,
    /// When each object was deleted last.
    objects_deleted_at: BTreeMap<String, UnixMillis>,
    /// The objects that a request has stored that is older than their last deletion.
    late_objects: BTreeSet<String>,
    /// Number of crashes, failed or slow operations, and aborted requests.
    disturbances: usize,
}

/// The history of one upload.
#[derive(Debug, Default)]
struct UploadHistory {
    object: Option<String>,
    /// When its upload record was deleted.
    deleted_at: Option<UnixMillis>,
    /// When it was deleted before a creation started again, or wrote its lease late.
    deleted_before: Option<UnixMillis>,
    /// The keys to which its records referred then: their deletion follows.
    referenced: BTreeSet<String>,
    /// The multipart upload in its last checkpoint then.
    multipart_upload: Option<String>,
}

impl History {
    /// A key is written.
    pub(super) fn observe_write(&mut self, key: &str, value: &[u8], now: UnixMillis) {
        self.written_at.insert(key.to_owned(), now);
        if let Some(id) = UploadId::from_record_key(key) {
            let object = UploadRecord::decode(value).unwrap().target.object;
            let upload = self.uploads.entry(id.as_str().to_owned()).or_default();
            upload.object = Some(object);
        }
        // A creation writes the lease first.
        if let Some((id, "lease")) = split_key(key)
            && Lease::decode(value).unwrap() == Lease::unheld()
            && let Some(upload) = self.uploads.get_mut(id)
        {
            upload.deleted_before = upload.deleted_at.take().or(upload.deleted_before);
        }
    }

    /// A key is deleted, whether or not it exists: a creation that stopped may write it later.
    pub(super) fn observe_deletion_attempt(&mut self, key: &str, now: UnixMillis) {
        if let Some((record, _)) = key.strip_prefix("m.").and_then(|rest| rest.split_once('.')) {
            self.media_cleaned_at.insert(format!("m.{record}"), now);
        }
        if let Some(id) = UploadId::from_record_key(key) {
            let upload = self.uploads.entry(id.as_str().to_owned()).or_default();
            upload.deleted_at.get_or_insert(now);
        }
    }

    /// A key is deleted.
    pub(super) fn observe_deletion(&mut self, key: &str, kv: &KeyValueStore, now: UnixMillis) {
        let Some(id) = UploadId::from_record_key(key) else { return };
        let upload = self.uploads.entry(id.as_str().to_owned()).or_default();
        upload.deleted_at = Some(now);
        let lease = kv.values.get(&id.lease_key()).map(|lease| Lease::decode(lease).unwrap());
        let checkpoint = last_checkpoint(kv, id.clone());
        let epoch = current_epoch(kv, id.clone());
        let deletion = RecordDeletion::new(&id, lease.as_ref(), epoch, checkpoint.as_ref());
        upload.referenced = deletion.stages().flatten().collect();
        upload.multipart_upload = checkpoint.and_then(|checkpoint| checkpoint.upload_id);
    }

    /// An object is stored by a request that was sent at `sent_at`.
    pub(super) fn observe_object(&mut self, key: &str, sent_at: UnixMillis) {
        if self.objects_deleted_at.get(key).is_some_and(|deleted_at| sent_at <= *deleted_at) {
            self.late_objects.insert(key.to_owned());
        }
    }

    /// An object is deleted.
    pub(super) fn observe_object_deletion(&mut self, key: &str, now: UnixMillis) {
        self.objects_deleted_at.insert(key.to_owned(), now);
        self.late_objects.remove(key);
    }

    /// An instance crashes, an operation fails or is slow, or a request is aborted.
    pub(super) const fn observe_disturbance(&mut self) {
        self.disturbances += 1;
    }

    /// Number of crashes, failed or slow operations, and aborted requests.
    pub(crate) const fn disturbances(&self) -> usize {
        self.disturbances
    }

    /// When the lock of a media record was deleted last.
    pub(crate) fn media_cleaned_at(&self, key: &str) -> Option<UnixMillis> {
        self.media_cleaned_at.get(key).copied()
    }

    /// When the upload record was deleted.
    pub(crate) fn deleted_at(&self, id: &str) -> Option<UnixMillis> {
        self.uploads.get(id)?.deleted_at
    }

    /// When the upload record was deleted, if it was not created after that.
    pub(crate) fn deleted_before_creation_at(&self, id: &str) -> Option<UnixMillis> {
        let upload = self.uploads.get(id)?;
        upload.deleted_at.or(upload.deleted_before)
    }

    /// When the upload record of the upload with this object was deleted.
    pub(crate) fn deleted_with_object_at(&self, object: &str) -> Option<UnixMillis> {
        let mut uploads = self.uploads.values();
        let upload = uploads.find(|upload| upload.object.as_deref() == Some(object))?;
        upload.deleted_at
    }

    /// When the key was written last.
    pub(crate) fn written_at(&self, key: &str) -> Option<UnixMillis> {
        self.written_at.get(key).copied()
    }

    /// Returns `true` if the records of the upload referred to the key when the upload record was
    /// deleted.
    pub(crate) fn was_referenced(&self, id: &str, key: &str) -> bool {
        self.uploads.get(id).is_some_and(|upload| upload.referenced.contains(key))
    }

    /// Returns `true` if the last checkpoint of an upload had the ID of the multipart upload when
    /// the upload record was deleted.
    pub(crate) fn was_recorded(&self, multipart_upload: &str) -> bool {
        let mut uploads = self.uploads.values();
        uploads.any(|upload| upload.multipart_upload.as_deref() == Some(multipart_upload))
    }

    /// Returns `true` if a request has stored the object that is older than its last deletion.
    pub(crate) fn is_late_object(&self, key: &str) -> bool {
        self.late_objects.contains(key)
    }
}

/// The upload ID and the rest of a key.
pub(crate) fn split_key(key: &str) -> Option<(&str, &str)> {
    key.strip_prefix("u.")?.split_once('.')
}
