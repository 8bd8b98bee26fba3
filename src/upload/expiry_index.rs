//! The index of uploads by the time at which they may expire.
//!
//! Time is divided into buckets of one width. The entries of a bucket occupy its slots, which are
//! acquired in order, each by an [election](super::election): two creations never share a slot, and
//! no slot before an occupied one was skipped. A cleanup therefore reads the buckets that have
//! passed, slot by slot, without listing keys.
//!
//! | key | value |
//! |---|---|
//! | `x.<width>.cursor` | the [`ExpiryCursor`]: everything before it has been visited |
//! | `x.<width>.<bucket>.n` | at least this many slots were occupied, as a hint: 4 bytes |
//! | `x.<width>.<bucket>.b.<slot>`, `….d.<slot>` | the election registers of a slot |
//! | `x.<width>.<bucket>.e.<slot>` | the [`ExpiryEntry`] |
//!
//! The width depends on the time after which uploads expire. If that setting changes, the entries
//! of the previous width are entered again, and its cursor is deleted.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::election::Registers;
use super::record::impl_record;
use super::records::UploadId;
use crate::units::UnixMillis;

/// The width of buckets: a power of two, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketWidth(u64);

/// One bucket: the uploads that may expire in a period of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpiryBucket {
    width: BucketWidth,
    number: u64,
}

/// What occupies a slot. It contains no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiryEntry {
    upload: String,
    /// The key of the [`MediaRecord`](super::MediaRecord), which may outlive the upload.
    media_key: Option<String>,
}

/// The position of the cleanup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiryCursor {
    /// The number of the bucket.
    bucket: u64,
    /// The progress in the bucket.
    pub progress: BucketProgress,
    /// The first bucket that is open: a cleanup reads only buckets before it, and an entry counts
    /// only if its bucket is open after the entry was written.
    open: u64,
    /// Until this instant, in milliseconds since the Unix epoch, one cleanup is in progress.
    pub claimed_until_ms: u64,
}

/// The progress of the cleanup in one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BucketProgress {
    /// This slot is the next one to visit.
    Visiting(u32),
    /// All slots have been visited, and the keys of this many remain. They are deleted from the
    /// last one to the first, since a slot without keys marks the end of a bucket.
    Deleting(u32),
}

impl_record!(ExpiryEntry, ExpiryEntry);
impl_record!(ExpiryCursor, ExpiryCursor);

impl BucketWidth {
    /// Every width, the smallest first.
    pub const ALL: [Self; 13] = [
        Self(1),
        Self(2),
        Self(4),
        Self(8),
        Self(16),
        Self(32),
        Self(64),
        Self(128),
        Self(256),
        Self(512),
        Self(1_024),
        Self(2_048),
        Self(4_096),
    ];

    /// Returns the width for uploads that expire after `ttl`: at most an eighth of it, by which an
    /// upload may outlive its expiry.
    #[must_use]
    pub fn for_ttl(ttl: Duration) -> Self {
        let widest = ttl.as_secs() / 8;
        let fitting = Self::ALL.into_iter().rev().find(|width| width.0 <= widest);
        fitting.unwrap_or(Self::ALL[0])
    }

    /// Returns how far ahead of the present a bucket of this width can have entries.
    #[must_use]
    pub const fn horizon(self) -> Duration {
        let widest = Self::ALL[Self::ALL.len() - 1];
        // The next width is for a time to live of 16 times this one.
        if self.0 < widest.0 { Duration::from_secs(self.0 * 16) } else { TTL_MAX }
    }

    /// Returns the key of the [`ExpiryCursor`].
    #[must_use]
    pub fn cursor_key(self) -> String {
        format!("{PREFIX}{}.cursor", self.0)
    }
}

impl ExpiryBucket {
    /// Returns the bucket that contains `instant`.
    #[must_use]
    pub const fn containing(width: BucketWidth, instant: UnixMillis) -> Self {
        Self { width, number: instant.secs() / width.0 }
    }

