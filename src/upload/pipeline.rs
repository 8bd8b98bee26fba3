//! The path of a file's bytes: from the source to parts on the store, and to the checkpoint that
//! acknowledges them.

use super::checkpoint::{Checkpoint, UploadPhase};
use super::checkpoint_writer::{CheckpointWriter, Progress, Renewal, WriterStep};
use super::errors::misuse;
use super::fills::Filled;
use super::ids::FillId;
use super::kv_calls::KvWaiter;
use super::lease::WriterEpoch;
use super::operation::{Operation, OperationOutput};
use super::output::{Event, FillRequest};
use super::plan::Plan;
use super::records::UploadId;
use super::session_io::SessionIo;
use super::source::Source;
use super::state::State;
use super::transfer::{FillOutcome, Transfer};
use crate::crc64::Crc64;
use crate::error::Result;
use crate::units::{ByteCount, PartNumber, UnixMillis};

/// The bytes of a session, from the source to the acknowledged offset.
#[derive(Debug)]
pub(super) struct Pipeline {
    transfer: Transfer,
    writer: CheckpointWriter,
}

/// What follows once everything of a request is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drained {
    /// Calls or writes are in progress.
    No,
    /// The file is to be sent as one PutObject.
    SinglePut,
    /// All bytes of the file are in the checkpoint.
    File,
    /// The bytes of the request are in the checkpoint.
    Request,
}

impl Pipeline {
    pub(super) fn new(id: UploadId, plan: Plan, source: Source, replayable: bool) -> Self {
        let transfer = Transfer::new(plan, source, replayable);
        Self { transfer, writer: CheckpointWriter::new(id) }
    }

    /// Checks that the source can continue from `checkpoint`. See [`Transfer::check`].
    pub(super) fn check(&self, checkpoint: &Checkpoint) -> Result<Plan> {
        self.transfer.check(checkpoint)
    }

    /// Continues from the checkpoint of `epoch`, as the holder, which was current at an instant.
    pub(super) fn start(
        &mut self,
        holder: (WriterEpoch, UnixMillis),
        epoch: Option<u32>,
        checkpoint: &Checkpoint,
    ) -> Result<()> {
        let plan = self.transfer.check(checkpoint)?;
        let declared_at_creation = self.transfer.plan().length().is_some();
        let length = plan.length().filter(|_| !declared_at_creation);
        self.writer.start(holder, epoch, checkpoint.clone(), length);
        self.transfer.start(plan, checkpoint)
    }

    /// Stores the checkpoint of `epoch` again, as the holder, which was current at an instant.
    pub(super) fn adopt(
        &mut self,
        holder: (WriterEpoch, UnixMillis),
        epoch: Option<u32>,
        checkpoint: Checkpoint,
    ) {
        self.writer.start(holder, epoch, checkpoint, None);
        self.writer.request();
    }

    /// Starts to read from the source. Returns whether there is nothing to read.
    pub(super) fn start_receiving(&mut self, io: &mut SessionIo, tail: Vec<u8>) -> bool {
        if self.accepts_bytes() {
            let offset = self.writer.draft().durable();
            io.report(Event::Receiving { offset, tail });
        }
        self.transfer.start_receiving()
    }

    /// Requests the next fill. See [`Transfer::request_fill`].
    pub(super) fn request_fill(&mut self) -> Result<FillOutcome> {
        self.transfer.request_fill()
    }

    /// Marks a fill as streaming. See [`Transfer::open_stream`].
    pub(super) fn open_stream(&mut self, fill: FillId) -> Result<()> {
        self.transfer.open_stream(fill)
    }

    /// Accepts a fill, and releases its buffer if it is not needed.
    pub(super) fn filled(&mut self, io: &mut SessionIo, filled: &Filled) -> Result<FillOutcome> {
        let has_upload_id = self.writer.draft().upload_id.is_some();
        let outcome = self.transfer.filled(filled, has_upload_id);
        if matches!(outcome, Ok(FillOutcome::StreamInterrupted { .. })) {
            io.cancel_calls();
        }
        let is_abandoned = matches!(outcome, Ok(FillOutcome::Abandoned));
        if !is_abandoned && self.transfer.uses(filled.fill) {
            io.body_sent(filled.fill, filled.crc64);
        } else {
            io.release([filled.fill]);
        }
        outcome
    }

    /// Drops the bytes of an atomic request.
    pub(super) fn discard_request(&mut self, io: &mut SessionIo) {
        if self.transfer.defers_commit() {
            // A multipart upload that is being initiated must be recorded: otherwise nothing could
            // abort it.
            io.cancel_calls_except(Operation::is_initiate);
            io.release(self.transfer.release());
            self.transfer.discard_request(self.writer.draft().parts_bytes);
        }
    }

    /// Requests no more bytes; the result of an open fill is ignored.
    pub(super) fn abandon_fill(&mut self) {
        self.transfer.abandon_fill();
    }

    /// Sends the parts that are ready, as many at once as the plan allows, once the upload has an
    /// ID and their numbers are reserved. A restart is stored before a new multipart upload is
    /// initiated: a writer that was taken over must not initiate one.
    pub(super) fn start_parts(&mut self, io: &mut SessionIo) {
        if self.transfer.highest_unsent() == 0 {
            return;
        }
        let Some(upload_id) = self.writer.upload_id() else {
            let is_restart_unstored = self.transfer.is_restarted() && self.writer.is_busy();
            if !is_restart_unstored && !io.calls().has(Operation::is_initiate) {
                io.send(Operation::Initiate);
            }
            return;
        };
        let reserved = self.writer.reserved_number();
        while let Some(operation) = self.transfer.send_next(&upload_id, reserved) {
            io.send(operation);
        }
    }

