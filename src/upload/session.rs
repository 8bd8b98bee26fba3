//! One writer's session with an upload: which of its parts acts when, and in which state.

use super::acquire_lease::{AcquireLease, LeaseStep};
use super::checkpoint::{Checkpoint, UploadPhase};
use super::checkpoint_writer::{CheckpointWriter, Progress, WriterStep};
use super::completion::{Completion, CompletionStep};
use super::ending::Ending;
use super::errors::{misuse, stopped};
use super::fills::Filled;
use super::input::Input;
use super::operation::{Operation, OperationOutput, TargetObject};
use super::options::{LeaseAcquisition, Purpose, SessionOptions};
use super::output::{Event, FillRequest, Output};
use super::output_queue::{KvWaiter, OutputQueue};
use super::plan::Plan;
use super::recorded_parts::{ListOutcome, RecordedParts};
use super::records::UploadId;
use super::search::CheckpointSearch;
use super::source::Source;
use super::state::{State, Trigger};
use super::store_calls::{CompletedCall, StoreCallOptions, StoreCalls};
use super::transfer::{FillOutcome, Transfer};
use super::upload_record::UploadRecord;
use crate::crc64::Crc64;
use crate::error::{Error, ErrorKind, Result};
use crate::oss::MultipartUploadId;
use crate::oss::action::missing_object;
use crate::units::{ByteCount, PartNumber, UnixMillis};

/// One writer's session with an upload. See the [module](super) for the loop that drives it.
#[derive(Debug)]
pub struct Session {
    state: State,
    now: UnixMillis,
    lease: AcquireLease,
    recorded: RecordedParts,
    transfer: Transfer,
    calls: StoreCalls,
    writer: CheckpointWriter,
    completion: Completion,
    ending: Ending,
    outputs: OutputQueue,
    /// The purpose is to make the last checkpoint this writer's own, and no more.
    fences: bool,
    has_ended: bool,
}

impl Session {
    /// Starts a session with the upload `key`, which `record` describes.
    ///
    /// # Errors
    /// Returns an error if the record's target or length, an option or the objects to be
    /// concatenated are outside their limits (see [`Plan::new`] and [`super::Target::bucket`]), and
    /// [`ErrorKind::FileEmpty`] if a source is to be continued that has no bytes.
    pub fn new(
        key: UploadId,
        record: &UploadRecord,
        claim: LeaseAcquisition,
        purpose: Purpose,
        options: SessionOptions,
        now: UnixMillis,
    ) -> Result<Self> {
        let plan = Plan::new(record.length(), options.part_size, options.parallel)?;
        let (fences, aborts) = (purpose == Purpose::Fence, purpose == Purpose::Abort);
        let source = Source::new(purpose, record.length())?;
        let calls = StoreCalls::new(StoreCallOptions {
            target: TargetObject {
                bucket: record.target.bucket()?,
                key: record.target.object.clone(),
                content_type: record.content_type.clone(),
            },
            policy: options.retry,
            timeout: options.request_timeout,
            seed: options.seed,
            credential: options.credential,
            can_refresh: options.can_refresh,
        });
        let take_over = |search| AcquireLease::take_over(key.clone(), options.writer, search);
        let lease = match claim {
            LeaseAcquisition::New => AcquireLease::first(key.clone(), options.writer),
            LeaseAcquisition::TakeOver => take_over(CheckpointSearch::new(key.clone())),
            LeaseAcquisition::TakeOverFrom(search) => take_over(*search),
        };
        let mut session = Self {
            state: State::AcquiringLease,
            now,
            lease,
            recorded: RecordedParts::new(key.clone()),
            transfer: Transfer::new(plan, source, options.replayable),
            calls,
            writer: CheckpointWriter::new(key),
            completion: Completion::new(aborts),
            ending: Ending::default(),
            outputs: OutputQueue::default(),
            fences,
            has_ended: false,
        };
        let started = session.lease.start().and_then(|step| session.acquire_lease(step));
        if let Err(error) = started {
            session.fail(error);
        }
        session.advance();
        Ok(session)
    }

