//! Writes checkpoints: one at a time, acknowledged only if no other writer competes for the next
//! epoch.
//!
//! ```text
//! full pages of ETags → tail → checkpoint → no candidate for the next epoch → no later lease
//!   → acknowledge → delete obsolete keys
//! ```
//!
//! A checkpoint whose write failed may be stored at any later time, so this writer acquires the
//! next epoch before it writes another one.
//!
//! Parts that are confirmed during a write share the next one, so there is at most one write per
//! part.

use std::collections::VecDeque;

use super::checkpoint::{Checkpoint, EtagPage, FinishedPart, Tail, UploadPhase};
use super::errors::{misuse, taken_over};
use super::ids::FillId;
use super::kv_calls::{KvRequest, may_succeed_later};
use super::lease::{Lease, WriterEpoch};
use super::output::Value;
use super::records::UploadId;
use super::state::State;
use super::transfer::Remainder;
use crate::error::{Error, Result};
use crate::oss::MultipartUploadId;
use crate::units::{ByteCount, PART_COUNT_MAX, UnixMillis};

/// The next checkpoint, and the writes that store it.
#[derive(Debug)]
pub(super) struct CheckpointWriter {
    id: UploadId,
    holder: WriterEpoch,
    /// When this writer was last known to be current.
    current_at: UnixMillis,
    /// The epoch of the last checkpoint that is known to be stored.
    stored_epoch: Option<u32>,
    /// The content of the next checkpoint.
    draft: Checkpoint,
    step: Step,
    requested: bool,
    length_is_new: bool,
    /// Full pages to be written before the next checkpoint.
    pages: VecDeque<EtagPage>,
    next_tail_serial: u32,
    /// The content of the checkpoint in progress; `None` if the upload has been restarted since.
    writing: Option<WrittenState>,
    written: WrittenState,
    /// Keys that the next checkpoint does not refer to.
    obsolete: Vec<String>,
    /// Keys that the checkpoint in progress does not refer to.
    deleting: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Idle,
    Page,
    Tail(Tail, FillId),
    Checkpoint,
    /// The candidate of the next epoch is read.
    Candidate,
    /// The lease is read as well: a later writer may have deleted the candidate, with the records
    /// of the upload or because of its age.
    Lease,
    /// The session acquires the next epoch.
    Renewal,
    /// Nothing is written: another writer is current, or the store cannot be used.
    Abandoned,
}

/// The content of an acknowledged checkpoint, as far as later writes depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct WrittenState {
    durable: ByteCount,
    parts_bytes: u64,
    reserved_number: u16,
    has_upload_id: bool,
    /// Whether nothing of this session is in flight.
    is_clean: bool,
    /// Whether this session may acknowledge more bytes.
    writer_active: bool,
}

/// What the session contributes to a checkpoint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    pub(super) now: UnixMillis,
    pub(super) state: State,
    pub(super) accepts_bytes: bool,
    /// Whether nothing is in flight to the store.
    pub(super) is_drained: bool,
    /// Whether all bytes of the file have arrived.
    pub(super) is_complete: bool,
    pub(super) is_single_put: bool,
    pub(super) remainder: Option<Remainder>,
    pub(super) last_number: u16,
    /// The highest number of a part that waits to be sent; zero if none does.
    pub(super) highest_unsent: u16,
    pub(super) parallel: u8,
}

/// What follows from a write or a read.
#[derive(Debug)]
pub(super) enum WriterStep {
    Kv(KvRequest),
    /// The tail is stored, and its buffer is no longer needed.
    TailStored {
        fill: FillId,
        next: KvRequest,
    },
    /// Acquire the next epoch, and call [`CheckpointWriter::renewed`].
    Renew(Renewal),
    /// The checkpoint is stored, and this writer is still current. `durable` is the acknowledged
    /// offset, if it has increased; nothing refers to the keys in `obsolete`.
    Acknowledged {
        durable: Option<ByteCount>,
        obsolete: Vec<String>,
    },
}

/// A checkpoint may or may not be stored: the next one needs another epoch.
#[derive(Debug)]
pub(super) struct Renewal {
    /// Why.
    pub(super) error: Error,
    /// When this writer was last known to be current.
    pub(super) current_at: UnixMillis,
    /// The epoch of the last checkpoint that is known to be stored.
    pub(super) stored_epoch: Option<u32>,
}

