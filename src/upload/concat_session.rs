//! The progress of a concatenation: which planned parts have been started, and their CRC.

use super::concat_plan::{self, ConcatSource, PlannedPart};
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

/// The next part of a concatenation.
#[derive(Debug)]
pub(super) enum ConcatPart {
    /// To be copied on the store.
    Copy { source: CopySource, len: ByteCount, crc64: Crc64 },
    /// To be filled by the driver.
    Read { len: ByteCount },
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
            let message = "the partial uploads are not as long as when the join was begun";
            return Err(Error::new(ErrorKind::LengthInconsistent, message));
        }
        (self.next, self.crc64) = (next, crc64);
        Ok(())
    }

    /// Returns the next part; `None` after the last one. A copy counts as started, a part to be
    /// read once it is [filled](Self::part_filled).
    pub(super) fn next_part(&mut self) -> Option<ConcatPart> {
        match *self.planned.get(self.next)? {
            PlannedPart::Copy { source: index, range: CopyRange { start, len } } => {
                let source = self.sources.get(index)?;
                let crc64 = self.copy_crc64(index, len);
                let source = CopySource {
                    index,
                    bucket: source.bucket.clone(),
                    object: source.object.clone(),
                    range: (len < source.len).then_some(CopyRange { start, len }),
                };
                self.part_filled(len, crc64);
                Some(ConcatPart::Copy { source, len, crc64 })
            }
            PlannedPart::Read { len, .. } => Some(ConcatPart::Read { len }),
        }
    }

    /// Records that the next part has these bytes.
    pub(super) fn part_filled(&mut self, len: ByteCount, crc64: Crc64) {
        self.next += 1;
        self.crc64 = combine(self.crc64, crc64, len.bytes());
    }

    /// Checks that all bytes that were read and copied are those of the sources.
    pub(super) fn check_crc64(&self) -> Result<()> {
        if self.crc64 == self.end_crcs.last().copied().unwrap_or_default() {
            return Ok(());
        }
        let message = "what was read of the partial uploads is not what was sent";
        Err(Error::new(ErrorKind::ChecksumMismatch, message))
    }

    /// Returns the CRC of a copy of `len` bytes up to the end of a source: what must follow the
    /// bytes so far so that all of them have the CRC of the sources up to there.
    fn copy_crc64(&self, source: usize, len: ByteCount) -> Crc64 {
        let end = self.end_crcs.get(source).copied().unwrap_or_default();
        Crc64(end.0 ^ combine(self.crc64, Crc64::EMPTY, len.bytes()).0)
    }
}