    /// Returns the later of two buckets of the same width.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { number: self.number.max(other.number), ..self }
    }

    /// Returns the bucket after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self { number: self.number.saturating_add(1), ..self }
    }

    /// Returns the start of the bucket.
    #[must_use]
    pub const fn start(self) -> UnixMillis {
        UnixMillis(self.number.saturating_mul(self.width.0).saturating_mul(1_000))
    }

    /// Returns the end of the bucket: what is in it has expired at that instant, unless its expiry
    /// was extended.
    #[must_use]
    pub const fn end(self) -> UnixMillis {
        self.next().start()
    }

    /// Returns the key of the hint of how many slots are occupied.
    #[must_use]
    pub fn count_key(self) -> String {
        self.key("n")
    }

    /// Returns the election registers of a slot.
    #[must_use]
    pub fn registers(self, slot: u32) -> Registers {
        Registers::new(&self.key("b"), &self.key("d"), slot)
    }

    /// Returns the key of the entry in a slot.
    #[must_use]
    pub fn entry_key(self, slot: u32) -> String {
        self.key(&format!("e.{slot}"))
    }

    fn key(self, name: &str) -> String {
        format!("{PREFIX}{}.{}.{name}", self.width.0, self.number)
    }
}

impl ExpiryEntry {
    /// Creates the entry of an upload, and of the media record at `media_key` if there is one.
    #[must_use]
    pub fn new(upload: &UploadId, media_key: Option<String>) -> Self {
        Self { upload: upload.as_str().to_owned(), media_key }
    }

    /// Returns the ID of the upload; `None` if the record has an invalid one.
    #[must_use]
    pub fn upload(&self) -> Option<UploadId> {
        UploadId::new(&self.upload)
    }

    /// Returns the key of the media record, if there is one.
    #[must_use]
    pub fn media_key(&self) -> Option<&str> {
        self.media_key.as_deref()
    }
}

impl ExpiryCursor {
    /// Returns the cursor at the start of `bucket`.
    #[must_use]
    pub const fn at(bucket: ExpiryBucket) -> Self {
        let progress = BucketProgress::Visiting(0);
        Self { bucket: bucket.number, progress, open: bucket.number, claimed_until_ms: 0 }
    }

    /// Returns the bucket that is cleaned up.
    #[must_use]
    pub const fn bucket(&self, width: BucketWidth) -> ExpiryBucket {
        ExpiryBucket { width, number: self.bucket }
    }

    /// Returns the first bucket that accepts entries.
    #[must_use]
    pub const fn first_open(&self, width: BucketWidth) -> ExpiryBucket {
        ExpiryBucket { width, number: self.open }
    }

    /// Returns to the bucket of `now` if the cursor is more than an hour ahead of it, because the
    /// clock of an instance was: no upload would be cleaned up until then. Entries in buckets that
    /// are visited a second time are no different from others.
    pub fn rewind_if_ahead(&mut self, width: BucketWidth, now: UnixMillis) {
        if self.open > ExpiryBucket::containing(width, now + CLOCK_SKEW_MAX).number {
            *self = Self::at(ExpiryBucket::containing(width, now));
        }
    }

    /// Closes the buckets that have passed at `instant`, so that they can be cleaned up.
    pub fn close_passed(&mut self, width: BucketWidth, instant: UnixMillis) {
        self.open = self.open.max(ExpiryBucket::containing(width, instant).number);
    }

    /// Returns true if a bucket is closed and not cleaned up.
    #[must_use]
    pub const fn has_closed(&self) -> bool {
        self.bucket < self.open
    }

    /// Continues with the bucket after the present one.
    pub const fn advance(&mut self) {
        self.bucket = self.bucket.saturating_add(1);
        self.progress = BucketProgress::Visiting(0);
    }
}

const PREFIX: &str = "x.";