    /// Records the ID of the multipart upload.
    pub(super) fn initiated(&mut self, output: OperationOutput) -> Result<()> {
        let OperationOutput::Initiated(upload_id) = output else {
            return Err(misuse("not a result of InitiateMultipartUpload"));
        };
        self.writer.set_upload_id(&upload_id);
        Ok(())
    }

    /// Records that the store has a part.
    pub(super) fn part_stored(
        &mut self,
        io: &mut SessionIo,
        number: PartNumber,
        output: OperationOutput,
    ) -> Result<()> {
        let OperationOutput::Part(uploaded) = output else {
            return Err(misuse("not a result of UploadPart or UploadPartCopy"));
        };
        io.release(self.transfer.stored(number, uploaded)?);
        self.take_finished_parts()
    }

    /// Adds the confirmed parts that continue the checkpoint.
    pub(super) fn take_finished_parts(&mut self) -> Result<()> {
        while let Some(part) = self.transfer.take_finished()? {
            self.writer.push_part(&part);
        }
        Ok(())
    }

    /// Returns what follows from a request that has ended.
    pub(super) fn drained(&self, io: &SessionIo) -> Drained {
        if !self.is_drained(io) || self.writer.is_busy() {
            return Drained::No;
        }
        let is_clean = self.writer.is_clean();
        if self.transfer.is_single_put() {
            Drained::SinglePut
        } else if self.transfer.is_complete() {
            if is_clean { Drained::File } else { Drained::No }
        } else if is_clean {
            Drained::Request
        } else {
            Drained::No
        }
    }

    /// Starts the next write of the checkpoint, if due.
    pub(super) fn write_checkpoint(&mut self, io: &mut SessionIo, state: State) -> Result<()> {
        let progress = self.progress(io, state);
        if let Some(request) = self.writer.write_if_due(&progress)? {
            io.start_kv(KvWaiter::CheckpointWriter, request);
        }
        Ok(())
    }

    /// Accepts the result of an operation of the checkpoint writer. Returns whether the next epoch
    /// is to be acquired for [`Self::renewed`].
    pub(super) fn on_checkpoint_result(
        &mut self,
        io: &mut SessionIo,
        state: State,
        result: Result<Option<Vec<u8>>>,
    ) -> Result<Option<Renewal>> {
        let progress = self.progress(io, state);
        match self.writer.on_result(result, &progress)? {
            None => {}
            Some(WriterStep::Renew(renewal)) => return Ok(Some(renewal)),
            Some(WriterStep::Kv(request)) => io.start_kv(KvWaiter::CheckpointWriter, request),
            Some(WriterStep::TailStored { fill, next }) => {
                self.transfer.remainder_stored();
                io.release([fill]);
                io.start_kv(KvWaiter::CheckpointWriter, next);
            }
            Some(WriterStep::Acknowledged { durable, obsolete }) => {
                if let Some(durable) = durable {
                    io.report(Event::Durable(durable));
                }
                io.delete(obsolete);
            }
        }
        Ok(None)
    }

    /// Writes the next checkpoint as `holder`.
    pub(super) fn renewed(&mut self, holder: WriterEpoch) {
        self.writer.renewed(holder);
    }

    /// Starts again from the source's start, in a new multipart upload.
    pub(super) fn restart(&mut self, io: &mut SessionIo) -> Result<()> {
        io.cancel_calls();
        io.release(self.transfer.release());
        self.writer.restart();
        self.transfer.restart()?;
        io.report(Event::RestartSource);
        Ok(())
    }

    /// Stores the end of the upload.
    pub(super) fn store_end(&mut self, io: &mut SessionIo, phase: UploadPhase) {
        io.release(self.transfer.release());
        self.writer.end(phase);
    }

    pub(super) const fn transfer(&self) -> &Transfer {
        &self.transfer
    }

    pub(super) const fn writer(&self) -> &CheckpointWriter {
        &self.writer
    }

    /// Returns what the next checkpoint records.
    pub(super) const fn draft(&self) -> &Checkpoint {
        self.writer.draft()
    }

    /// Requests a checkpoint, even if nothing has changed.
    pub(super) const fn request_checkpoint(&mut self) {
        self.writer.request();
    }

    /// Writes no further checkpoint.
    pub(super) const fn abandon_checkpoints(&mut self) {
        self.writer.abandon();
    }

    /// Whether the purpose of the session is to append bytes.
    pub(super) const fn accepts_bytes(&self) -> bool {
        self.transfer.accepts_bytes()
    }

    /// Returns the size and the CRC of the acknowledged parts.
    pub(super) fn acknowledged_parts(&self) -> (ByteCount, Crc64) {
        let draft = self.writer.draft();
        (ByteCount(draft.parts_bytes), draft.crc64())
    }

    /// Returns the requested fill.
    pub(super) const fn requested(&self) -> Option<FillRequest> {
        self.transfer.requested()
    }

    fn is_drained(&self, io: &SessionIo) -> bool {
        !self.transfer.has_parts() && !io.calls().has(Operation::is_initiate)
    }

    fn progress(&self, io: &SessionIo, state: State) -> Progress {
        Progress {
            now: io.now(),
            state,
            accepts_bytes: self.transfer.accepts_bytes(),
            is_drained: self.is_drained(io),
            is_complete: self.transfer.is_complete(),
            is_single_put: self.transfer.is_single_put(),
            remainder: self.transfer.remainder(),
            last_number: self.transfer.last_number(),
            highest_unsent: self.transfer.highest_unsent(),
            parallel: self.transfer.plan().parallel(),
        }
    }
}
