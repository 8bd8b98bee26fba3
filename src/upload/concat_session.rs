//! The progress of a concatenation: which planned parts have been started, and their CRC.

use super::concat_plan::{self, ConcatSource, PlannedPart};
use super::errors::misuse;
use super::operation::CopySource;
use crate::crc64::{Crc64, combine};
use crate::error::{Error, ErrorKind, Result};
use crate::oss::action::CopyRange;
use crate::units::ByteCount;

/// The planned parts of a concatenation that have not been started yet.
#[derive(Debug)]
pub(super) struct Concatenation {
    sources: Vec<ConcatSource>,
    /// For each source, the CRC of all bytes up to its end.
    end_crcs: Vec<Crc64>,
    planned: Vec<PlannedPart>,
    next: usize,
    /// CRC of all bytes before the next planned part.
    crc64: Crc64,
}

impl Concatenation {
    /// # Errors
    /// Returns [`ErrorKind::FileTooLarge`] if the store cannot make one object of the sources.
    pub(super) fn new(sources: Vec<ConcatSource>) -> Result<Self> {
        concat_plan::check(&sources)?;
        let end_crcs = sources.iter().scan(Crc64::EMPTY, |crc, source| {
            *crc = combine(*crc, source.crc64, source.len.bytes());
            Some(*crc)
        });
        let (end_crcs, planned) = (end_crcs.collect(), concat_plan::plan_parts(&sources));
        Ok(Self { sources, end_crcs, planned, next: 0, crc64: Crc64::EMPTY })
    }

    pub(super) fn total(&self) -> ByteCount {
        concat_plan::total(&self.sources)
    }

    /// Continues at `offset`, before which the bytes have the CRC `crc64`.
    ///
    /// # Errors
    /// Returns [`ErrorKind::LengthInconsistent`] if no planned part starts there: the sources
    /// differ from those that the concatenation was started with.
    pub(super) fn start_at(&mut self, offset: ByteCount, crc64: Crc64) -> Result<()> {
        let mut at = ByteCount::ZERO;
        let mut next = 0;
        while let Some(planned) = self.planned.get(next).filter(|_| at < offset) {
            at += planned.len();
            next += 1;
        }
        if at != offset {
            let message = "the lengths of the partial uploads differ from those at the start of \
                           the concatenation";
            return Err(Error::new(ErrorKind::LengthInconsistent, message));
        }
        (self.next, self.crc64) = (next, crc64);
        Ok(())
    }

    /// Returns the next part, to be [copied](Self::start_copy) or [read](Self::part_filled); `None`
    /// after the last one.
    pub(super) fn next_part(&self) -> Option<PlannedPart> {
        self.planned.get(self.next).copied()
    }

    /// Starts the next part, a copy of `range` of the source with this index. Returns what to copy,
    /// and the CRC of its bytes.
    pub(super) fn start_copy(
        &mut self,
        index: usize,
        range: CopyRange,
    ) -> Result<(CopySource, Crc64)> {
        let source =
            self.sources.get(index).ok_or_else(|| misuse("a planned source is missing"))?;
        let copied = CopySource {
            index,
            bucket: source.bucket.clone(),
            object: source.object.clone(),
            range: (range.len < source.len).then_some(range),
        };
        let crc64 = self.copy_crc64(index, range.len);
        self.part_filled(range.len, crc64);
        Ok((copied, crc64))
    }

    /// Records that the next part has these bytes.
    pub(super) fn part_filled(&mut self, len: ByteCount, crc64: Crc64) {
        self.next += 1;
        self.crc64 = combine(self.crc64, crc64, len.bytes());
    }

    /// Checks that the bytes that were read and copied are those of the sources.
    pub(super) fn check_crc64(&self) -> Result<()> {
        if self.crc64 == self.end_crcs.last().copied().unwrap_or_default() {
            return Ok(());
        }
        let message = "the bytes read from the partial uploads do not match their CRC-64";
        Err(Error::new(ErrorKind::ChecksumMismatch, message))
    }

    /// Returns the CRC of a copy of `len` bytes up to the end of a source, from the CRC of the
    /// bytes before the copy and that of the sources up to its end.
    fn copy_crc64(&self, source: usize, len: ByteCount) -> Crc64 {
        let end = self.end_crcs.get(source).copied().unwrap_or_default();
        Crc64(end.0 ^ combine(self.crc64, Crc64::EMPTY, len.bytes()).0)
    }
}