/// The longest time to live after whose change the entries of the previous one are found.
const TTL_MAX: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// The largest difference between the clocks of two instances that is not corrected.
const CLOCK_SKEW_MAX: Duration = Duration::from_secs(60 * 60);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    const WIDTH: BucketWidth = BucketWidth(2_048);

    #[test]
    fn the_width_is_at_most_an_eighth_of_the_time_to_live() {
        for (ttl_s, width_s) in
            [(0, 1), (1, 1), (15, 1), (16, 2), (60, 4), (86_400, 4_096), (604_800, 4_096)]
        {
            let width = BucketWidth::for_ttl(Duration::from_secs(ttl_s));
            assert_eq!(width, BucketWidth(width_s), "{ttl_s}");
            assert!(BucketWidth::ALL.contains(&width));
            assert!(width.horizon() >= Duration::from_secs(ttl_s));
        }
        // Below the widest one, no entry is for a time to live that has the next width.
        assert_eq!(BucketWidth(1).horizon(), Duration::from_secs(16));
        assert_eq!(BucketWidth(4_096).horizon(), Duration::from_secs(400 * 86_400));
    }

    #[test]
    fn an_instant_is_in_the_bucket_that_ends_after_it() {
        let bucket = ExpiryBucket::containing(WIDTH, UnixMillis(2_048_000));
        assert_eq!((bucket.start(), bucket.end()), (UnixMillis(2_048_000), UnixMillis(4_096_000)));
        assert_eq!(ExpiryBucket::containing(WIDTH, UnixMillis(4_095_999)), bucket);
        assert_eq!(ExpiryBucket::containing(WIDTH, UnixMillis(4_096_000)), bucket.next());
        assert_eq!(bucket.max(bucket.next()), bucket.next());
        assert_eq!(bucket.next().max(bucket), bucket.next());
    }

    #[test]
    fn the_keys_of_an_index_differ_in_every_component() {
        let bucket = ExpiryBucket { width: WIDTH, number: 7 };
        let registers = bucket.registers(3);
        assert_eq!(WIDTH.cursor_key(), "x.2048.cursor");
        assert_eq!(bucket.count_key(), "x.2048.7.n");
        assert_eq!(bucket.entry_key(3), "x.2048.7.e.3");
        assert_eq!((registers.candidate(), registers.closed()), ("x.2048.7.b.3", "x.2048.7.d.3"));
    }

    #[test]
    fn records_of_the_index_round_trip() {
        let entry = ExpiryEntry::new(&UploadId::new("a1").unwrap(), Some("m.1".into()));
        assert_eq!(ExpiryEntry::decode(&entry.encode().unwrap()), Ok(entry.clone()));
        assert_eq!((entry.upload(), entry.media_key()), (UploadId::new("a1"), Some("m.1")));

        let bucket = ExpiryBucket { width: WIDTH, number: 7 };
        let mut cursor = ExpiryCursor::at(bucket);
        cursor.progress = BucketProgress::Deleting(9);
        assert_eq!(ExpiryCursor::decode(&cursor.encode().unwrap()), Ok(cursor.clone()));
    }

    #[test]
    fn a_cursor_cleans_up_the_buckets_that_were_closed_when_they_had_passed() {
        let bucket = ExpiryBucket { width: WIDTH, number: 7 };
        let mut cursor = ExpiryCursor::at(bucket);
        assert!(!cursor.has_closed());
        cursor.close_passed(WIDTH, UnixMillis(bucket.end().0 - 1));
        assert_eq!((cursor.has_closed(), cursor.first_open(WIDTH)), (false, bucket));
        cursor.close_passed(WIDTH, bucket.end());
        assert_eq!((cursor.has_closed(), cursor.first_open(WIDTH)), (true, bucket.next()));
        cursor.close_passed(WIDTH, UnixMillis(0));
        assert_eq!(cursor.first_open(WIDTH), bucket.next(), "a clock may go back");
        cursor.advance();
        assert_eq!((cursor.has_closed(), cursor.bucket(WIDTH)), (false, bucket.next()));
    }

    #[test]
    fn a_cursor_that_a_wrong_clock_has_moved_ahead_returns() {
        let (hour, day) = (Duration::from_secs(3_600), Duration::from_secs(86_400));
        let now = UnixMillis(2_048_000 * 100);
        let present = ExpiryCursor::at(ExpiryBucket::containing(WIDTH, now));
        for (ahead, returns) in [(Duration::ZERO, false), (hour, false), (day, true)] {
            let mut cursor = present.clone();
            cursor.close_passed(WIDTH, now + ahead);
            let moved = cursor.clone();
            cursor.rewind_if_ahead(WIDTH, now);
            assert_eq!(cursor, if returns { present.clone() } else { moved }, "{ahead:?}");
        }
    }
}
