//! The parts that are not in the checkpoint yet, in the order of their bytes.

use std::collections::VecDeque;

use super::checkpoint::FinishedPart;
use super::errors::misuse;
use super::ids::FillId;
use super::operation::{CopySource, Operation, verify_crc64};
use crate::crc64::Crc64;
use crate::error::Result;
use crate::oss::MultipartUploadId;
use crate::oss::action::UploadedPart;
use crate::units::{ByteCount, PartNumber};

/// The parts that are filled, in flight, or stored after an unconfirmed part.
#[derive(Debug)]
pub(super) struct Parts {
    next_number: u16,
    in_flight_max: usize,
    queue: VecDeque<Part>,
}

/// Where the bytes of a part are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PartBody {
    /// In a buffer of the driver, or being streamed.
    Buffer(FillId),
    /// On the store.
    Copy(CopySource),
}

#[derive(Debug)]
struct Part {
    number: PartNumber,
    len: ByteCount,
    /// `None` while the bytes are being streamed.
    crc64: Option<Crc64>,
    body: PartBody,
    status: PartStatus,
}

#[derive(Debug, PartialEq, Eq)]
enum PartStatus {
    /// Filled, or about to be streamed: to be sent.
    Ready,
    Sent,
    Stored(UploadedPart),
}

impl Parts {
    pub(super) const fn new() -> Self {
        Self { next_number: 1, in_flight_max: 1, queue: VecDeque::new() }
    }

    /// Numbers parts above `number`, which an earlier writer may have used.
    pub(super) const fn start_above(&mut self, number: u16) {
        self.next_number = number.saturating_add(1);
    }

    pub(super) fn limit_in_flight(&mut self, max: u8) {
        self.in_flight_max = usize::from(max);
    }

    pub(super) fn push(
        &mut self,
        body: PartBody,
        len: ByteCount,
        crc64: Option<Crc64>,
    ) -> Result<()> {
        let number =
            PartNumber::new(self.next_number).ok_or_else(|| misuse("no part number is left"))?;
        self.next_number += 1;
        self.queue.push_back(Part { number, len, crc64, body, status: PartStatus::Ready });
        Ok(())
    }

    /// Returns the call that sends the next part, if its number is at most `reserved` and fewer
    /// parts are in flight than allowed.
    pub(super) fn send_next(
        &mut self,
        upload_id: &MultipartUploadId,
        reserved: u16,
    ) -> Option<Operation> {
        let in_flight = self.queue.iter().filter(|part| part.status == PartStatus::Sent).count();
        if in_flight >= self.in_flight_max {
            return None;
        }
        let mut reserved =
            self.queue.iter_mut().take_while(|part| part.number.number() <= reserved);
        let part = reserved.find(|part| part.status == PartStatus::Ready)?;
        part.status = PartStatus::Sent;
        let Part { number, len, crc64, ref body, .. } = *part;
        let upload_id = upload_id.clone();
        Some(match body {
            PartBody::Buffer(fill) => {
                Operation::UploadPart { upload_id, number, len, crc64, fill: *fill }
            }
            PartBody::Copy(source) => {
                Operation::CopyPart { upload_id, number, source: source.clone(), len, crc64 }
            }
        })
    }

    /// Records that the store has a part. Returns the buffer that is no longer needed.
    pub(super) fn stored(
        &mut self,
        number: PartNumber,
        uploaded: UploadedPart,
    ) -> Result<Option<FillId>> {
        let part = self.queue.iter_mut().find(|part| part.number == number);
        let part = part.ok_or_else(|| misuse("no such part is in flight"))?;
        part.status = PartStatus::Stored(uploaded);
        Ok(part.buffer())
    }

    /// Removes and returns the first part if it is stored and its CRC is known.
    ///
    /// # Errors
    /// Returns [`ErrorKind::ChecksumMismatch`](crate::ErrorKind::ChecksumMismatch) if the store has
    /// other bytes than those that were streamed.
    pub(super) fn take_finished(&mut self) -> Result<Option<FinishedPart>> {
        let Some(first) = self.queue.front() else { return Ok(None) };
        let (PartStatus::Stored(uploaded), Some(crc64)) = (&first.status, first.crc64) else {
            return Ok(None);
        };
        // The response to a streamed part can arrive before its CRC is known.
        verify_crc64(&format!("part {}", first.number), Some(crc64), uploaded.crc64)?;
        let finished =
            FinishedPart { number: first.number, len: first.len, crc64, etag: uploaded.etag };
        self.queue.pop_front();
        Ok(Some(finished))
    }

    /// Returns the declared length of the part that is streamed from `fill`, and sets its CRC if
    /// that many bytes arrived.
    pub(super) fn end_stream(
        &mut self,
        fill: FillId,
        len: ByteCount,
        crc64: Crc64,
    ) -> Result<ByteCount> {
        let part = self.queue.iter_mut().find(|part| part.body == PartBody::Buffer(fill));
        let part = part.ok_or_else(|| misuse("the stream was not opened"))?;
        if part.len == len {
            part.crc64 = Some(crc64);
        }
        Ok(part.len)
    }

    pub(super) fn clear(&mut self) {
        self.queue.clear();
    }

    /// Removes all parts, and returns their buffers.
    pub(super) fn release(&mut self) -> Vec<FillId> {
        let unconfirmed = self.queue.drain(..).filter(Part::is_unconfirmed);
        unconfirmed.filter_map(|part| part.buffer()).collect()
    }

    pub(super) fn uses(&self, fill: FillId) -> bool {
        self.queue.iter().any(|part| part.body == PartBody::Buffer(fill))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Returns the number of parts whose buffers the driver must retain.
    pub(super) fn buffered_count(&self) -> usize {
        self.queue.iter().filter(|part| part.is_unconfirmed()).count()
    }

    /// Returns the number of bytes of the parts that are not sent yet.
    pub(super) fn unsent(&self) -> ByteCount {
        self.ready().fold(ByteCount::ZERO, |sum, part| sum + part.len)
    }

    /// Returns the highest number of a part that is not sent yet; zero if all are.
    pub(super) fn highest_unsent(&self) -> u16 {
        self.ready().map(|part| part.number.number()).max().unwrap_or_default()
    }

    pub(super) const fn next_number(&self) -> u16 {
        self.next_number
    }

    fn ready(&self) -> impl Iterator<Item = &Part> {
        self.queue.iter().filter(|part| part.status == PartStatus::Ready)
    }
}

impl Part {
    const fn is_unconfirmed(&self) -> bool {
        !matches!(self.status, PartStatus::Stored(_))
    }

    const fn buffer(&self) -> Option<FillId> {
        match self.body {
            PartBody::Buffer(fill) => Some(fill),
            PartBody::Copy(_) => None,
        }
    }
}
