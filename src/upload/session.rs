//! One writer's session with an upload: its state, and the order in which its state machines run.

use super::checkpoint::UploadPhase;
use super::completion::{Completion, CompletionStep};
use super::ending::Ending;
use super::errors::{misuse, stopped};
use super::fills::Filled;
use super::input::Input;
use super::kv_calls::{KvCalls, KvWaiter};
use super::opening::{Opened, Opening};
use super::operation::{Operation, OperationOutput, TargetObject};
use super::options::{LeaseAcquisition, Purpose, SessionOptions};
use super::output::{Event, FillRequest, Output};
use super::pipeline::{Drained, Pipeline};
use super::plan::Plan;
use super::recorded_parts::{ListOutcome, RecordedParts};
use super::records::UploadId;
use super::retry::Jitter;
use super::session_io::SessionIo;
use super::source::Source;
use super::state::{State, Trigger};
use super::store_calls::{CompletedCall, StoreCalls};
use super::transfer::FillOutcome;
use super::upload_record::UploadRecord;
use crate::error::{Error, ErrorKind, Result};
use crate::oss::action::missing_object;
use crate::units::{ByteCount, PartNumber, UnixMillis};

/// One writer's session with an upload. See the [module](super) for the loop that drives it.
#[derive(Debug)]
pub struct Session {
    state: State,
    io: SessionIo,
    opening: Opening,
    recorded: RecordedParts,
    pipeline: Pipeline,
    completion: Completion,
    ending: Ending,
    has_ended: bool,
}

impl Session {
    /// Starts a session with the upload `id`, which `record` describes.
    ///
    /// # Errors
    /// Returns an error if the target or the length of the record, an option or the objects to be
    /// concatenated are outside their limits (see [`Plan::new`] and [`super::Target::bucket`]), and
    /// [`ErrorKind::FileEmpty`] if a source without bytes is to be continued.
    pub fn new(
        id: UploadId,
        record: &UploadRecord,
        acquisition: LeaseAcquisition,
        purpose: Purpose,
        options: SessionOptions,
        now: UnixMillis,
    ) -> Result<Self> {
        let plan = Plan::new(record.length(), options.part_size, options.parallel)?;
        let opening = Opening::new(id.clone(), options.writer, acquisition, &purpose, now);
        let kv = KvCalls::new(options.retry, Jitter::seeded(options.seed ^ options.writer));
        let completion = Completion::new(purpose == Purpose::Abort);
        let source = Source::new(purpose, record.length())?;
        let mut session = Self {
            state: State::AcquiringLease,
            opening,
            recorded: RecordedParts::new(id.clone()),
            pipeline: Pipeline::new(id, plan, source, options.replayable),
            io: SessionIo::new(StoreCalls::new(TargetObject::new(record)?, options), kv, now),
            completion,
            ending: Ending::default(),
            has_ended: false,
        };
        let opened = session.opening.start(&mut session.io, &mut session.pipeline);
        if let Err(error) = opened.and_then(|opened| session.opened(opened)) {
            session.fail(error);
        }
        session.advance();
        Ok(session)
    }

    /// Returns the next output, or `None` until the next [`Session::handle`].
    pub fn poll(&mut self) -> Option<Output> {
        self.io.poll()
    }

    /// Returns the fill that the session requests from the source, if any: the same one until it is
    /// filled.
    #[must_use]
    pub fn pending_fill(&self) -> Option<FillRequest> {
        if self.has_ended { None } else { self.pipeline.requested() }
    }

