//! From the parts to the store: sending them, and moving the frontier of what is confirmed.

use super::checkpoint::{Checkpoint, FinishedPart};
use super::operation::{Answer, Operation, agree, is_initiate};
use super::session::{Session, misuse};
use super::state::{State, Trigger};
use super::transfer::{Part, PartBody, PartStatus, Transfer};
use super::{Event, Purpose, Receive};
use crate::crc64::Crc64;
use crate::error::{ErrorKind, Result};
use crate::oss::UploadId;
use crate::oss::action::CopyRange;
use crate::units::{ByteCount, PartNumber};

impl Session {
    pub(super) fn add_part(
        &mut self,
        body: PartBody,
        len: ByteCount,
        crc64: Option<Crc64>,
    ) -> Result<()> {
        let number = PartNumber::new(self.transfer.next_number)
            .ok_or_else(|| misuse("the plan allowed a part without a number"))?;
        self.transfer.next_number += 1;
        self.transfer.filled_to += len;
        self.transfer.parts.push_back(Part { number, len, crc64, body, status: PartStatus::Ready });
        Ok(())
    }

    /// Sends the parts that are ready, as many at once as the plan allows, once the upload has an
    /// id and their numbers are reserved. A restart has to be stored before a new upload is begun:
    /// who was taken over must not begin one.
    pub(super) fn start_parts(&mut self) -> Result<()> {
        if !matches!(self.state, State::Receiving | State::Draining)
            || self.transfer.parts.iter().all(|part| part.status != PartStatus::Ready)
        {
            return Ok(());
        }
        let Some(upload_id) = self.checkpoint.upload_id.clone().map(UploadId) else {
            let restart_unstored = self.transfer.restarted && self.save.is_busy();
            if !restart_unstored && !self.calls.has(is_initiate) {
                let content_type = self.content_type.clone();
                self.calls.start(self.now, Operation::Initiate { content_type });
            }
            return Ok(());
        };
        let reserved = self.save.reserved();
        let mut room = self.transfer.in_flight_max.saturating_sub(self.transfer.sent());
        for part in &mut self.transfer.parts {
            if room == 0 || part.number.number() > reserved {
                break;
            }
            if part.status == PartStatus::Ready {
                part.status = PartStatus::Sent;
                room -= 1;
                let upload_id = upload_id.clone();
                let Part { number, len, crc64, .. } = *part;
                let operation = match part.body {
                    PartBody::Fill(fill) => {
                        Operation::UploadPart { upload_id, number, len, crc64, fill }
                    }
                    PartBody::Copy { source, start } => {
                        let joined = self.joining.as_ref().and_then(|join| join.source(source));
                        let joined = joined.ok_or_else(|| misuse("no such source is joined"))?;
                        Operation::CopyPart {
                            upload_id,
                            number,
                            source_bucket: joined.bucket.clone(),
                            source_key: joined.object.clone(),
                            range: (len < joined.len).then_some(CopyRange { start, len }),
                            len,
                            crc64,
                        }
                    }
                };
                self.calls.start(self.now, operation);
            }
        }
        Ok(())
    }

    pub(super) fn initiated(&mut self, result: Result<Answer>) -> Result<()> {
        let refused = self.trouble.is_some() && self.transfer.parts.is_empty();
        if self.state == State::Draining && refused && result.is_err() {
            // Nothing of the request counts: why it was refused is what its client has to know.
            return Ok(());
        }
        match result? {
            Answer::Initiated(upload_id) => {
                self.checkpoint.upload_id = Some(upload_id.as_str().to_owned());
                Ok(())
            }
            _ => Err(misuse("not an answer to InitiateMultipartUpload")),
        }
    }

    pub(super) fn part_ended(&mut self, number: PartNumber, result: Result<Answer>) -> Result<()> {
        let uploaded = match result {
            Ok(Answer::Part(uploaded)) => uploaded,
            Ok(_) => return Err(misuse("not an answer to UploadPart")),
            Err(error) if error.kind() == ErrorKind::UploadLost => return self.forgotten(error),
            Err(error) => return Err(error),
        };
        let part = self.transfer.parts.iter_mut().find(|part| part.number == number);
        let Some(part) = part else { return Err(misuse("no such part is on its way")) };
        part.status = PartStatus::Stored(uploaded);
        if let Some(fill) = part.body.fill() {
            self.event(Event::Released(fill));
        }
        self.advance_frontier()
    }

    /// Takes the confirmed parts that continue the source into the checkpoint, where they count.
    pub(super) fn advance_frontier(&mut self) -> Result<()> {
        if self.holds_back() {
            return Ok(());
        }
        loop {
            let Some(front) = self.transfer.parts.front() else { return Ok(()) };
            let (PartStatus::Stored(uploaded), Some(crc64)) = (&front.status, front.crc64) else {
                return Ok(());
            };
            // A streamed part's reply can come before its CRC is known: compare it here, too.
            agree(&format!("part {}", front.number), Some(crc64), uploaded.crc64)?;
            let finished =
                FinishedPart { number: front.number, len: front.len, crc64, etag: uploaded.etag };
            self.transfer.parts.pop_front();
            if let Some(tail) = self.checkpoint.tail.take() {
                self.save.discard(self.key.tail(tail.turn, tail.serial));
            }
            if let Some(full) = self.checkpoint.push_part(&finished, self.turn) {
                self.save.add_page(full);
            }
        }
    }

    /// Begins again from the source's start with a new multipart upload: once, and only where the
    /// driver has said that the source can be read again.
    pub(super) fn start_over(&mut self) -> Result<bool> {
        if !self.takes_bytes() || !self.replayable || self.transfer.restarted {
            return Ok(false);
        }
        self.go(Trigger::StartOver)?;
        self.cancel_calls();
        self.release_fills();
        self.transfer.abandon_want();
        self.transfer = Transfer {
            next_fill: self.transfer.next_fill,
            abandoned: self.transfer.abandoned,
            restarted: true,
            ..Transfer::default()
        };
        self.discard_parts();
        self.checkpoint = Checkpoint {
            previous: self.checkpoint.previous,
            length_bytes: self.checkpoint.length_bytes,
            ..Checkpoint::empty()
        };
        self.save.start_over();
        if let Some(joining) = &mut self.joining {
            joining.begin_at(ByteCount::ZERO, Crc64::EMPTY)?;
        }
        if let Purpose::Receive(Receive { offset, request_len, .. }) = &mut self.purpose {
            let end = request_len.map(|len| *offset + len);
            *request_len = self.plan.length().or(end);
            *offset = ByteCount::ZERO;
        }
        self.event(Event::Rewind);
        Ok(true)
    }

    /// Tells the driver that no buffer is needed any more.
    pub(super) fn release_fills(&mut self) {
        let held = |part: &Part| !matches!(part.status, PartStatus::Stored(_));
        let parts = std::mem::take(&mut self.transfer.parts);
        let rest = self.transfer.rest.take().map(|rest| rest.fill);
        for fill in parts.into_iter().filter(held).filter_map(|part| part.body.fill()).chain(rest) {
            self.event(Event::Released(fill));
        }
    }
}
