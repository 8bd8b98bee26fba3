//! How objects on the store are cut into the parts of the object that is made of them.
//!
//! A part is copied on the store from one object, and each but the last must have at least 100 KiB
//! (<https://www.alibabacloud.com/help/en/oss/developer-reference/uploadpartcopy>). What is smaller
//! is read and sent again, together with as little of what follows as makes a part. Every copy ends
//! with its object, so that its checksum follows from those of the objects.

use crate::crc64::Crc64;
use crate::error::{Error, ErrorKind, Result};
use crate::oss::action::CopyRange;
use crate::units::{
    ByteCount, MULTIPART_THRESHOLD, OBJECT_SIZE_MAX, PART_COUNT_MAX, PART_SIZE_MAX, PART_SIZE_MIN,
};

/// An object to be joined with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinSource {
    /// Its bucket, in the region of the target's.
    pub bucket: String,
    /// Its key.
    pub object: String,
    /// Its size: 5 GiB at most. One without bytes adds nothing.
    pub len: ByteCount,
    /// CRC of its bytes.
    pub crc64: Crc64,
}

/// One part of the object that is made, or the whole of it where that is below 100 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Copied on the store, up to the end of its source.
    Copy {
        /// The index of the source.
        source: usize,
        /// Which of its bytes.
        range: CopyRange,
    },
    /// Read from the store and sent again: below 200 KiB.
    Read {
        /// Where it starts in the object that is made.
        offset: ByteCount,
        /// How many bytes.
        len: ByteCount,
    },
}

/// Bytes of one source that have to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadRange {
    /// The index of the source.
    pub source: usize,
    /// Where in that source they start.
    pub start: ByteCount,
    /// How many they are.
    pub len: ByteCount,
}

impl Piece {
    /// How many bytes it has.
    #[must_use]
    pub const fn len(&self) -> ByteCount {
        match self {
            Self::Copy { range, .. } => range.len,
            Self::Read { len, .. } => *len,
        }
    }

    /// True for no bytes, which no piece has.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len().is_zero()
    }
}

/// The parts of the object that is made of `sources`, in their order.
#[must_use]
pub fn pieces(sources: &[JoinSource]) -> Vec<Piece> {
    let whole = total(sources);
    if whole.is_zero() {
        return Vec::new();
    }
    if whole < MULTIPART_THRESHOLD {
        return vec![Piece::Read { offset: ByteCount::ZERO, len: whole }];
    }
    let mut pieces = Vec::new();
    let mut offset = ByteCount::ZERO;
    // Bytes before `offset` that are too few for a part of their own.
    let mut pending = ByteCount::ZERO;
    for (source, JoinSource { len, .. }) in sources.iter().enumerate() {
        let is_last = offset + *len == whole;
        // What this source has to give so that the pending bytes become a part.
        let missing = if pending.is_zero() { ByteCount::ZERO } else { PART_SIZE_MIN - pending };
        let left = *len - missing;
        let copied = if left >= PART_SIZE_MIN || is_last { left } else { ByteCount::ZERO };
        pending += *len - copied;
        offset += *len;
        if pending >= PART_SIZE_MIN || (is_last && !pending.is_zero()) {
            pieces.push(Piece::Read { offset: offset - copied - pending, len: pending });
            pending = ByteCount::ZERO;
        }
        if !copied.is_zero() {
            let range = CopyRange { start: *len - copied, len: copied };
            pieces.push(Piece::Copy { source, range });
        }
        if is_last {
            break;
        }
    }
    pieces
}

/// What has to be read of `sources`, in this order, where the object that is made of them has
/// everything before the offset `from` already.
#[must_use]
pub fn reads(sources: &[JoinSource], from: ByteCount) -> Vec<ReadRange> {
    let read = |piece: Piece| match piece {
        Piece::Read { offset, len } if offset >= from => Some((offset, offset + len)),
        _ => None,
    };
    let mut ranges = Vec::new();
    for (start, end) in pieces(sources).into_iter().filter_map(read) {
        let mut source_start = ByteCount::ZERO;
        for (source, JoinSource { len, .. }) in sources.iter().enumerate() {
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

/// The length of the object that is made of `sources`.
pub(super) fn total(sources: &[JoinSource]) -> ByteCount {
    sources.iter().fold(ByteCount::ZERO, |sum, source| sum + source.len)
}

/// Fails where the store cannot make one object of these.
pub(super) fn check(sources: &[JoinSource]) -> Result<()> {
    let too_large = |message: String| Err(Error::new(ErrorKind::FileTooLarge, message));
    if let Some(index) = sources.iter().position(|source| source.len > PART_SIZE_MAX) {
        let number = index + 1;
        return too_large(format!("partial upload {number} has more than {PART_SIZE_MAX}"));
    }
    if total(sources) > OBJECT_SIZE_MAX {
        return too_large(format!("the partial uploads have more than {OBJECT_SIZE_MAX}"));
    }
    let count = pieces(sources).len();
    if count > usize::from(PART_COUNT_MAX) {
        return too_large(format!(
            "the partial uploads make {count} parts; the store takes {PART_COUNT_MAX} at most"
        ));
    }
    Ok(())
}

#[cfg(test)]
#[path = "concat_plan_tests.rs"]
mod tests;
