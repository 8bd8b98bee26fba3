//! Units and limits: sizes, part numbers and instants as types, and the limits of OSS.
//!
//! The limits are documented in
//! <https://www.alibabacloud.com/help/en/oss/user-guide/limits-1> and
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/uploadpart>.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// One kibibyte, in bytes.
pub const KIB: u64 = 1 << 10;
/// One mebibyte, in bytes.
pub const MIB: u64 = 1 << 20;
/// One gibibyte, in bytes.
pub const GIB: u64 = 1 << 30;

/// Minimum size of every part except the last: 100 KiB. CompleteMultipartUpload rejects smaller
/// ones with `EntityTooSmall`.
pub const PART_SIZE_MIN: ByteCount = ByteCount(100 * KIB);

/// Maximum size of one part: 5 GiB.
pub const PART_SIZE_MAX: ByteCount = ByteCount(5 * GIB);

/// Highest part number, and maximum number of parts of an upload.
pub const PART_COUNT_MAX: u16 = 10_000;

/// Maximum size of an object: 10,000 parts of 5 GiB, 48.8 TB in OSS's documentation.
pub const OBJECT_SIZE_MAX: ByteCount = ByteCount(PART_COUNT_MAX as u64 * 5 * GIB);

/// Files below this size are sent with one PutObject, as in the JavaScript SDK; others as a
/// multipart upload. Equal to the minimum part size, so that every part of a multipart upload
/// could be followed by another one.
pub const MULTIPART_THRESHOLD: ByteCount = PART_SIZE_MIN;

/// Default part size: 1 MiB (the SDK's `partSize`).
pub const PART_SIZE_DEFAULT: ByteCount = ByteCount(MIB);

/// Default number of parts in flight for one upload (the SDK's `parallel`).
pub const PARALLEL_DEFAULT: u8 = 5;

/// Maximum size of a buffered part: 16 MiB. Larger parts (of an upload of known length) are
/// streamed to the store, one at a time.
pub const BUFFERED_PART_SIZE_MAX: ByteCount = ByteCount(16 * MIB);

/// A number of bytes, or an offset in bytes from the start of the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteCount(pub u64);

impl ByteCount {
    /// No bytes; as an offset, the start of the source.
    pub const ZERO: Self = Self(0);

    /// Returns the number of bytes as an integer.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// `self` minus `other`; zero if `other` is larger.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Returns true if it is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Add for ByteCount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        // Clients specify offsets: a sum beyond u64 must not wrap to a small number.
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for ByteCount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for ByteCount {
    type Output = Self;

    /// Returns the difference, or zero if `other` is larger.
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for ByteCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0)
    }
}

/// The number of a part: 1 to 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartNumber(u16);

impl PartNumber {
    /// The first part.
    pub const FIRST: Self = Self(1);

    /// Creates a part number; `None` if `number` is outside 1 to 10,000.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        if number >= 1 && number <= PART_COUNT_MAX { Some(Self(number)) } else { None }
    }

    /// Returns the number as an integer: 1 to 10,000.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Display for PartNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An instant in milliseconds since 1970-01-01T00:00:00Z.
///
/// The engine reads no clock: its driver passes the current instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// Returns the whole seconds since the epoch.
    #[must_use]
    pub const fn secs(self) -> u64 {
        self.0 / 1_000
    }

    /// Returns the time from `earlier` to `self`, or zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Returns this instant shifted by `offset_ms`, which may be negative.
    #[must_use]
    pub const fn shifted(self, offset_ms: i64) -> Self {
        Self(self.0.saturating_add_signed(offset_ms))
    }
}

impl Add<Duration> for UnixMillis {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_numbers_are_one_to_ten_thousand() {
        assert_eq!(PartNumber::new(0), None);
        assert_eq!(PartNumber::new(1), Some(PartNumber::FIRST));
        assert_eq!(PartNumber::new(10_000).map(PartNumber::number), Some(10_000));
        assert_eq!(PartNumber::new(10_001), None);
    }

    #[test]
    fn the_maximum_object_size_is_ten_thousand_parts_of_the_maximum_size() {
        assert_eq!(OBJECT_SIZE_MAX.bytes(), 53_687_091_200_000);
    }

    #[test]
    fn sums_of_offsets_never_wrap() {
        assert_eq!(ByteCount(u64::MAX) + ByteCount(1), ByteCount(u64::MAX));
        assert_eq!(ByteCount(1) - ByteCount(2), ByteCount::ZERO);
    }
}
