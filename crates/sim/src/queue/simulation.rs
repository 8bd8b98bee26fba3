//! A queue and an app in a world, one step at a time.

use std::time::Duration;

use vod_uploader::crc64::Crc64;
use vod_uploader::error::{Error, ErrorKind, Result};
use vod_uploader::queue::{
    Event, FileId, FileState, Input, NewFile, OptionsInput, Output, Queue, QueueState, SessionId,
};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{self, FillRequest};

use super::app::{App, Credentials};
use super::calls::{PlannedFile, QueueCalls};
use super::checker::{EventContext, InvariantChecker};
use super::in_flight::{InFlight, OperationStage, Pending, PendingOperation, Recipient};
use super::session_input::{Filled, SessionInput, Supply};
use crate::world::{Content, Grant, Operation, Schedule, ServiceCall, ServiceResult, World};

/// A run with more steps does not end.
const STEPS_MAX: u32 = 200_000;

/// Responses to the states of all files until no file waits.
const RESPONSES_MAX: u32 = 6;

/// A queue, an app and the world.
#[derive(Debug)]
pub struct Simulation {
    /// The time and the services.
    pub world: World,
    /// The app.
    pub app: App,
    /// The options of the next queue.
    pub options: OptionsInput,
    /// The events that the app has read from the current queue.
    pub events: Vec<Event>,
    /// Duration of a step.
    pub pace: Duration,
    /// Whether requests that were aborted may take effect nevertheless.
    pub aborted_may_arrive: bool,
    /// Whether late writes usually take effect after everything else that is pending.
    pub late_writes_linger: bool,
    calls: QueueCalls,
    in_flight: InFlight,
    schedule: Schedule,
}

#[derive(Clone, Copy)]
enum NextStep {
    Tick,
    Continue(usize),
    LateWrite(usize),
    Aborted(usize),
}

impl Simulation {
    /// A simulation without files, in which operations continue in the order of their start.
    #[must_use]
    pub fn new() -> Self {
        let options = OptionsInput {
            user_id: Some("1".into()),
            part_size: Some(ByteCount(102_400)),
            parallel: Some(3),
            ..OptionsInput::default()
        };
        let world = World::default();
        Self {
            calls: QueueCalls::new(&options, world.now()),
            world,
            app: App::default(),
            options,
            events: Vec::new(),
            pace: Duration::from_millis(1),
            aborted_may_arrive: false,
            late_writes_linger: false,
            in_flight: InFlight::default(),
            schedule: Schedule::First,
        }
    }