    /// Returns when [`Input::Tick`] is due unless another input precedes it.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<UnixMillis> {
        if self.has_ended { None } else { self.io.next_wakeup() }
    }

    /// Returns true if calls are blocked on a requested credential because the current one is
    /// unusable.
    pub(crate) fn awaits_credential(&self) -> bool {
        !self.has_ended && self.io.calls().are_awaiting_credential()
    }

    /// Returns the store's response to the last credential that it rejected, until a new credential
    /// has arrived.
    pub(crate) const fn credential_rejection(&self) -> Option<&Error> {
        self.io.calls().credential_rejection()
    }

    /// Returns the offset up to which the source's bytes have been sent to the store.
    pub(crate) fn sent_offset(&self) -> ByteCount {
        self.pipeline.transfer().sent_offset()
    }

    /// Returns why the reported end could not be stored: other writers continue from the previous
    /// checkpoint. `None` if it is stored, or if they determine the same end from that checkpoint,
    /// as for a multipart upload.
    #[must_use]
    pub fn unstored_end(&self) -> Option<&Error> {
        let is_determined = self.state == State::Completed && !self.completion.is_single_put();
        self.ending.unstored_end().filter(|_| !is_determined)
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
        self.io.advance_clock(now);
        let handled = match input {
            Input::Tick => Ok(()),
            Input::Cancel(_) if self.state.is_terminal() => Ok(()),
            Input::Cancel(error) => Err(error),
            Input::Kv { id, result } => match self.io.end_kv(id, result) {
                Some((waiter, result)) => self.kv_ended(waiter, result),
                None => Ok(()),
            },
            Input::StoreResponse { call, result } => match self.io.on_response(call, result) {
                Some(completed) => self.call_ended(completed),
                None => Ok(()),
            },
            Input::Credential(result) => self.io.credential_arrived(result),
            Input::StreamOpened { fill } => self.pipeline.open_stream(fill),
            Input::Filled { fill, len, crc64, end } => {
                let filled = Filled { fill, len, crc64, end };
                let outcome = self.pipeline.filled(&mut self.io, &filled);
                outcome.and_then(|outcome| self.after_fill(outcome))
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
            Input::Kv { id, .. } => self.io.kv().check(*id),
            Input::StoreResponse { call, .. } => self.io.calls().check_sent(*call),
            Input::StreamOpened { fill } => self.pipeline.transfer().check_stream(*fill),
            Input::Filled { fill, len, crc64, end } => {
                let filled = Filled { fill: *fill, len: *len, crc64: *crc64, end: *end };
                self.pipeline.transfer().check_fill(&filled)
            }
        }
    }

    /// Starts everything that has become possible.
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

    fn try_advance(&mut self) -> Result<()> {
        while let Some(timed_out) = self.io.time_out() {
            self.call_ended(timed_out)?;
        }
        self.request_fill()?;
        if matches!(self.state, State::Receiving | State::Draining) {
            self.pipeline.start_parts(&mut self.io);
        }
        self.leave_draining()?;
        self.pipeline.write_checkpoint(&mut self.io, self.state)?;
        self.io.send_due()?;
        self.report_end();
        Ok(())
    }

    fn kv_ended(&mut self, waiter: KvWaiter, result: Result<Option<Vec<u8>>>) -> Result<()> {
        match waiter {
            KvWaiter::CheckpointWriter => {
                let state = self.state;
                match self.pipeline.on_checkpoint_result(&mut self.io, state, result)? {
                    None => Ok(()),
                    Some(renewal) => {
                        let (io, pipeline) = (&mut self.io, &mut self.pipeline);
                        self.opening.renew(io, pipeline, renewal).map(drop)
                    }
                }
            }
            KvWaiter::Lease => {
                self.opening.lease_written(&mut self.io, result.map(drop));
                Ok(())
            }
            KvWaiter::Opening if self.pipeline.writer().is_renewing() => {
                self.opening.on_result(&mut self.io, &mut self.pipeline, result).map(drop)
            }
            _ if self.state.is_terminal() => Ok(()),
            KvWaiter::RecordedParts => {
                self.recorded.page_read(&mut self.io, self.pipeline.draft(), result?)
            }
            KvWaiter::Opening => {
                let opened = self.opening.on_result(&mut self.io, &mut self.pipeline, result)?;
                self.opened(opened)
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
                    Err(error) if error.service().is_some_and(|s| s.code == "NoSuchKey") => {
                        let context = format!("partial upload {}", source.index + 1);
                        self.lose(missing_object(&source.object, &error).with_context(&context))
                    }
                    result => self.part_ended(number, result),
                };
            }
            Operation::ListParts { .. } => return self.parts_listed(result),
            Operation::Complete { .. } | Operation::PutObject { .. } => {
                self.completion.on_complete_result(result, self.pipeline.acknowledged_parts())?
            }
            Operation::Head => {
                self.completion.on_head_result(result, self.pipeline.acknowledged_parts())?
            }
            Operation::Abort { .. } => self.completion.on_abort_result(result)?,
        };
        self.complete(step)
    }

    /// [`State::AcquiringLease`]
    fn opened(&mut self, opened: Opened) -> Result<()> {
        match opened {
            Opened::Pending => Ok(()),
            Opened::Ended(UploadPhase::Completed(object)) => {
                self.completion.set_completed(object);
                self.transition(Trigger::LoadedCompleted)
            }
            Opened::Ended(UploadPhase::Aborted) => self.transition(Trigger::LoadedAborted),
            Opened::Ended(phase) => {
                if let Some(error) = phase.ended_error(false) {
                    self.ending.record(error);
                }
                self.transition(Trigger::UploadMissing)
            }
            Opened::Adopted => self.transition(Trigger::CheckpointAdopted),
            Opened::Reconcile => self.send_head(Trigger::LoadedCompleting),
            Opened::Abort => self.start_abort(),
            Opened::Verify => self.start_reading_etags(Trigger::LoadedDirty),
            Opened::Receive => {
                self.transition(Trigger::LoadedClean)?;
                self.start_receiving()
            }
        }
    }

    /// Reads the recorded ETags, to compare them with the store's list or to send Complete.
    fn start_reading_etags(&mut self, trigger: Trigger) -> Result<()> {
        self.transition(trigger)?;
        let verify = self.state == State::Verifying;
        self.recorded.start(&mut self.io, self.pipeline.draft(), verify)
    }

    /// [`State::Verifying`]
    fn parts_listed(&mut self, result: Result<OperationOutput>) -> Result<()> {
        match self.recorded.listed(&mut self.io, self.pipeline.draft(), result)? {
            ListOutcome::Pending => Ok(()),
            ListOutcome::Match => {
                self.transition(Trigger::PartsMatch)?;
                self.start_receiving()
            }
            ListOutcome::Mismatch(error) => self.upload_missing(error),
        }
    }

    /// [`State::Receiving`]
    fn start_receiving(&mut self) -> Result<()> {
        let tail = self.opening.take_tail();
        let is_empty = self.pipeline.start_receiving(&mut self.io, tail);
        if is_empty { self.source_ended() } else { Ok(()) }
    }

    fn request_fill(&mut self) -> Result<()> {
        if self.state != State::Receiving || !self.pipeline.accepts_bytes() {
            return Ok(());
        }
        let outcome = self.pipeline.request_fill()?;
        self.after_fill(outcome)
    }

    fn after_fill(&mut self, outcome: FillOutcome) -> Result<()> {
        match outcome {
            FillOutcome::Abandoned => return Ok(()),
            FillOutcome::Continue => return self.pipeline.take_finished_parts(),
            FillOutcome::Rejected(error) => return self.reject(error),
            FillOutcome::StreamInterrupted { is_stopped: true } => self.ending.record(stopped()),
            FillOutcome::StreamInterrupted { is_stopped: false } => {}
            FillOutcome::Ended { is_stopped } => {
                if is_stopped {
                    self.ending.record_if_first(stopped());
                }
                self.pipeline.take_finished_parts()?;
            }
        }
        self.source_ended()
    }

    /// Ends the request. Its remaining bytes are not read, and all bytes of an atomic request are
    /// discarded.
    fn reject(&mut self, error: Error) -> Result<()> {
        self.ending.record(error);
        self.pipeline.discard_request(&mut self.io);
        self.source_ended()
    }

    fn source_ended(&mut self) -> Result<()> {
        self.pipeline.abandon_fill();
        self.transition(Trigger::SourceEnded)
    }

    fn initiated(&mut self, result: Result<OperationOutput>) -> Result<()> {
        let is_discarded = !self.pipeline.transfer().has_parts();
        if self.state == State::Draining && is_discarded && result.is_err() {
            // All bytes of the request are discarded. The reported error is why it was rejected.
            return Ok(());
        }
        self.pipeline.initiated(result?)
    }

    fn part_ended(&mut self, number: PartNumber, result: Result<OperationOutput>) -> Result<()> {
        match result {
            Ok(output) => self.pipeline.part_stored(&mut self.io, number, output),
            Err(error) if error.kind() == ErrorKind::UploadLost => self.upload_missing(error),
            Err(error) => Err(error),
        }
    }

    /// [`State::Draining`]: continues once everything of the request is stored.
    fn leave_draining(&mut self) -> Result<()> {
        if self.state != State::Draining {
            return Ok(());
        }
        match self.pipeline.drained(&self.io) {
            Drained::No => Ok(()),
            Drained::SinglePut
                if !self.opening.is_new_upload() && self.completion.must_record_put() =>
            {
                self.pipeline.request_checkpoint();
                Ok(())
            }
            Drained::SinglePut => {
                self.transition(Trigger::FileStored)?;
                let remainder = self.pipeline.transfer().remainder();
                self.io.send(self.completion.put_single(remainder));
                Ok(())
            }
            Drained::File => self.start_reading_etags(Trigger::FileStored),
            Drained::Request => self.transition(Trigger::RequestStored),
        }
    }

    /// [`State::Completing`], [`State::Reconciling`] and [`State::Aborting`]
    fn complete(&mut self, step: CompletionStep) -> Result<()> {
        match step {
            CompletionStep::Confirmed(object) => {
                self.transition(Trigger::ObjectConfirmed)?;
                self.pipeline.store_end(&mut self.io, UploadPhase::Completed(object));
                Ok(())
            }
            CompletionStep::Reconcile => self.send_head(Trigger::ResponseLost),
            CompletionStep::Retry => self.start_reading_etags(Trigger::ObjectMissing),
            CompletionStep::UploadMissing(error) => self.upload_missing(error),
            CompletionStep::Lost(error) => self.lose(error),
            CompletionStep::Abort => self.start_abort(),
            CompletionStep::AbortAgain => self.send_abort(),
            CompletionStep::Aborted => self.aborted(),
        }
    }

    fn send_head(&mut self, trigger: Trigger) -> Result<()> {
        self.transition(trigger)?;
        self.io.send(Operation::Head);
        Ok(())
    }

    fn start_abort(&mut self) -> Result<()> {
        self.transition(Trigger::AbortRequested)?;
        if self.pipeline.draft().upload_id.is_some() { self.send_abort() } else { self.aborted() }
    }

    fn send_abort(&mut self) -> Result<()> {
        let upload_id = self.pipeline.draft().require_upload_id()?;
        self.io.send(Operation::Abort { upload_id });
        Ok(())
    }

    fn aborted(&mut self) -> Result<()> {
        self.transition(Trigger::MultipartAborted)?;
        self.pipeline.store_end(&mut self.io, UploadPhase::Aborted);
        Ok(())
    }

    /// The store no longer has the multipart upload, or not with the acknowledged bytes: starts
    /// again from the source's start, once, if the driver can read it again.
    fn upload_missing(&mut self, error: Error) -> Result<()> {
        if !self.pipeline.transfer().can_restart() {
            return self.lose(error);
        }
        self.transition(Trigger::Restart)?;
        self.pipeline.restart(&mut self.io)
    }

    fn lose(&mut self, error: Error) -> Result<()> {
        self.transition(Trigger::UploadMissing)?;
        let code = error.kind().code().to_owned();
        self.ending.record(error);
        self.io.cancel_calls();
        self.pipeline.abandon_fill();
        self.pipeline.store_end(&mut self.io, UploadPhase::Lost { code });
        Ok(())
    }

    /// Stops everything: parts that were confirmed before are recorded once more, and then the
    /// session ends with `error`.
    fn fail(&mut self, error: Error) {
        self.io.cancel_calls();
        self.pipeline.abandon_fill();
        if self.ending.fail(error, self.state) {
            self.pipeline.abandon_checkpoints();
        }
        if !self.state.is_terminal() {
            // Every state that is not terminal has this transition: a test checks the table.
            self.state = State::Failed;
        }
    }

    /// Reports the end, once nothing is left to store.
    fn report_end(&mut self) {
        let is_storing = self.pipeline.writer().is_busy() || self.io.kv().is_busy(KvWaiter::Lease);
        if self.has_ended || is_storing || !self.state.is_terminal() {
            return;
        }
        self.has_ended = true;
        let object = self.completion.object();
        let outcome = self.ending.outcome(self.state, object, self.pipeline.writer().durable());
        self.io.report(Event::SessionEnded(outcome));
    }

    fn transition(&mut self, trigger: Trigger) -> Result<()> {
        self.state = self.state.after(trigger)?;
        Ok(())
    }
}