impl CheckpointWriter {
    pub(super) fn new(id: UploadId) -> Self {
        Self {
            id,
            holder: Lease::unheld().holder,
            current_at: UnixMillis(0),
            stored_epoch: None,
            draft: Checkpoint::empty(),
            step: Step::Idle,
            requested: false,
            length_is_new: false,
            pages: VecDeque::new(),
            next_tail_serial: 0,
            writing: None,
            written: WrittenState::default(),
            obsolete: Vec::new(),
            deleting: Vec::new(),
        }
    }

    /// Continues from the checkpoint of `epoch`, as `holder`, which was current at `current_at`.
    /// `length` is the file's length, if it was not declared with the upload.
    pub(super) fn start(
        &mut self,
        (holder, current_at): (WriterEpoch, UnixMillis),
        epoch: Option<u32>,
        checkpoint: Checkpoint,
        length: Option<ByteCount>,
    ) {
        self.holder = holder;
        self.current_at = current_at;
        self.stored_epoch = epoch;
        self.written.durable = checkpoint.durable();
        self.written.parts_bytes = checkpoint.parts_bytes;
        self.written.has_upload_id = checkpoint.upload_id.is_some();
        self.length_is_new = length.is_some() && checkpoint.length_bytes.is_none();
        self.draft = checkpoint;
        self.draft.length_bytes = self.draft.length_bytes.or(length.map(ByteCount::bytes));
        self.continue_from(epoch);
    }

    /// Continues as `holder`, after [`WriterStep::Renew`].
    pub(super) fn renewed(&mut self, holder: WriterEpoch) {
        if matches!(self.step, Step::Renewal) {
            let epoch = self.holder.epoch;
            self.holder = holder;
            self.continue_from(Some(epoch));
            self.step = Step::Idle;
            self.requested = true;
        }
    }

    /// Returns the next checkpoint.
    pub(super) const fn draft(&self) -> &Checkpoint {
        &self.draft
    }

    /// Returns the store's ID of the multipart upload.
    pub(super) fn upload_id(&self) -> Option<MultipartUploadId> {
        self.draft.upload_id.clone().map(MultipartUploadId)
    }

    pub(super) fn set_upload_id(&mut self, id: &MultipartUploadId) {
        self.draft.upload_id = Some(id.as_str().to_owned());
    }

    /// Adds the confirmed part that continues the draft.
    pub(super) fn push_part(&mut self, part: &FinishedPart) {
        if let Some(tail) = self.draft.tail.take() {
            self.obsolete.push(self.id.tail_key(tail.writer, tail.serial));
        }
        self.pages.extend(self.draft.push_part(part, self.holder));
    }

    /// Starts again without parts, in a new multipart upload.
    pub(super) fn restart(&mut self) {
        self.discard_parts();
        self.draft = Checkpoint {
            previous_epoch: self.draft.previous_epoch,
            length_bytes: self.draft.length_bytes,
            ..Checkpoint::empty()
        };
        self.pages.clear();
        self.writing = None;
        self.written = WrittenState::default();
        self.requested = true;
    }

    /// Stores the end of the upload, and then deletes what only its continuation needs.
    pub(super) fn end(&mut self, phase: UploadPhase) {
        self.discard_parts();
        self.obsolete.push(self.id.credential_key());
        if let UploadPhase::Completed(object) = &phase {
            self.draft.tail = None;
            self.draft.parts_bytes = object.size_bytes;
            self.draft.crc64 = object.crc64;
            self.draft.part_count = self.draft.part_count.max(1);
        }
        self.draft.phase = phase;
        self.requested = true;
    }

    /// Requests a checkpoint, even if nothing has changed.
    pub(super) const fn request(&mut self) {
        self.requested = true;
    }

    /// Writes no further checkpoint.
    pub(super) const fn abandon(&mut self) {
        self.step = Step::Abandoned;
        self.requested = false;
    }

    /// Starts the next write, if there is something to store and none is in progress.
    pub(super) fn write_if_due(&mut self, progress: &Progress) -> Result<Option<KvRequest>> {
        if !matches!(self.step, Step::Idle) {
            return Ok(None);
        }
        let receives = matches!(progress.state, State::Receiving | State::Draining);
        let has_failed = progress.state == State::Failed;
        let has_moved = self.upload_id_is_new() || self.parts_are_new();
        let needs_numbers = receives
            && self.draft.upload_id.is_some()
            && progress.highest_unsent > self.reserved_number();
        let is_final = self.needs_final_write(progress);
        self.requested |= has_moved && (receives || has_failed)
            || needs_numbers
            || is_final
            || has_failed && self.written.writer_active;
        if !self.requested {
            return Ok(None);
        }
        if is_final && progress.is_complete {
            // In the same write as the last part: a reader never sees all bytes without this phase.
            self.draft.phase = UploadPhase::Completing;
        }
        self.requested = false;
        self.write_next(progress).map(Some)
    }

