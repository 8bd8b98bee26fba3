//! Units and limits: sizes, part numbers and instants as types, and every limit of the store as
//! a documented constant.
//!
//! The limits are those of
//! <https://www.alibabacloud.com/help/en/oss/user-guide/limits-1> and of
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

/// Smallest size of every part but the last: 100 KiB. A smaller one is refused at Complete with
/// `EntityTooSmall`.
pub const PART_SIZE_MIN: ByteCount = ByteCount(100 * KIB);

/// Largest size of one part: 5 GiB.
pub const PART_SIZE_MAX: ByteCount = ByteCount(5 * GIB);

/// Largest part number, and so the most parts that an upload can have.
pub const PART_COUNT_MAX: u16 = 10_000;

/// Largest object: 10,000 parts of 5 GiB, which the vendor rounds to 48.8 TB.
pub const OBJECT_SIZE_MAX: ByteCount = ByteCount(PART_COUNT_MAX as u64 * 5 * GIB);

/// Files below this size are sent with one PutObject, as the JavaScript SDK does; larger ones go
/// as a multipart upload. It is the part minimum, so that a multipart upload never has a single
/// part which could not have been a part.
pub const MULTIPART_THRESHOLD: ByteCount = PART_SIZE_MIN;

/// Default size of a part: 1 MiB, the SDK's `partSize`.
pub const PART_SIZE_DEFAULT: ByteCount = ByteCount(MIB);

/// Default number of parts in flight for one upload: the SDK's `parallel`.
pub const PARALLEL_DEFAULT: u8 = 5;

/// Largest part that is held in memory. A larger part (of an upload whose length is known) is
/// streamed through to the store, one at a time.
pub const BUFFERED_PART_SIZE_MAX: ByteCount = ByteCount(16 * MIB);

/// A number of bytes, or an offset in bytes from the start of the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteCount(pub u64);

impl ByteCount {
    /// No bytes; as an offset, the start of the source.
    pub const ZERO: Self = Self(0);

    /// The number of bytes as an integer.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// What is left of `self` after `other`, or zero where `other` is larger.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// True for no bytes.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Add for ByteCount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        // Offsets come from clients: a sum past the end of u64 must not wrap to a small number.
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

    fn sub(self, other: Self) -> Self {
        self.saturating_sub(other)
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

    /// A part number, or `None` outside 1 to 10,000.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        if number >= 1 && number <= PART_COUNT_MAX { Some(Self(number)) } else { None }
    }

    /// The number as an integer, 1 to 10,000.
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

/// An instant, in milliseconds since 1970-01-01T00:00:00Z.
///
/// The engine reads no clock: every instant is handed in by its driver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// The whole seconds since the epoch.
    #[must_use]
    pub const fn secs(self) -> u64 {
        self.0 / 1_000
    }

    /// The time from `earlier` to `self`, or zero where `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// This instant moved by `offset_ms`, which may be negative.
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
    fn the_largest_object_is_ten_thousand_of_the_largest_parts() {
        assert_eq!(OBJECT_SIZE_MAX.bytes(), 53_687_091_200_000);
    }

    #[test]
    fn sums_of_offsets_never_wrap() {
        assert_eq!(ByteCount(u64::MAX) + ByteCount(1), ByteCount(u64::MAX));
        assert_eq!(ByteCount(1) - ByteCount(2), ByteCount::ZERO);
    }
}