    /// Returns the next thing to do, or `None` until the next [`Session::handle`].
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop()
    }

    /// Returns the fill that the session requests from the source, if any. The same one is returned
    /// until it is filled.
    #[must_use]
    pub fn pending_fill(&self) -> Option<FillRequest> {
        if self.has_ended { None } else { self.transfer.requested() }
    }

    /// Returns when [`Input::Tick`] is due, unless another input comes first.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<UnixMillis> {
        if self.has_ended { None } else { self.calls.next_wakeup() }
    }

    /// Returns true if calls are blocked on a requested credential because the current one is
    /// unusable.
    #[must_use]
    pub(crate) fn awaits_credential(&self) -> bool {
        !self.has_ended && self.calls.are_awaiting_credential()
    }

    /// Returns the store's response to the last credential that it rejected, until a new credential
    /// has arrived.
    #[must_use]
    pub(crate) const fn credential_rejection(&self) -> Option<&Error> {
        self.calls.credential_rejection()
    }

    /// Returns the offset up to which the source's bytes have been sent to the store.
    #[must_use]
    pub(crate) fn sent_offset(&self) -> ByteCount {
        self.transfer.sent_offset()
    }

    /// Why the end that this session reports is not stored, if it is not and the records do not
    /// lead to it: other writers continue from the checkpoint before. The end of a multipart upload
    /// is found from that checkpoint.
    #[must_use]
    pub fn unstored_end(&self) -> Option<&Error> {
        let is_found = self.state == State::Completed && !self.completion.is_single_put();
        self.ending.unstored_end().filter(|_| !is_found)
    }

    /// Returns the session's state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Returns why parts of an aborted upload may remain on the store.
    pub(crate) const fn leftover_parts_error(&self) -> Option<&Error> {
        self.completion.leftover_parts_error()
    }

    /// Accepts an input at the instant `now`.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Internal`] if the contract does not allow the input: after the end, for
    /// an operation or a fill that the session did not request, or with a fill of an invalid
    /// length. The session is unchanged.
    pub fn handle(&mut self, now: UnixMillis, input: Input) -> Result<()> {
        self.check_input(&input)?;
        self.now = self.now.max(now);
        let handled = match input {
            Input::Tick => Ok(()),
            Input::Cancel(_) if self.state.is_terminal() => Ok(()),
            Input::Cancel(error) => Err(error),
            Input::Kv { id, result } => match self.outputs.end_kv(id) {
                Some(waiter) => self.kv_ended(waiter, result),
                None => Ok(()),
            },
            Input::StoreResponse { call, result } => {
                match self.calls.on_response(self.now, call, result) {
                    Some(completed) => self.call_ended(completed),
                    None => Ok(()),
                }
            }
            Input::Credential(result) => self.calls.credential_arrived(result),
            Input::StreamOpened { fill } => self.transfer.open_stream(fill),
            Input::Filled { fill, len, crc64, end } => {
                self.filled(&Filled { fill, len, crc64, end })
            }
        };
        if let Err(error) = handled {
            self.fail(error);
        }
        self.advance();
        Ok(())
    }

    /// Checks that the loop's contract allows an input now.
    fn check_input(&self, input: &Input) -> Result<()> {
        match input {
            _ if self.has_ended => Err(misuse("the session has ended")),
            Input::Tick | Input::Credential(_) | Input::Cancel(_) => Ok(()),
            Input::Kv { id, .. } if self.outputs.is_kv_pending(*id) => Ok(()),
            Input::Kv { .. } => Err(misuse("no such key-value operation is in progress")),
            Input::StoreResponse { call, .. } => self.calls.check_sent(*call),
            Input::StreamOpened { fill } => self.transfer.check_stream(*fill),
            Input::Filled { fill, len, crc64, end } => {
                let filled = Filled { fill: *fill, len: *len, crc64: *crc64, end: *end };
                self.transfer.check_fill(&filled)
            }
        }
    }

    /// Does everything that has become possible.
    fn advance(&mut self) {
        if let Err(error) = self.try_advance() {
            self.fail(error);
            // After a failure, only the parts that were confirmed before it are still recorded.
            if let Err(error) = self.try_advance() {
                self.fail(error);
                self.report_end();
            }
        }
    }

    /// The order in which the parts of the session act.
    fn try_advance(&mut self) -> Result<()> {
        while let Some(timed_out) = self.calls.time_out(self.now, &mut self.outputs) {
            self.call_ended(timed_out)?;
        }
        self.request_fill()?;
        self.start_parts()?;
        self.leave_draining()?;
        self.write_checkpoint()?;
        self.calls.send_due(self.now, &mut self.outputs)?;
        self.report_end();
        Ok(())
    }

    fn kv_ended(
        &mut self,
        waiter: KvWaiter,
        result: Result<Option<Vec<u8>>, String>,
    ) -> Result<()> {
        let result = result.map_err(|text| {
            Error::new(ErrorKind::KeyValueUnavailable, text).with_context("key-value store")
        });
        match waiter {
            KvWaiter::CheckpointWriter => self.checkpoint_step(result),
            _ if self.state.is_terminal() => Ok(()),
            KvWaiter::RecordedParts => {
                self.recorded.page_read(result?)?;
                self.read_etag_pages()
            }
            KvWaiter::AcquireLease => {
                let step = self.lease.on_value(result?)?;
                self.acquire_lease(step)
            }
        }
    }

    fn call_ended(&mut self, completed: CompletedCall) -> Result<()> {
        let CompletedCall { operation, result } = completed;
        let step = match operation {
            Operation::Initiate => return self.initiated(result),
            Operation::UploadPart { number, .. } => return self.part_ended(number, result),
            Operation::CopyPart { number, source, .. } => {
                return match result {
                    Err(error) if error.store().is_some_and(|s| s.code == "NoSuchKey") => {
                        let context = format!("partial upload {}", source.index + 1);
                        self.lose(missing_object(&source.object, &error).with_context(&context))
                    }
                    result => self.part_ended(number, result),
                };
            }
            Operation::ListParts { .. } => return self.parts_listed(result),
            Operation::Complete { .. } | Operation::PutObject { .. } => {
                self.completion.on_complete_result(result, self.acknowledged_parts())?
            }
            Operation::Head => self.completion.on_head_result(result, self.acknowledged_parts())?,
            Operation::Abort { .. } => self.completion.on_abort_result(result)?,
        };
        self.complete(step)
    }

    /// [`State::AcquiringLease`]
    fn acquire_lease(&mut self, mut step: LeaseStep) -> Result<()> {
        loop {
            step = match step {
                LeaseStep::Kv(request) => {
                    self.outputs.start_kv(KvWaiter::AcquireLease, request);
                    return Ok(());
                }
                LeaseStep::Found(checkpoint) => {
                    if self.has_ended_before(&checkpoint)? {
                        return Ok(());
                    }
                    self.transfer.check(&checkpoint)?;
                    self.lease.compete()?
                }
                LeaseStep::Stored { retired } => {
                    self.outputs.delete(retired);
                    self.lease.search_again()?
                }
                LeaseStep::Acquired { epoch, checkpoint } => {
                    return self.lease_acquired(epoch, checkpoint);
                }
                LeaseStep::TailRead => return self.start_purpose(),
            }
        }
    }

    /// Ends the session if the upload has ended before, and returns whether it has.
    fn has_ended_before(&mut self, checkpoint: &Checkpoint) -> Result<bool> {
        let trigger = match &checkpoint.phase {
            UploadPhase::Receiving | UploadPhase::Completing => return Ok(false),
            UploadPhase::Completed(object) => {
                // Success confirms that the request's bytes are the object's: it must match them.
                self.transfer.check(checkpoint)?;
                self.completion.set_completed(object);
                Trigger::LoadedCompleted
            }
            UploadPhase::Aborted => Trigger::LoadedAborted,
            UploadPhase::Lost { .. } if self.completion.aborts() => return Ok(false),
            UploadPhase::Lost { .. } => {
                if let Some(error) = checkpoint.phase.ended_error(false) {
                    self.ending.record(error);
                }
                Trigger::UploadMissing
            }
        };
        self.transition(trigger)?;
        Ok(true)
    }

    fn lease_acquired(&mut self, epoch: Option<u32>, checkpoint: Checkpoint) -> Result<()> {
        if self.has_ended_before(&checkpoint)? {
            return Ok(());
        }
        let plan = self.transfer.check(&checkpoint)?;
        let declared_at_creation = self.transfer.plan().length().is_some();
        let length = plan.length().filter(|_| !declared_at_creation);
        self.writer.start(self.lease.holder(), epoch, checkpoint.clone(), length);
        self.transfer.start(plan, &checkpoint)?;
        match checkpoint.tail.filter(|_| self.transfer.accepts_bytes()) {
            Some(tail) => {
                let request = self.lease.read_tail(tail);
                self.outputs.start_kv(KvWaiter::AcquireLease, request);
                Ok(())
            }
            None => self.start_purpose(),
        }
    }

    fn start_purpose(&mut self) -> Result<()> {
        let appends = self.transfer.accepts_bytes() && !self.lease.is_new();
        if self.lease.takes_over() || appends || self.writer.length_is_new() {
            // Before anything else. A reader of the offset must not see what the last writer may
            // still store without acknowledging it, and must see that a writer is active again; and
            // a declared length is binding, whatever the result of the request.
            self.writer.request();
        }
        if self.fences {
            return self.transition(Trigger::CheckpointAdopted);
        }
        if self.writer.draft().phase == UploadPhase::Completing {
            // An earlier session may have sent Complete: the object itself shows the result.
            return self.send_head(Trigger::LoadedCompleting);
        }
        if self.completion.aborts() {
            return self.start_abort();
        }
        let Checkpoint { is_clean, part_count, .. } = *self.writer.draft();
        if !is_clean && part_count > 0 {
            self.transition(Trigger::LoadedDirty)?;
            return self.start_reading_etags();
        }
        self.transition(Trigger::LoadedClean)?;
        self.start_receiving()
    }

    /// Reads the recorded ETags: to compare them with the store's list, or to send Complete.
    fn start_reading_etags(&mut self) -> Result<()> {
        self.recorded.start(self.writer.draft());
        self.read_etag_pages()
    }

    fn read_etag_pages(&mut self) -> Result<()> {
        if let Some(request) = self.recorded.read_next_page() {
            self.outputs.start_kv(KvWaiter::RecordedParts, request);
            return Ok(());
        }
        self.recorded.finish(self.writer.draft())?;
        let upload_id = self.upload_id()?;
        let operation = match self.state {
            State::Verifying => Operation::ListParts { upload_id, after: None },
            _ => Operation::Complete { upload_id, parts: self.recorded.take() },
        };
        self.send(operation);
        Ok(())
    }

    /// [`State::Verifying`]
    fn parts_listed(&mut self, result: Result<OperationOutput>) -> Result<()> {
        match self.recorded.listed(result, self.writer.draft())? {
            ListOutcome::Continue(after) => {
                let upload_id = self.upload_id()?;
                self.send(Operation::ListParts { upload_id, after: Some(after) });
                Ok(())
            }
            ListOutcome::Match => {
                self.transition(Trigger::PartsMatch)?;
                self.start_receiving()
            }
            ListOutcome::Mismatch(error) => self.upload_missing(error),
        }
    }

    /// [`State::Receiving`]
    fn start_receiving(&mut self) -> Result<()> {
        let is_empty = self.transfer.start_receiving();
        if self.transfer.accepts_bytes() {
            let offset = self.writer.draft().durable();
            let tail = self.lease.take_tail();
            self.outputs.report(Event::Receiving { offset, tail });
        }
        if is_empty { self.source_ended() } else { Ok(()) }
    }

    fn request_fill(&mut self) -> Result<()> {
        if self.state != State::Receiving || !self.transfer.accepts_bytes() {
            return Ok(());
        }
        let outcome = self.transfer.request_fill()?;
        self.after_fill(outcome)
    }

    fn filled(&mut self, filled: &Filled) -> Result<()> {
        let has_upload_id = self.writer.draft().upload_id.is_some();
        let outcome = self.transfer.filled(filled, has_upload_id);
        if matches!(outcome, Ok(FillOutcome::StreamInterrupted { .. })) {
            self.calls.cancel_all(&mut self.outputs);
        }
        let abandoned = matches!(outcome, Ok(FillOutcome::Abandoned));
        if !abandoned && self.transfer.uses(filled.fill) {
            self.calls.body_sent(self.now, filled.fill, filled.crc64);
        } else {
            self.outputs.report(Event::BufferReleased(filled.fill));
        }
        self.after_fill(outcome?)
    }

    fn after_fill(&mut self, outcome: FillOutcome) -> Result<()> {
        match outcome {
            FillOutcome::Abandoned => return Ok(()),
            FillOutcome::Continue => return self.take_finished_parts(),
            FillOutcome::Rejected(error) => return self.reject(error),
            FillOutcome::StreamInterrupted { stopped: true } => {
                self.ending.record(stopped());
            }
            FillOutcome::StreamInterrupted { stopped: false } => {}
            FillOutcome::Ended { stopped: was_stopped } => {
                if was_stopped {
                    self.ending.record_if_first(stopped());
                }
                self.take_finished_parts()?;
            }
        }
        self.source_ended()
    }

    /// Ends the request. Its remaining bytes are not read; none of an atomic request count.
    fn reject(&mut self, error: Error) -> Result<()> {
        self.ending.record(error);
        if self.transfer.defers_commit() {
            // A multipart upload that is being initiated has to be recorded: otherwise nothing
            // could abort it.
            self.calls.cancel_all_except(Operation::is_initiate, &mut self.outputs);
            self.release_buffers();
            self.transfer.discard_request(self.writer.draft().parts_bytes);
        }
        self.source_ended()
    }

    fn source_ended(&mut self) -> Result<()> {
        self.transfer.abandon_fill();
        self.transition(Trigger::SourceEnded)
    }

    /// Sends the parts that are ready, as many at once as the plan allows, once the upload has an
    /// id and their numbers are reserved. A restart is stored before a new multipart upload is
    /// initiated: a writer that was taken over must not initiate one.
    fn start_parts(&mut self) -> Result<()> {
        let receives = matches!(self.state, State::Receiving | State::Draining);
        if !receives || self.transfer.highest_unsent() == 0 {
            return Ok(());
        }
        let Some(upload_id) = self.writer.upload_id() else {
            let restart_unstored = self.transfer.is_restarted() && self.writer.is_busy();
            if !restart_unstored && !self.calls.has(Operation::is_initiate) {
                self.send(Operation::Initiate);
            }
            return Ok(());
        };
        let reserved = self.writer.reserved_number();
        while let Some(operation) = self.transfer.send_next(&upload_id, reserved) {
            self.send(operation);
        }
        Ok(())
    }

    fn initiated(&mut self, result: Result<OperationOutput>) -> Result<()> {
        let is_rejected = self.ending.has_error() && !self.transfer.has_parts();
        if self.state == State::Draining && is_rejected && result.is_err() {
            // None of the request's bytes count: its client needs to know why it was rejected.
            return Ok(());
        }
        match result? {
            OperationOutput::Initiated(upload_id) => {
                self.writer.set_upload_id(&upload_id);
                Ok(())
            }
            _ => Err(misuse("not a result of InitiateMultipartUpload")),
        }
    }

    fn part_ended(&mut self, number: PartNumber, result: Result<OperationOutput>) -> Result<()> {
        let uploaded = match result {
            Ok(OperationOutput::Part(uploaded)) => uploaded,
            Ok(_) => return Err(misuse("not a result of UploadPart")),
            Err(error) if error.kind() == ErrorKind::UploadLost => {
                return self.upload_missing(error);
            }
            Err(error) => return Err(error),
        };
        if let Some(fill) = self.transfer.stored(number, uploaded)? {
            self.outputs.report(Event::BufferReleased(fill));
        }
        self.take_finished_parts()
    }

    /// Adds the confirmed parts that continue the checkpoint.
    fn take_finished_parts(&mut self) -> Result<()> {
        while let Some(part) = self.transfer.take_finished()? {
            self.writer.push_part(&part);
        }
        Ok(())
    }

    /// [`State::Draining`]: continues once everything of the request is stored.
    fn leave_draining(&mut self) -> Result<()> {
        if self.state != State::Draining || !self.is_drained() || self.writer.is_busy() {
            return Ok(());
        }
        if self.transfer.is_single_put() {
            if !self.lease.is_new() && self.completion.must_record_put() {
                self.writer.request();
                return Ok(());
            }
            self.transition(Trigger::FileStored)?;
            let operation = self.completion.put_single(self.transfer.remainder());
            self.send(operation);
        } else if self.transfer.is_complete() {
            if self.writer.is_clean() {
                self.transition(Trigger::FileStored)?;
                self.start_reading_etags()?;
            }
        } else if self.writer.is_clean() || !self.writer.is_dirty(&self.progress()) {
            self.transition(Trigger::RequestStored)?;
        }
        Ok(())
    }

    fn is_drained(&self) -> bool {
        !self.transfer.has_parts() && !self.calls.has(Operation::is_initiate)
    }

    fn progress(&self) -> Progress {
        Progress {
            now: self.now,
            state: self.state,
            accepts_bytes: self.transfer.accepts_bytes(),
            is_drained: self.is_drained(),
            is_complete: self.transfer.is_complete(),
            is_single_put: self.transfer.is_single_put(),
            remainder: self.transfer.remainder(),
            last_number: self.transfer.last_number(),
            highest_unsent: self.transfer.highest_unsent(),
            parallel: self.transfer.plan().parallel(),
        }
    }

    fn write_checkpoint(&mut self) -> Result<()> {
        let progress = self.progress();
        if let Some(request) = self.writer.write_if_due(&progress)? {
            self.outputs.start_kv(KvWaiter::CheckpointWriter, request);
        }
        Ok(())
    }

    fn checkpoint_step(&mut self, result: Result<Option<Vec<u8>>>) -> Result<()> {
        let progress = self.progress();
        match self.writer.on_result(result, &progress)? {
            None => {}
            Some(WriterStep::Kv(request)) => {
                self.outputs.start_kv(KvWaiter::CheckpointWriter, request)
            }
            Some(WriterStep::TailStored { fill, next }) => {
                self.transfer.remainder_stored();
                self.outputs.report(Event::BufferReleased(fill));
                self.outputs.start_kv(KvWaiter::CheckpointWriter, next);
            }
            Some(WriterStep::Acknowledged { durable, obsolete }) => {
                if let Some(durable) = durable {
                    self.outputs.report(Event::Durable(durable));
                }
                self.outputs.delete(obsolete);
            }
        }
        Ok(())
    }

    /// [`State::Completing`], [`State::Reconciling`] and [`State::Aborting`]
    fn complete(&mut self, step: CompletionStep) -> Result<()> {
        match step {
            CompletionStep::Confirmed(object) => {
                self.transition(Trigger::ObjectConfirmed)?;
                self.store_end(UploadPhase::Completed(object));
                Ok(())
            }
            CompletionStep::Reconcile => self.send_head(Trigger::ResponseLost),
            CompletionStep::Retry => {
                self.transition(Trigger::ObjectMissing)?;
                self.start_reading_etags()
            }
            CompletionStep::UploadMissing(error) => self.upload_missing(error),
            CompletionStep::Lost(error) => self.lose(error),
            CompletionStep::Abort => self.start_abort(),
            CompletionStep::AbortAgain => self.send_abort(),
            CompletionStep::Aborted => self.aborted(),
        }
    }

    fn send_head(&mut self, trigger: Trigger) -> Result<()> {
        self.transition(trigger)?;
        self.send(Operation::Head);
        Ok(())
    }

    fn start_abort(&mut self) -> Result<()> {
        self.transition(Trigger::AbortRequested)?;
        if self.writer.draft().upload_id.is_some() { self.send_abort() } else { self.aborted() }
    }

    fn send_abort(&mut self) -> Result<()> {
        let upload_id = self.upload_id()?;
        self.send(Operation::Abort { upload_id });
        Ok(())
    }

    fn aborted(&mut self) -> Result<()> {
        self.transition(Trigger::MultipartAborted)?;
        self.store_end(UploadPhase::Aborted);
        Ok(())
    }

    /// The store no longer has the multipart upload, or not with the acknowledged bytes: starts
    /// again from the source's start, once, if the driver can read it again.
    fn upload_missing(&mut self, error: Error) -> Result<()> {
        if !self.transfer.can_restart() {
            return self.lose(error);
        }
        self.transition(Trigger::Restart)?;
        self.calls.cancel_all(&mut self.outputs);
        self.release_buffers();
        self.writer.restart();
        self.transfer.restart()?;
        self.outputs.report(Event::RestartSource);
        Ok(())
    }

    fn lose(&mut self, error: Error) -> Result<()> {
        self.transition(Trigger::UploadMissing)?;
        let code = error.kind().code().to_owned();
        self.ending.record(error);
        self.calls.cancel_all(&mut self.outputs);
        self.transfer.abandon_fill();
        self.store_end(UploadPhase::Lost { code });
        Ok(())
    }

    fn store_end(&mut self, phase: UploadPhase) {
        self.release_buffers();
        self.writer.end(phase);
    }

    /// Stops everything: parts that were confirmed before are recorded once more, and then the
    /// session ends with `error`.
    fn fail(&mut self, error: Error) {
        self.calls.cancel_all(&mut self.outputs);
        self.transfer.abandon_fill();
        if self.ending.fail(error, self.state) {
            self.writer.abandon();
        }
        if !self.state.is_terminal() {
            // Every state that is not terminal has this transition: a test checks the table.
            self.state = State::Failed;
        }
    }

    /// Reports the end, once nothing is left to store.
    fn report_end(&mut self) {
        if self.has_ended || self.writer.is_busy() || !self.state.is_terminal() {
            return;
        }
        self.has_ended = true;
        let object = self.completion.object();
        let outcome = self.ending.outcome(self.state, object, self.writer.durable());
        self.outputs.report(Event::SessionEnded(outcome));
    }

    fn transition(&mut self, trigger: Trigger) -> Result<()> {
        self.state = self.state.after(trigger)?;
        Ok(())
    }

    fn upload_id(&self) -> Result<MultipartUploadId> {
        self.writer.upload_id().ok_or_else(|| misuse("the upload has no id at the store yet"))
    }

    fn acknowledged_parts(&self) -> (ByteCount, Crc64) {
        let draft = self.writer.draft();
        (ByteCount(draft.parts_bytes), draft.crc64())
    }

    fn release_buffers(&mut self) {
        for fill in self.transfer.release() {
            self.outputs.report(Event::BufferReleased(fill));
        }
    }

    fn send(&mut self, operation: Operation) {
        self.calls.start(self.now, operation);
    }
}
