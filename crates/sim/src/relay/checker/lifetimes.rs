//! An upload whose address a client knows exists until there is a reason for its end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{UploadId, UploadKind, UploadRecord};

/// Why an upload may be gone. There are no other reasons: in a run of the relay, OSS loses no
/// multipart upload and damages no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndCause {
    /// A client has terminated it.
    Terminated,
    /// It has received no bytes for the configured time.
    Expired,
    /// Another upload continues its media asset.
    Replaced,
    /// A known defect: the upload has expired while a request was in progress, and the cleanup had
    /// read its progress before the request stored its bytes. They are acknowledged, and lost.
    ExpiredDuringRequest,
    /// The object of a final upload contains its bytes: the partial upload is deleted, and another
    /// final upload of the same partial uploads cannot be completed.
    Concatenated,
}

/// How long a cleanup that has read the progress of an upload takes to end it at most.
const CLEANUP_LAG_MAX: Duration = Duration::from_secs(20);

/// The uploads of a run, and why they may be gone.
#[derive(Debug, Default)]
pub(super) struct Lifetimes {
    uploads: BTreeMap<String, Lifetime>,
    /// Requests that continue each media asset.
    continuations: BTreeMap<String, u32>,
    /// The keys of the objects that are stored.
    stored: BTreeSet<String>,
    restarts: BTreeMap<EndCause, u64>,
}

/// One upload.
#[derive(Debug, Default)]
struct Lifetime {
    /// When the last request was sent that stored bytes or created the upload. `None` if no client
    /// knows the address.
    renewed_at: Option<UnixMillis>,
    /// Until when a cleanup may end the upload that has expired during a request.
    race_ends_at: Option<UnixMillis>,
    /// Whether it has ended before that.
    has_lost_race: bool,
    is_terminated: bool,
    /// Whether the upload continues a media asset.
    is_continuation: bool,
    /// The upload record. A chunked file of FilePond has none before its first chunk.
    record: Option<UploadRecord>,
}

impl Lifetimes {
    /// A client sends a request to terminate the upload.
    pub(super) fn observe_termination(&mut self, id: &str) {
        self.uploads.entry(id.to_owned()).or_default().is_terminated = true;
    }

    /// A client sends a request to create an upload that continues a media asset.
    pub(super) fn observe_continuation(&mut self, media_id: &str) {
        *self.continuations.entry(media_id.to_owned()).or_default() += 1;
    }

    /// The record of an upload is written.
    pub(super) fn observe_record(&mut self, id: &UploadId, record: UploadRecord) {
        self.uploads.entry(id.as_str().to_owned()).or_default().record = Some(record);
    }

    /// An object is stored.
    pub(super) fn observe_object(&mut self, key: &str) {
        self.stored.insert(key.to_owned());
    }

    /// A response has the address of a new upload, to a request that was sent at `sent_at`.
    pub(super) fn observe_creation(
        &mut self,
        id: &str,
        sent_at: UnixMillis,
        is_continuation: bool,
    ) {
        let upload = self.uploads.entry(id.to_owned()).or_default();
        upload.renewed_at = upload.renewed_at.max(Some(sent_at));
        upload.is_continuation |= is_continuation;
    }

    /// A response acknowledges at `now` bytes of a request that was sent at `sent_at`.
    pub(super) fn observe_renewal(
        &mut self,
        id: &str,
        sent_at: UnixMillis,
        now: UnixMillis,
        ttl: Duration,
    ) {
        let Some(upload) = self.uploads.get_mut(id) else { return };
        let Some(renewed_at) = upload.renewed_at else { return };
        if now >= renewed_at + ttl {
            upload.race_ends_at = Some(now + CLEANUP_LAG_MAX);
        }
        upload.renewed_at = Some(renewed_at.max(sent_at));
    }

    /// The upload is found to be gone at `now`.
    pub(super) fn observe_end(&mut self, id: &str, now: UnixMillis) {
        if let Some(upload) = self.uploads.get_mut(id) {
            upload.has_lost_race |= upload.race_ends_at.is_some_and(|end| now < end);
        }
    }

    /// A client starts again, because an upload is gone.
    pub(super) fn observe_restart(&mut self, cause: EndCause) {
        *self.restarts.entry(cause).or_default() += 1;
    }

    /// How often clients have started again, by cause.
    pub(super) const fn restarts(&self) -> &BTreeMap<EndCause, u64> {
        &self.restarts
    }

    /// The uploads whose addresses clients know.
    pub(super) fn known(&self) -> impl Iterator<Item = &str> {
        let known = self.uploads.iter().filter(|(_, upload)| upload.renewed_at.is_some());
        known.map(|(id, _)| id.as_str())
    }

    /// Returns `true` if a client knows the address of the upload.
    pub(super) fn is_known(&self, id: &str) -> bool {
        self.uploads.get(id).is_some_and(|upload| upload.renewed_at.is_some())
    }

    /// Why the upload may be gone at `now`, with a configured time of `ttl`; `None` if it has to
    /// exist.
    pub(super) fn end_cause(&self, id: &str, now: UnixMillis, ttl: Duration) -> Option<EndCause> {
        let upload = self.uploads.get(id)?;
        if upload.is_terminated {
            return Some(EndCause::Terminated);
        }
        if upload.renewed_at.is_some_and(|renewed_at| now >= renewed_at + ttl) {
            return Some(EndCause::Expired);
        }
        if upload.race_ends_at.is_some_and(|end| now < end || upload.has_lost_race) {
            return Some(EndCause::ExpiredDuringRequest);
        }
        let record = upload.record.as_ref()?;
        let continuations = self.continuations.get(&record.media_id).copied().unwrap_or(0);
        if continuations > u32::from(upload.is_continuation) {
            return Some(EndCause::Replaced);
        }
        match &record.kind {
            UploadKind::Regular => None,
            UploadKind::Partial => self.is_concatenated(id, None).then_some(EndCause::Concatenated),
            UploadKind::Final { partials } => {
                let partials = partials.iter().map(|address| id_in(address));
                partials.into_iter().find_map(|partial| self.end_of_partial(partial, id, now, ttl))
            }
        }
    }

    /// Why a partial upload of the final upload `id` may be gone before that one is complete.
    fn end_of_partial(
        &self,
        partial: &str,
        id: &str,
        now: UnixMillis,
        ttl: Duration,
    ) -> Option<EndCause> {
        if self.is_concatenated(partial, Some(id)) {
            return Some(EndCause::Concatenated);
        }
        self.end_cause(partial, now, ttl).filter(|cause| *cause != EndCause::Concatenated)
    }

    /// Returns `true` if the object of a final upload of the partial upload is stored, other than
    /// that of `except`.
    fn is_concatenated(&self, partial: &str, except: Option<&str>) -> bool {
        let others = self.uploads.iter().filter(|(id, _)| Some(id.as_str()) != except);
        others.filter_map(|(_, upload)| upload.record.as_ref()).any(|record| match &record.kind {
            UploadKind::Final { partials } => {
                partials.iter().any(|address| id_in(address) == partial)
                    && self.stored.contains(&record.target.object)
            }
            UploadKind::Regular | UploadKind::Partial => false,
        })
    }
}

/// The ID of the upload with this address, which is the last segment.
fn id_in(address: &str) -> &str {
    address.rsplit('/').next().unwrap_or(address)
}