    /// Accepts the result of the last operation; `None` if the writer is abandoned.
    ///
    /// # Errors
    /// Returns [`ErrorKind::TakenOver`](crate::ErrorKind::TakenOver) if another writer competes for
    /// the next epoch, and the operation's error.
    pub(super) fn on_result(
        &mut self,
        result: Result<Option<Vec<u8>>>,
        progress: &Progress,
    ) -> Result<Option<WriterStep>> {
        let step = self.step;
        if matches!(step, Step::Abandoned) {
            return Ok(None);
        }
        let value = match result {
            Err(error) if matches!(step, Step::Checkpoint) && may_succeed_later(&error) => {
                self.step = Step::Renewal;
                let (current_at, stored_epoch) = (self.current_at, self.stored_epoch);
                return Ok(Some(WriterStep::Renew(Renewal { error, current_at, stored_epoch })));
            }
            result => result?,
        };
        Ok(Some(match step {
            Step::Page => WriterStep::Kv(self.write_next(progress)?),
            Step::Tail(tail, fill) => {
                if let Some(old) = self.draft.tail.replace(tail) {
                    self.obsolete.push(self.id.tail_key(old.writer, old.serial));
                }
                WriterStep::TailStored { fill, next: self.write_checkpoint(progress)? }
            }
            Step::Checkpoint => {
                self.step = Step::Candidate;
                let next = self.id.registers(self.holder.epoch + 1);
                WriterStep::Kv(KvRequest::Get(next.candidate().to_owned()))
            }
            Step::Candidate if value.is_some() => return Err(taken_over()),
            Step::Candidate => {
                self.step = Step::Lease;
                WriterStep::Kv(KvRequest::Get(self.id.lease_key()))
            }
            Step::Lease if !self.is_current(value.as_deref())? => return Err(taken_over()),
            Step::Lease => self.acknowledge(progress.now),
            Step::Idle | Step::Renewal | Step::Abandoned => {
                return Err(misuse("no checkpoint is being written"));
            }
        }))
    }

    /// Returns the acknowledged offset.
    pub(super) const fn durable(&self) -> ByteCount {
        self.written.durable
    }

    /// Returns the highest part number that may be sent. A writer that takes over starts above it,
    /// and aborts the upload by its ID, which is therefore stored before any part is sent.
    pub(super) const fn reserved_number(&self) -> u16 {
        if self.written.has_upload_id { self.written.reserved_number } else { 0 }
    }

    /// Whether a write is in progress or requested.
    pub(super) const fn is_busy(&self) -> bool {
        self.requested || !matches!(self.step, Step::Idle | Step::Abandoned)
    }

    /// Whether the session acquires the next epoch.
    pub(super) const fn is_renewing(&self) -> bool {
        matches!(self.step, Step::Renewal)
    }

    /// Whether this session's last checkpoint leaves nothing in flight.
    pub(super) const fn is_clean(&self) -> bool {
        self.written.is_clean
    }

    /// Whether this session declares the file's length, which no checkpoint has yet.
    pub(super) const fn length_is_new(&self) -> bool {
        self.length_is_new
    }

    /// Whether everything of this request is confirmed, but not stored as this session's last
    /// checkpoint.
    fn needs_final_write(&self, progress: &Progress) -> bool {
        progress.state == State::Draining
            && progress.is_drained
            && !self.written.is_clean
            && !progress.is_single_put
    }

    fn parts_are_new(&self) -> bool {
        self.draft.parts_bytes != self.written.parts_bytes
    }

    const fn upload_id_is_new(&self) -> bool {
        self.draft.upload_id.is_some() && !self.written.has_upload_id
    }

    fn write_next(&mut self, progress: &Progress) -> Result<KvRequest> {
        if let Some(page) = self.pages.pop_front() {
            self.step = Step::Page;
            let key = self.id.etag_page_key(page.page, self.holder);
            return Ok(KvRequest::SetRepeatedly(key, Value::Bytes(page.encode()?)));
        }
        // The tail continues the parts: it is valid only after all of them are confirmed.
        let is_drained = progress.state == State::Draining && progress.is_drained;
        match progress.remainder.filter(|remainder| is_drained && !remainder.is_entire_file) {
            Some(remainder) => self.write_tail(remainder),
            None => self.write_checkpoint(progress),
        }
    }

