//! A session that makes its object of other objects: its parts are copies, or bytes that were read.

use super::join::{self, JoinSource, Piece};
use super::operation::Answer;
use super::session::{Session, misuse};
use super::transfer::{Filled, Part, PartBody, Rest};
use super::{Event, Purpose, SourceEnd};
use crate::crc64::{Crc64, combine};
use crate::error::{Error, ErrorKind, Result};
use crate::oss::action::missing_object;
use crate::units::{ByteCount, MULTIPART_THRESHOLD, PART_COUNT_MAX, PartNumber};

/// The pieces of a join that have not become parts yet.
#[derive(Debug)]
pub(super) struct Joining {
    sources: Vec<JoinSource>,
    /// For each source, the CRC of all bytes up to its end.
    ends: Vec<Crc64>,
    pieces: Vec<Piece>,
    next: usize,
    /// CRC of everything before the next piece.
    crc64: Crc64,
}

impl Joining {
    /// Takes what is to be joined out of a purpose.
    ///
    /// # Errors
    /// [`ErrorKind::FileTooLarge`] where the store cannot make one object of the sources.
    pub(super) fn of(purpose: &mut Purpose) -> Result<Option<Self>> {
        let Purpose::Join { sources } = purpose else { return Ok(None) };
        let sources = std::mem::take(sources);
        join::check(&sources)?;
        let ends = sources.iter().scan(Crc64::EMPTY, |crc, source| {
            *crc = combine(*crc, source.crc64, source.len.bytes());
            Some(*crc)
        });
        let (ends, pieces) = (ends.collect(), join::pieces(&sources));
        Ok(Some(Self { sources, ends, pieces, next: 0, crc64: Crc64::EMPTY }))
    }

    pub(super) fn total(&self) -> ByteCount {
        join::total(&self.sources)
    }

    pub(super) fn source(&self, index: usize) -> Option<&JoinSource> {
        self.sources.get(index)
    }

    /// Goes on at `offset`, before which the bytes have the CRC `crc64`.
    ///
    /// # Errors
    /// [`ErrorKind::LengthInconsistent`] where no piece begins there: the sources are others than
    /// those that the upload was begun with.
    pub(super) fn begin_at(&mut self, offset: ByteCount, crc64: Crc64) -> Result<()> {
        let mut at = ByteCount::ZERO;
        let mut next = 0;
        while let Some(piece) = self.pieces.get(next).filter(|_| at < offset) {
            at += piece.len();
            next += 1;
        }
        if at != offset {
            let message = "the partial uploads are not as long as when the join was begun";
            return Err(Error::new(ErrorKind::LengthInconsistent, message));
        }
        (self.next, self.crc64) = (next, crc64);
        Ok(())
    }

    /// The CRC of a copy of `len` bytes to the end of `source`: what has to follow the bytes so far
    /// so that all of them have the CRC of the sources up to there.
    fn copy_crc64(&self, source: usize, len: ByteCount) -> Crc64 {
        let end = self.ends.get(source).copied().unwrap_or_default();
        Crc64(end.0 ^ combine(self.crc64, Crc64::EMPTY, len.bytes()).0)
    }

    /// Whether all that was read and copied are the bytes of the sources.
    fn agrees(&self) -> bool {
        self.crc64 == self.ends.last().copied().unwrap_or_default()
    }

    fn take(&mut self, len: ByteCount, crc64: Crc64) {
        self.next += 1;
        self.crc64 = combine(self.crc64, crc64, len.bytes());
    }
}

impl Session {
    /// Makes parts of the next pieces, as many as may be under way at once; bytes to be read are
    /// wanted from the driver.
    pub(super) fn join_pieces(&mut self) -> Result<()> {
        while self.transfer.want.is_none()
            && self.transfer.held() < usize::from(self.plan.parallel())
        {
            let Some(joining) = &mut self.joining else { return Err(misuse("nothing is joined")) };
            let Some(piece) = joining.pieces.get(joining.next).copied() else {
                if !joining.agrees() {
                    let message = "what was read of the partial uploads is not what was sent";
                    return Err(Error::new(ErrorKind::ChecksumMismatch, message));
                }
                self.transfer.source_is_complete();
                return self.source_ended();
            };
            if self.transfer.next_number > PART_COUNT_MAX {
                let message = format!("all {PART_COUNT_MAX} part numbers are spent");
                return Err(Error::new(ErrorKind::FileTooLarge, message));
            }
            self.transfer.in_flight_max = usize::from(self.plan.parallel());
            match piece {
                Piece::Copy { source, range } => {
                    let crc64 = joining.copy_crc64(source, range.len);
                    joining.take(range.len, crc64);
                    let body = PartBody::Copy { source, start: range.start };
                    self.add_part(body, range.len, Some(crc64))?;
                }
                Piece::Read { len, .. } => {
                    self.want(len, false);
                }
            }
        }
        Ok(())
    }

    /// Makes a part, or the whole object, of bytes that were read. Nothing less counts.
    pub(super) fn piece_filled(&mut self, filled: &Filled, size: ByteCount) -> Result<()> {
        let Filled { fill, len, crc64, end } = *filled;
        if len < size {
            self.event(Event::Released(fill));
            let message = "the bytes of a partial upload broke off";
            return match end {
                SourceEnd::Stopped => self.refuse(stopped()),
                _ => Err(Error::new(ErrorKind::StoreUnavailable, message)),
            };
        }
        let Some(joining) = &mut self.joining else { return Err(misuse("nothing is joined")) };
        joining.take(len, crc64);
        let nothing_sent = self.checkpoint.upload_id.is_none() && self.transfer.parts.is_empty();
        if nothing_sent && len < MULTIPART_THRESHOLD {
            self.transfer.rest = Some(Rest { fill, len, crc64, whole_source: true });
            return Ok(());
        }
        self.add_part(PartBody::Fill(fill), len, Some(crc64))
    }

    /// What a failed copy means for the upload.
    pub(super) fn copy_ended(&mut self, number: PartNumber, result: Result<Answer>) -> Result<()> {
        let error = match result {
            Err(error) if is_missing(&error) => error,
            result => return self.part_ended(number, result),
        };
        let copied = |part: &Part| match part.body {
            PartBody::Copy { source, .. } if part.number == number => Some(source),
            _ => None,
        };
        let source = self.transfer.parts.iter().find_map(copied).unwrap_or_default();
        let object = self.joining.as_ref().and_then(|joining| joining.source(source));
        let object = object.map_or("", |source| source.object.as_str());
        let context = format!("partial upload {}", source + 1);
        self.lost(missing_object(object, &error).while_doing(&context))
    }
}

/// Why a request that somebody else stopped has not brought all that it was to bring.
pub(super) fn stopped() -> Error {
    let message = "another request asked this one to end: what it has brought is kept";
    Error::new(ErrorKind::TakenOver, message)
}

fn is_missing(error: &Error) -> bool {
    error.store().is_some_and(|store| store.code == "NoSuchKey")
}