    /// A simulation without files, in which operations continue in an order that follows from
    /// `seed`.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { schedule: Schedule::seeded(seed), ..Self::new() }
    }

    /// The same simulation with a queue of other options.
    #[must_use]
    pub fn with_options(mut self, set: impl FnOnce(&mut OptionsInput)) -> Self {
        set(&mut self.options);
        self.calls.restart(&self.options, self.world.now());
        self
    }

    /// A file of `len` bytes that a later queue finds again.
    #[must_use]
    pub fn file(name: &str, len: u64) -> PlannedFile {
        let new = NewFile {
            name: name.into(),
            size: Some(ByteCount(len)),
            last_modified_ms: Some(7),
            ..NewFile::default()
        };
        PlannedFile { new, content: Content::of_len(len) }
    }

    /// The queue.
    #[must_use]
    pub const fn queue(&self) -> &Queue {
        &self.calls.queue
    }

    /// The state of the queue.
    #[must_use]
    pub fn queue_state(&self) -> QueueState {
        self.calls.queue.state()
    }

    /// The state of a file.
    ///
    /// # Panics
    /// If the file is not listed.
    #[must_use]
    pub fn state(&self, file: FileId) -> FileState {
        self.calls.info(file).expect("a listed file").state
    }

    /// The bytes of a file.
    #[must_use]
    pub fn content(&self, file: FileId) -> &Content {
        &self.calls.files[&file].content
    }

    /// Returns `true` if every listed file is uploaded.
    #[must_use]
    pub fn is_all_uploaded(&self) -> bool {
        self.calls.queue.list_files().iter().all(|info| info.state == FileState::Success)
    }

    /// Returns `true` if the queue has the ID of a multipart upload.
    #[must_use]
    pub fn has_created_upload(&self) -> bool {
        self.calls.checker.knows_uploads()
    }

    /// `add-file`
    pub fn add(&mut self, planned: PlannedFile) -> Result<FileId> {
        self.with_calls(|calls, world| calls.add(world.now(), planned))
    }

    /// Makes a call on the queue, and starts the operations that it outputs.
    pub fn call<T>(&mut self, call: impl FnOnce(&mut Queue) -> T) -> T {
        self.with_calls(|calls, _| call(&mut calls.queue))
    }

    /// `start-upload`
    ///
    /// # Panics
    /// If the call is rejected.
    pub fn start(&mut self) {
        self.try_start().unwrap();
    }

    /// `start-upload`
    pub fn try_start(&mut self) -> Result<()> {
        self.with_calls(|calls, world| calls.start(world.now()))
    }

    /// `stop-upload`
    ///
    /// # Panics
    /// If the call is rejected.
    pub fn stop(&mut self) {
        self.try_stop().unwrap();
    }

    /// `stop-upload`
    pub fn try_stop(&mut self) -> Result<()> {
        self.with_calls(|calls, world| calls.queue.stop_upload(world.now()))
    }

    /// `cancel-file`
    pub fn cancel(&mut self, file: FileId) -> Result<()> {
        self.with_calls(|calls, world| calls.cancel(world.now(), file))
    }

    /// `delete-file`
    pub fn delete(&mut self, file: FileId) -> Result<()> {
        self.with_calls(|calls, world| calls.delete(world.now(), file))
    }

    /// `resume-file`
    pub fn resume(&mut self, file: FileId) -> Result<()> {
        self.with_calls(|calls, world| calls.queue.resume_file(world.now(), file))
    }

    /// `clean-list`
    pub fn clean(&mut self) {
        self.with_calls(|calls, world| calls.queue.clean_list(world.now()));
    }

    /// `set-upload-auth-and-address`
    pub fn set_credential(&mut self, file: FileId, grant: &Grant) -> Result<()> {
        self.with_calls(|calls, world| calls.set_credential(world.now(), file, grant))
    }

    /// `set-sts-token`
    pub fn set_token(&mut self, file: FileId) -> Result<()> {
        self.with_calls(|calls, world| calls.set_token(world, file))
    }

    /// `set-sts-token-directly-upload`
    pub fn set_direct_token(&mut self, file: FileId) -> Result<()> {
        self.with_calls(|calls, world| calls.set_direct_token(world, file))
    }

    /// `clear-checkpoint`
    pub fn clear_checkpoint(&mut self, file: FileId) -> Result<()> {
        self.with_calls(|calls, world| calls.clear_checkpoint(world.now(), file))
    }

    /// `supply-source`
    pub fn supply(&mut self, file: FileId, from: u64, supply: Supply) -> Result<()> {
        self.with_calls(|calls, world| calls.supply(world.now(), file, from, supply))
    }

    /// Passes a new credential of the file that the queue has not requested.
    pub(super) fn renew_unrequested(&mut self, file: FileId) {
        let Some(info) = self.calls.info(file) else { return };
        self.app.renew_unrequested(&mut self.calls, &mut self.world, &info);
        self.drain();
    }

    /// Passes an input to the queue.
    pub fn handle(&mut self, input: Input) {
        let now = self.world.now();
        self.call(|queue| queue.handle(now, input));
    }

    /// Runs until everything waits for the app.
    pub fn run(&mut self) {
        self.run_until(|_| false);
    }

    /// Runs until `is_reached`, or until everything waits for the app.
    ///
    /// # Panics
    /// If the run does not end.
    pub fn run_until(&mut self, is_reached: impl Fn(&Self) -> bool) {
        for _ in 0..STEPS_MAX {
            if is_reached(self) || !self.step() {
                return;
            }
        }
        panic!("the run does not end: {:#?}", self.calls.queue);
    }

    /// One step: an operation takes effect, its result arrives, or time passes. Returns `false` if
    /// everything waits for the app.
    pub fn step(&mut self) -> bool {
        let mut choices = self.choices();
        if choices.is_empty() {
            let Some(at) = self.calls.queue.next_wakeup() else {
                self.calls.checker.check_idle(&self.calls.queue, &self.options, &self.world);
                return false;
            };
            self.world.clock.advance_to(at);
            choices = self.choices();
        }
        let is_late = |choice: &NextStep| matches!(choice, NextStep::LateWrite(_));
        if self.late_writes_linger && self.schedule.chance(950) && !choices.iter().all(is_late) {
            choices.retain(|choice| !is_late(choice));
        }
        let index = self.schedule.pick(choices.len());
        self.world.clock.advance(self.pace);
        match choices[index] {
            NextStep::Tick => {
                self.handle(Input::Tick);
                let next = self.calls.queue.next_wakeup();
                assert!(
                    next.is_none_or(|next| next > self.world.now()),
                    "a timer is due after a tick"
                );
            }
            NextStep::Continue(index) => self.continue_operation(index),
            NextStep::LateWrite(index) => {
                let call = self.in_flight.late_writes.remove(index);
                self.calls.checker.late_write_applied(&call);
                self.execute("late write", &call);
            }
            NextStep::Aborted(index) => {
                let call = self.in_flight.aborted.remove(index);
                self.execute("aborted request", &call);
            }
        }
        true
    }

    /// Drops the queue at once, as a killed host does, and creates another one without files.
    /// Operations that have not taken effect become late writes.
    pub fn crash(&mut self) {
        self.world.trace(|| "crash".into());
        self.in_flight.crash();
        self.calls.checker.crash(&self.world.kv);
        self.calls.restart(&self.options, self.world.now());
        self.events.clear();
    }

    /// All late writes take effect.
    pub fn apply_late_writes(&mut self) {
        for call in std::mem::take(&mut self.in_flight.late_writes) {
            self.execute("late write", &call);
        }
    }

    /// All late writes are lost.
    pub fn discard_late_writes(&mut self) {
        self.in_flight.late_writes.clear();
    }

    /// Removes all faults.
    pub fn clear_faults(&mut self) {
        self.world.clear_faults();
        self.app.clear_faults();
        self.pace = Duration::from_millis(1);
        if self.options.retry_count == Some(0) {
            // A request that is not repeated is not signed with the corrected time either.
            self.world.store.clock_ahead_ms = 0;
        }
    }

    /// Starts a run unless one is in progress, and supplies everything that the files wait for.
    ///
    /// # Panics
    /// If a file still waits afterwards.
    pub fn run_to_completion(&mut self) {
        if !matches!(self.queue_state(), QueueState::Start | QueueState::Expire) {
            self.start();
        }
        self.run();
        for _ in 0..RESPONSES_MAX {
            if !self.has_active_files() {
                break;
            }
            self.respond_to_states();
            self.run();
        }
        assert!(!self.has_active_files(), "a file waits: {:#?}", self.calls.queue.list_files());
        self.respond_to_states();
        self.run();
    }

    /// Returns `true` if the file was reported as uploaded.
    pub(super) fn has_succeeded(&self, name: &str) -> bool {
        self.calls.checker.has_succeeded(name)
    }

    /// The file of this name is uploaded once more, as another file.
    pub(super) fn upload_again(&mut self, name: &str) {
        self.calls.checker.upload_again(name);
    }

    /// What is stored of the file of this name is not found again.
    pub(super) fn lose_file(&mut self, name: &str) {
        self.calls.checker.checkpoint_cleared(name);
    }

    /// What is stored of any file may be lost.
    pub fn allow_losses(&mut self) {
        self.calls.checker.everything_lost();
    }

    /// What is stored of any file is deleted after some time.
    pub const fn set_checkpoints_expire(&mut self) {
        self.calls.checker.set_checkpoints_expire();
    }

    /// Checks that nothing is left in the key-value store and on OSS.
    pub(super) fn check_nothing_left(&self) {
        self.calls.checker.check_nothing_left(&self.world);
    }

    fn has_active_files(&self) -> bool {
        let listed = self.calls.queue.list_files();
        listed.iter().any(|info| matches!(info.state, FileState::Uploading(_)))
    }

    fn respond_to_states(&mut self) {
        for info in self.calls.queue.list_files() {
            self.app.respond_to_state(&mut self.calls, &mut self.world, &info);
            self.drain();
        }
    }

    fn with_calls<T>(&mut self, call: impl FnOnce(&mut QueueCalls, &mut World) -> T) -> T {
        let result = call(&mut self.calls, &mut self.world);
        self.drain();
        result
    }

    fn choices(&self) -> Vec<NextStep> {
        let has_supply = |session: &SessionId| self.calls.inputs[session].has_supply();
        let can_continue = |pending: &Pending| match (&pending.operation, &pending.stage) {
            (_, OperationStage::Silent) => false,
            (PendingOperation::Fill { session, .. }, _) => has_supply(session),
            _ => true,
        };
        let is_due = self.calls.queue.next_wakeup().is_some_and(|at| at <= self.world.now());
        let tick = is_due.then_some(NextStep::Tick);
        let pending = self.in_flight.pending.iter().enumerate();
        let pending = pending.filter(|(_, pending)| can_continue(pending));
        let current = tick.into_iter().chain(pending.map(|(index, _)| NextStep::Continue(index)));
        let late = (0..self.in_flight.late_writes.len()).map(NextStep::LateWrite);
        let late = late.chain((0..self.in_flight.aborted.len()).map(NextStep::Aborted));
        match self.schedule {
            Schedule::First => late.chain(current).collect(),
            Schedule::Seeded(_) => current.chain(late).collect(),
        }
    }

    fn continue_operation(&mut self, index: usize) {
        let Pending { operation, stage } = self.in_flight.pending.remove(index);
        match (operation, stage) {
            (PendingOperation::App(event), _) => {
                self.app.respond(&mut self.calls, &mut self.world, &event);
                self.drain();
            }
            (PendingOperation::Fill { session, request }, _) => self.fill(session, request),
            (PendingOperation::Call { call, recipient }, OperationStage::Started) => {
                let result = self.execute("call", &call);
                if recipient != Recipient::Nothing {
                    let stage = result.map_or(OperationStage::Silent, OperationStage::Executed);
                    let operation = PendingOperation::Call { call, recipient };
                    self.in_flight.pending.insert(index, Pending { operation, stage });
                }
                self.check_state();
            }
            (PendingOperation::Call { call, recipient }, OperationStage::Executed(result)) => {
                self.observe_result(&call, recipient, &result);
                self.handle(input(recipient, result));
            }
            (PendingOperation::Call { .. }, OperationStage::Silent) => {
                panic!("a call without a result continues")
            }
        }
    }

    /// Executes a call. Returns `None` if its result never arrives.
    fn execute(&mut self, cause: &str, call: &ServiceCall) -> Option<ServiceResult> {
        let damage_count = self.world.store.damage_count;
        let result = self.world.execute(call);
        if self.world.store.damage_count > damage_count {
            self.calls.checker.allow_all_restarts();
        }
        self.world.trace(|| match &result {
            Some(result) => format!("{cause}: {call} -> {result}"),
            None => format!("{cause}: {call} -> no response"),
        });
        result
    }

    /// Records which multipart upload a response has created.
    fn observe_result(&mut self, call: &ServiceCall, recipient: Recipient, result: &ServiceResult) {
        let Recipient::SessionCall(session, _) = recipient else { return };
        if call.operation() != Some(Operation::Initiate) {
            return;
        }
        match (result, self.calls.inputs.get(&session)) {
            (ServiceResult::Http(Ok(response)), Some(input)) if response.status == 200 => {
                let body = String::from_utf8_lossy(&response.body);
                let id = body.split("<UploadId>").nth(1).and_then(|rest| rest.split('<').next());
                let name = self.calls.name(input.file).to_owned();
                self.calls.checker.upload_created(id.expect("an upload id"), &name);
            }
            _ => self.calls.checker.allow_orphans(),
        }
    }

    fn fill(&mut self, session: SessionId, request: FillRequest) {
        let session_input = self.calls.inputs.get_mut(&session).unwrap();
        let input = match session_input.fill(request.size.bytes()) {
            Filled::Ended(bytes, end) => {
                session_input.open_fill = None;
                let (len, crc64) = (ByteCount(bytes.len() as u64), Crc64::compute(&bytes));
                session_input.buffers.insert(request.fill, bytes);
                let input = upload::Input::Filled { fill: request.fill, len, crc64, end };
                Input::Session { session, input }
            }
            Filled::Short { offset } => {
                let file = session_input.file;
                self.calls.checker.stream_ended(file, offset);
                self.in_flight.start(PendingOperation::Fill { session, request });
                Input::SourceEnded { session, offset: ByteCount(offset) }
            }
            Filled::Broken(reason) => Input::SourceInterrupted { session, reason },
        };
        self.handle(input);
    }

    /// Starts the operations of the queue, and reads its events.
    fn drain(&mut self) {
        let mut senders = Vec::new();
        while let Some(output) = self.calls.queue.poll() {
            self.calls.checker.check_no_secret(&output);
            if let Output::Session { session, output: upload::Output::Send { .. } } = &output {
                senders.push(self.calls.inputs[session].file);
            }
            self.start_operation(output);
        }
        InvariantChecker::check_senders(&self.calls.queue, &senders);
        while self.app.reads
            && let Some(event) = self.calls.queue.poll_event()
        {
            self.observe_event(&event);
            self.in_flight.start(PendingOperation::App(event.clone()));
            self.events.push(event);
        }
        for (session, input) in &mut self.calls.inputs {
            let request = self.calls.queue.pending_fill(*session);
            let fill = request.map(|request| request.fill);
            if input.open_fill != fill {
                assert!(request.is_none_or(|request| !request.streamed), "parts are buffered");
                input.open_fill = fill;
                self.in_flight.replace_fill(*session, request);
            }
        }
        self.check_state();
    }

    fn observe_event(&mut self, event: &Event) {
        self.world.trace(|| format!("event: {event:?}"));
        let QueueCalls { queue, files, checker, .. } = &mut self.calls;
        checker.check_no_secret(event);
        let Some(file) = event.file() else { return checker.observe_run_end(queue) };
        let planned = &files[&file];
        let context = EventContext {
            world: &self.world,
            options: &self.options,
            new: &planned.new,
            bytes: planned.content.bytes(),
            is_direct: self.app.credentials == Some(Credentials::Direct),
        };
        checker.observe_event(file, event, &context);
    }

    fn check_state(&mut self) {
        let QueueCalls { queue, inputs, checker, .. } = &mut self.calls;
        let (kv, reads_events) = (&mut self.world.kv, self.app.reads);
        checker.check_state(queue, &self.options, &self.in_flight, inputs, kv, reads_events);
    }

    fn start_operation(&mut self, output: Output) {
        let (call, recipient) = match output {
            Output::KvGet { id, key } => (ServiceCall::KvGet { key }, Recipient::Queue(id)),
            Output::KvSet { id, key, value } => {
                (ServiceCall::KvSet { key, value }, Recipient::Queue(id))
            }
            Output::KvDelete { id, key } => (ServiceCall::KvDelete { key }, Recipient::Queue(id)),
            Output::CallVod { id, request } => {
                (ServiceCall::Send { request, body: None }, Recipient::QueueVod(id))
            }
            Output::CancelVod { id } => return self.in_flight.cancel_vod(id),
            Output::SessionStarted { session, file, size } => {
                let input = SessionInput::new(file, size.map(ByteCount::bytes));
                self.calls.inputs.insert(session, input);
                return;
            }
            Output::SessionDropped { session } => return self.end_session(session),
            Output::Session { session, output } => match self.session_call(session, output) {
                Some(started) => started,
                None => return,
            },
        };
        self.calls.checker.observe_call(&call);
        self.in_flight.start(PendingOperation::Call { call, recipient });
    }

    fn session_call(
        &mut self,
        session: SessionId,
        output: upload::Output,
    ) -> Option<(ServiceCall, Recipient)> {
        let buffers = &self.calls.inputs[&session].buffers;
        Some(match output {
            upload::Output::KvGet { id, key } => {
                (ServiceCall::KvGet { key }, Recipient::SessionKv(session, id))
            }
            upload::Output::KvSet { id, key, value } => {
                let value = buffers.value(value);
                (ServiceCall::KvSet { key, value }, Recipient::SessionKv(session, id))
            }
            upload::Output::KvDelete { key } => (ServiceCall::KvDelete { key }, Recipient::Nothing),
            upload::Output::Send { call, request, fill } => {
                let body = fill.map(|fill| buffers.bytes(fill).expect("a filled buffer"));
                (ServiceCall::Send { request, body }, Recipient::SessionCall(session, call))
            }
            upload::Output::Cancel { call: canceled } => {
                self.abort(|of, call| of == session && call == canceled);
                return None;
            }
            upload::Output::RefreshCredential => panic!("the queue refreshes credentials"),
            upload::Output::Event(event) => {
                self.observe_session_event(session, event);
                return None;
            }
        })
    }

    fn observe_session_event(&mut self, session: SessionId, event: upload::Event) {
        let input = self.calls.inputs.get_mut(&session).unwrap();
        match event {
            upload::Event::Receiving { offset, tail } => input.start_at(offset.bytes(), tail),
            upload::Event::BufferReleased(fill) => input.buffers.release(fill),
            upload::Event::RestartSource => {
                input.restart();
                let name = self.calls.files[&input.file].new.name.clone();
                self.calls.checker.restart(&name);
            }
            upload::Event::SessionEnded(_) => self.end_session(session),
            upload::Event::Durable(_) => {}
        }
    }

    /// Requests of the session are aborted. Its writes and deletions continue.
    fn end_session(&mut self, ended: SessionId) {
        self.calls.inputs.remove(&ended);
        self.abort(|session, _| session == ended);
        self.in_flight.end_session(ended);
    }

    fn abort(&mut self, is_aborted: impl Fn(SessionId, upload::CallId) -> bool) {
        let schedule = self.aborted_may_arrive.then_some(&mut self.schedule);
        if self.in_flight.abort(is_aborted, schedule) {
            self.calls.checker.allow_orphans();
        }
    }
}

impl Default for Simulation {
    fn default() -> Self {
        Self::new()
    }
}

/// The input that passes the result of a call to the queue.
fn input(recipient: Recipient, result: ServiceResult) -> Input {
    let unavailable = |text| Error::new(ErrorKind::KeyValueUnavailable, text);
    match (recipient, result) {
        (Recipient::Queue(id), ServiceResult::Kv(result)) => {
            Input::Kv { id, result: result.map_err(unavailable) }
        }
        (Recipient::QueueVod(id), ServiceResult::Http(result)) => {
            let unreachable = |text| Error::new(ErrorKind::VodUnavailable, text);
            Input::VodResponse { id, result: result.map_err(unreachable) }
        }
        (Recipient::SessionKv(session, id), ServiceResult::Kv(result)) => {
            let result = result.map_err(unavailable);
            Input::Session { session, input: upload::Input::Kv { id, result } }
        }
        (Recipient::SessionCall(session, call), ServiceResult::Http(result)) => {
            Input::Session { session, input: upload::Input::StoreResponse { call, result } }
        }
        mismatch => panic!("{mismatch:?}"),
    }
}