    fn write_tail(&mut self, remainder: Remainder) -> Result<KvRequest> {
        let Remainder { fill, len, crc64, .. } = remainder;
        let serial = self.next_tail_serial;
        self.next_tail_serial += 1;
        let len_bytes =
            u32::try_from(len.bytes()).map_err(|_| misuse("a tail is smaller than a part"))?;
        let tail = Tail { writer: self.holder, serial, len_bytes, crc64: crc64.0 };
        self.step = Step::Tail(tail, fill);
        let key = self.id.tail_key(tail.writer, serial);
        Ok(KvRequest::SetRepeatedly(key, Value::Fill { fill, len }))
    }

    fn write_checkpoint(&mut self, progress: &Progress) -> Result<KvRequest> {
        let is_clean = match progress.state {
            State::Draining => progress.is_drained,
            // Requests of a failed session that were canceled may still arrive.
            State::Receiving | State::Failed => false,
            // This writer has sent no part: the last writer's state still applies.
            State::Verifying | State::Reconciling | State::Aborting | State::Suspended => {
                self.draft.is_clean
            }
            _ => true,
        };
        let continues = match progress.state {
            State::Verifying | State::Receiving => true,
            State::Draining => !is_clean || progress.is_single_put,
            _ => false,
        };
        self.draft.reserved_part_number = if is_clean || self.draft.upload_id.is_none() {
            progress.last_number
        } else {
            let ahead = 2 * (u16::from(progress.parallel) + 1);
            let number = progress.last_number.saturating_add(ahead).min(PART_COUNT_MAX);
            number.max(self.written.reserved_number)
        };
        self.draft.is_clean = is_clean;
        self.draft.writer_active = continues && progress.accepts_bytes;
        self.draft.session_ended = match progress.state {
            State::Draining => is_clean && !progress.is_single_put && !progress.is_complete,
            State::Suspended => true,
            _ => false,
        };
        // Neither an abort that may fail nor a fence renews the upload.
        if !matches!(progress.state, State::Aborting | State::Suspended) {
            self.draft.written_at_ms = progress.now.0;
        }
        self.writing = Some(WrittenState {
            durable: self.draft.durable(),
            parts_bytes: self.draft.parts_bytes,
            reserved_number: self.draft.reserved_part_number,
            has_upload_id: self.draft.upload_id.is_some(),
            is_clean,
            writer_active: self.draft.writer_active,
        });
        self.deleting.append(&mut self.obsolete);
        self.step = Step::Checkpoint;
        let key = self.id.checkpoint_key(self.holder.epoch);
        Ok(KvRequest::Set(key, Value::Bytes(self.draft.encode()?)))
    }

    /// Whether the stored lease is not that of a later writer, and has not been deleted with the
    /// records of the upload.
    fn is_current(&self, lease: Option<&[u8]>) -> Result<bool> {
        let lease = lease.map(Lease::decode).transpose()?;
        Ok(lease.is_some_and(|lease| lease.holder.epoch <= self.holder.epoch))
    }

    fn acknowledge(&mut self, now: UnixMillis) -> WriterStep {
        self.step = Step::Idle;
        self.current_at = now;
        self.stored_epoch = Some(self.holder.epoch);
        let before = self.written.durable;
        if let Some(written) = self.writing.take() {
            self.written = written;
        }
        let durable = Some(self.written.durable).filter(|durable| *durable > before);
        WriterStep::Acknowledged { durable, obsolete: std::mem::take(&mut self.deleting) }
    }

    /// Records that the draft continues the checkpoint of `epoch`. That one is retained: a writer
    /// that takes over at this moment may still read it. The one before it has no reader once the
    /// draft is stored.
    fn continue_from(&mut self, epoch: Option<u32>) {
        if let Some(older) = std::mem::replace(&mut self.draft.previous_epoch, epoch) {
            self.obsolete.push(self.id.checkpoint_key(older));
        }
    }

    /// Marks as obsolete what only the continuation of the draft's parts needs.
    fn discard_parts(&mut self) {
        for page in std::mem::take(&mut self.draft.full_pages) {
            self.obsolete.push(self.id.etag_page_key(page.page, page.writer));
        }
        // The tail's bytes are deleted, but the offset that was acknowledged with them remains.
        if let Some(tail) = self.draft.tail {
            self.obsolete.push(self.id.tail_key(tail.writer, tail.serial));
        }
    }
}
