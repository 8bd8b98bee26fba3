//! Plans the parts of a concatenation of objects on the store.
//!
//! A part is copied on the store from one object, and all parts except the last must have at least
//! 100 KiB (<https://www.alibabacloud.com/help/en/oss/developer-reference/uploadpartcopy>). Smaller
//! objects are read and sent again, together with as few of the following bytes as make a part.
//! Every copy ends at the end of its object, so that its checksum follows from those of the
//! objects.

use crate::crc64::Crc64;
use crate::error::{Error, ErrorKind, Result};
use crate::oss::action::CopyRange;
use crate::units::{
    ByteCount, MULTIPART_THRESHOLD, OBJECT_SIZE_MAX, PART_COUNT_MAX, PART_SIZE_MAX, PART_SIZE_MIN,
};

/// An object to be concatenated with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConcatSource {
    /// Its bucket, in the region of the target's.
    pub bucket: String,
    /// Its key.
    pub object: String,
    /// Its size: at most 5 GiB. An empty object adds nothing.
    pub len: ByteCount,
    /// CRC of its bytes.
    pub crc64: Crc64,
}

/// One part of the target object, or the entire object if it is smaller than 100 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlannedPart {
    /// Copied on the store, up to the end of its source.
    Copy {
        /// The index of the source.
        source: usize,
        /// The bytes of the source.
        range: CopyRange,
    },
    /// Read from the store and sent again: below 200 KiB.
    Read {
        /// Its offset in the target object.
        offset: ByteCount,
        /// Number of its bytes.
        len: ByteCount,
    },
}

/// Bytes of one source that must be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadRange {
    /// The index of the source.
    pub source: usize,
    /// Their offset in the source.
    pub start: ByteCount,
    /// Number of bytes.
    pub len: ByteCount,
}

impl PlannedPart {
    /// Returns the number of its bytes.
    #[must_use]
    pub(super) const fn len(&self) -> ByteCount {
        match self {
            Self::Copy { range, .. } => range.len,
            Self::Read { len, .. } => *len,
        }
    }
}

/// Returns the parts of the concatenation of `sources`, in the order of their bytes.
#[must_use]
pub(super) fn plan_parts(sources: &[ConcatSource]) -> Vec<PlannedPart> {
    let total = total(sources);
    if total.is_zero() {
        return Vec::new();
    }
    if total < MULTIPART_THRESHOLD {
        return vec![PlannedPart::Read { offset: ByteCount::ZERO, len: total }];
    }
    let mut parts = Vec::new();
    let mut offset = ByteCount::ZERO;
    // Bytes before `offset` that are too few for a part.
    let mut pending = ByteCount::ZERO;
    for (source, ConcatSource { len, .. }) in sources.iter().enumerate() {
        let is_last = offset + *len == total;
        // The number of bytes of this source that complete a part with the pending ones.
        let missing = if pending.is_zero() { ByteCount::ZERO } else { PART_SIZE_MIN - pending };
        let left = *len - missing;
        let copied = if left >= PART_SIZE_MIN || is_last { left } else { ByteCount::ZERO };
        pending += *len - copied;
        offset += *len;
        if pending >= PART_SIZE_MIN || (is_last && !pending.is_zero()) {
            parts.push(PlannedPart::Read { offset: offset - copied - pending, len: pending });
            pending = ByteCount::ZERO;
        }
        if !copied.is_zero() {
            let range = CopyRange { start: *len - copied, len: copied };
            parts.push(PlannedPart::Copy { source, range });
        }
        if is_last {
            break;
        }
    }
    parts
}

/// Returns the bytes of `sources` that must be read, in this order, if the target object already
/// has all bytes before the offset `from`.
#[must_use]
pub fn ranges_to_read(sources: &[ConcatSource], from: ByteCount) -> Vec<ReadRange> {
    let read = |part: PlannedPart| match part {
        PlannedPart::Read { offset, len } if offset >= from => Some((offset, offset + len)),
        _ => None,
    };
    let mut ranges = Vec::new();
    for (start, end) in plan_parts(sources).into_iter().filter_map(read) {
        let mut source_start = ByteCount::ZERO;
        for (source, ConcatSource { len, .. }) in sources.iter().enumerate() {
            let source_end = source_start + *len;
            let first = start.max(source_start);
            let last = end.min(source_end);
            if first < last {
                ranges.push(ReadRange { source, start: first - source_start, len: last - first });
            }
            source_start = source_end;
        }
    }
    ranges
}

/// Returns the length of the concatenation of `sources`.
pub(super) fn total(sources: &[ConcatSource]) -> ByteCount {
    sources.iter().fold(ByteCount::ZERO, |sum, source| sum + source.len)
}

/// Checks that the store can concatenate `sources`.
pub(super) fn check(sources: &[ConcatSource]) -> Result<()> {
    let too_large = |message: String| Err(Error::new(ErrorKind::FileTooLarge, message));
    if let Some(index) = sources.iter().position(|source| source.len > PART_SIZE_MAX) {
        let number = index + 1;
        return too_large(format!("partial upload {number} has more than {PART_SIZE_MAX}"));
    }
    if total(sources) > OBJECT_SIZE_MAX {
        return too_large(format!("the partial uploads have more than {OBJECT_SIZE_MAX}"));
    }
    let count = plan_parts(sources).len();
    if count > usize::from(PART_COUNT_MAX) {
        return too_large(format!(
            "the partial uploads make {count} parts; the maximum is {PART_COUNT_MAX}"
        ));
    }
    Ok(())
}

#[cfg(test)]
#[path = "concat_plan_tests.rs"]
mod tests;
