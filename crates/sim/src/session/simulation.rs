//! The writers of one upload in a world, one step at a time.

use std::time::Duration;

use vod_uploader::crc64::Crc64;
use vod_uploader::credential::{UploadAddress, UploadAuth, UploadCredential};
use vod_uploader::error::{Error, ErrorKind, Result};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{
    Checkpoint, ConcatSource, Input, LeaseAcquisition, Purpose, RetryPolicy, Session,
    SessionOptions, SessionOutcome,
};

use super::checker::InvariantChecker;
use super::client_request::ClientRequest;
use super::operation::{OperationResult, OperationStage, Pending, PendingOperation, Recipient};
use super::records::{OBJECT, find_checkpoint, is_created, upload_id, upload_record};
use super::source::{Readback, Source};
use super::writer::{Observation, Writer, WriterId};
use crate::world::{BUCKET, Content, ENDPOINT, Schedule, ServiceCall, StoredObject, World, crc64};

/// A run with more steps does not end.
const STEPS_MAX: u32 = 100_000;

/// Lifetime of the first credential.
const CREDENTIAL_TTL: Duration = Duration::from_secs(3_600);

/// The result of a credential refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshResult {
    /// A credential with this lifetime.
    Granted(Duration),
    /// A credential that OSS does not accept.
    GrantedUnknown,
    /// An error.
    Failed(ErrorKind),
}

/// What becomes of the calls of a crashed writer that had not taken effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LateWrites {
    /// They take effect at once.
    ArriveImmediately,
    /// They take effect after the next session.
    ArriveAtEnd,
    /// They are lost.
    NeverArrive,
}

/// The writers of one upload.
#[derive(Debug)]
pub struct Simulation {
    /// The time and the services.
    pub world: World,
    /// The bytes that are uploaded.
    pub content: Content,
    /// All writers in the order of their creation.
    pub writers: Vec<Writer>,
    /// Options of the next session.
    pub options: SessionOptions,
    /// The result of a credential refresh.
    pub refresh_result: RefreshResult,
    /// Calls of writers that have crashed or ended.
    late_writes: Vec<ServiceCall>,
    schedule: Schedule,
    checker: InvariantChecker,
    is_length_known: bool,
}

enum NextStep {
    Tick(WriterId),
    Continue(WriterId, usize),
    LateWrite(usize),
}

impl LateWrites {
    /// All variants.
    pub const ALL: [Self; 3] = [Self::ArriveImmediately, Self::ArriveAtEnd, Self::NeverArrive];
}

impl Simulation {
    /// A simulation of an upload whose length is known from its creation.
    #[must_use]
    pub fn of_known_length(len: u64) -> Self {
        Self::new(len, true)
    }

    /// A simulation of an upload whose length is unknown at its creation.
    #[must_use]
    pub fn of_unknown_length(len: u64) -> Self {
        Self::new(len, false)
    }

    fn new(len: u64, is_length_known: bool) -> Self {
        let mut simulation = Self {
            world: World::default(),
            content: Content::of_len(len),
            writers: Vec::new(),
            options: SessionOptions {
                part_size: ByteCount(102_400),
                parallel: 3,
                retry: RetryPolicy::default(),
                request_timeout: Duration::from_secs(30),
                writer: 0,
                seed: 7,
                credential: None,
                can_refresh: false,
                replayable: false,
            },
            refresh_result: RefreshResult::Granted(CREDENTIAL_TTL),
            late_writes: Vec::new(),
            schedule: Schedule::First,
            checker: InvariantChecker::default(),
            is_length_known,
        };
        simulation.options.credential = Some(simulation.grant(CREDENTIAL_TTL));
        simulation
    }

    /// Another simulation of the same upload, at its start.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self::new(self.content.len(), self.is_length_known)
    }

    /// The same simulation with an order that follows from `seed`.
    #[must_use]
    pub fn seeded(mut self, seed: u64) -> Self {
        self.schedule = Schedule::seeded(seed);
        self.options.seed = seed;
        self
    }

    /// A credential that OSS accepts for `ttl`.
    pub fn grant(&mut self, ttl: Duration) -> UploadCredential {
        self.world.app_server.token_ttl = ttl;
        let token = self.world.issue_token();
        UploadCredential {
            address: UploadAddress {
                endpoint: ENDPOINT.into(),
                bucket: BUCKET.into(),
                object: OBJECT.into(),
            },
            auth: UploadAuth::new(token.credential, token.expires_at, None, self.world.now()),
        }
    }

    /// Opens a session without a source.
    pub fn try_open(
        &mut self,
        acquisition: LeaseAcquisition,
        purpose: Purpose,
    ) -> Result<WriterId> {
        self.open(acquisition, purpose, Source::Nothing)
    }

    /// Creates the upload with a request.
    ///
    /// # Panics
    /// If the session rejects the request.
    pub fn create(&mut self, request: ClientRequest) -> WriterId {
        let source = Source::Request(request);
        self.open(LeaseAcquisition::New, request.purpose(), source).unwrap()
    }

    /// Continues the upload with a request.
    ///
    /// # Panics
    /// If the session rejects the request.
    pub fn take_over(&mut self, request: ClientRequest) -> WriterId {
        let source = Source::Request(request);
        self.open(LeaseAcquisition::TakeOver, request.purpose(), source).unwrap()
    }

    /// Creates the upload with a request, or continues it.
    pub fn open_request(&mut self, request: ClientRequest) -> WriterId {
        if self.is_created() { self.take_over(request) } else { self.create(request) }
    }

    /// Creates the upload with a concatenation, or continues it.
    ///
    /// # Panics
    /// If the session rejects the sources.
    pub fn open_concatenation(&mut self, readback: Readback) -> WriterId {
        let acquisition =
            if self.is_created() { LeaseAcquisition::TakeOver } else { LeaseAcquisition::New };
        let purpose = Purpose::Concatenate { sources: readback.sources() };
        self.open(acquisition, purpose, Source::Readback(readback)).unwrap()
    }

    /// Stores the content as objects of these lengths.
    pub fn put_sources(&mut self, lens: &[u64]) -> Vec<ConcatSource> {
        let mut from = 0;
        let mut sources = Vec::new();
        for (index, len) in lens.iter().enumerate() {
            let bytes = self.content.range(from, from + len).to_vec();
            from += len;
            let object = format!("tmp/{index}");
            sources.push(ConcatSource {
                bucket: BUCKET.into(),
                object: object.clone(),
                len: ByteCount(*len),
                crc64: Crc64(crc64(&bytes)),
            });
            self.put_object(object, bytes);
        }
        sources
    }

    /// Stores another object of `len` bytes with the key of the upload.
    pub fn put_other_object(&mut self, len: u64) {
        self.put_object(OBJECT.into(), vec![7; usize::try_from(len).unwrap()]);
    }

    /// Reconciles the upload with OSS.
    pub fn reconcile(&mut self) -> SessionOutcome {
        self.run_purpose(Purpose::Reconcile)
    }

    /// Fences earlier writers.
    pub fn fence(&mut self) -> SessionOutcome {
        self.run_purpose(Purpose::Fence)
    }

    /// Aborts the upload.
    pub fn abort(&mut self) -> SessionOutcome {
        self.run_purpose(Purpose::Abort)
    }

    /// Creates the upload and sends all bytes in one request.
    pub fn upload(&mut self) -> SessionOutcome {
        let id = self.create(ClientRequest::new(0, self.content.len()).completing());
        self.run(id)
    }

    /// Continues the upload and sends all remaining bytes in one request.
    pub fn resume(&mut self) -> SessionOutcome {
        let id = self.take_over(self.rest());
        self.run(id)
    }

    /// A request for all remaining bytes.
    #[must_use]
    pub fn rest(&self) -> ClientRequest {
        ClientRequest::new(self.stored_offset(), self.content.len()).completing()
    }

    /// Returns `true` if a request can find the upload.
    #[must_use]
    pub fn is_created(&self) -> bool {
        is_created(&self.world.kv)
    }

    /// The last checkpoint.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        find_checkpoint(&self.world.kv).0
    }

    /// The highest acknowledged offset.
    #[must_use]
    pub const fn acknowledged(&self) -> u64 {
        self.checker.acknowledged()
    }

    /// The durable offset of the last checkpoint.
    #[must_use]
    pub fn stored_offset(&self) -> u64 {
        let checkpoint = self.checkpoint();
        self.checker.check_checkpoint(&checkpoint);
        checkpoint.durable().bytes()
    }

    /// The stored offset, or zero if the upload has not been created.
    #[must_use]
    pub fn stored_offset_or_zero(&self) -> u64 {
        if self.is_created() { self.stored_offset() } else { 0 }
    }

    /// The offset that a response reports; `None` if the request has to wait, because the writer
    /// that holds the lease has no checkpoint.
    #[must_use]
    pub fn reported_offset(&self) -> Option<u64> {
        let (checkpoint, is_conclusive) = find_checkpoint(&self.world.kv);
        is_conclusive.then(|| checkpoint.durable().bytes())
    }

    /// Runs one writer to its end.
    ///
    /// # Panics
    /// If it does not end.
    pub fn run(&mut self, id: WriterId) -> SessionOutcome {
        for _ in 0..STEPS_MAX {
            if !self.step(id) {
                return self.writers[id].outcome.clone().unwrap();
            }
        }
        panic!("writer {id} does not end: {:#?}", self.writers[id].session);
    }

    /// Runs one writer to its end although the stored records are damaged and cannot be checked.
    ///
    /// # Panics
    /// If it does not end.
    pub fn run_damaged(&mut self, id: WriterId) -> SessionOutcome {
        for _ in 0..STEPS_MAX {
            if !self.step_unchecked(&[id], false) {
                return self.writers[id].outcome.clone().unwrap();
            }
        }
        panic!("writer {id} does not end");
    }

    /// Runs all writers to their ends. Late writes take effect in between.
    ///
    /// # Panics
    /// If they do not end.
    pub fn run_all(&mut self) {
        let all: Vec<_> = (0..self.writers.len()).collect();
        for _ in 0..STEPS_MAX {
            if !self.step_any(&all, true) {
                return;
            }
        }
        panic!("the writers do not end");
    }

    /// One step of a writer. Returns `false` if it has ended.
    pub fn step(&mut self, id: WriterId) -> bool {
        self.step_any(&[id], false)
    }

    /// Passes an input to the session of a writer.
    pub fn handle(&mut self, id: WriterId, input: Input) {
        self.writers[id].handle(self.world.now(), input);
    }

    /// Crashes a writer. Its calls that have not taken effect become late writes.
    pub fn crash(&mut self, id: WriterId) {
        self.late_writes.extend(self.writers[id].crash());
    }

    /// Crashes a writer after `step` steps. Returns `false` if it has ended before.
    pub fn crash_at(&mut self, id: WriterId, step: u64, late_writes: LateWrites) -> bool {
        for _ in 0..step {
            self.step(id);
        }
        if self.writers[id].has_ended() {
            return false;
        }
        self.crash(id);
        match late_writes {
            LateWrites::ArriveImmediately => self.apply_late_writes(),
            LateWrites::ArriveAtEnd => {}
            LateWrites::NeverArrive => self.discard_late_writes(),
        }
        true
    }

    /// All late writes take effect.
    pub fn apply_late_writes(&mut self) {
        for call in std::mem::take(&mut self.late_writes) {
            self.world.execute(&call);
        }
    }

    /// All late writes are lost.
    pub fn discard_late_writes(&mut self) {
        self.late_writes.clear();
    }

    /// Late writes take effect in the reverse order.
    pub fn reverse_late_writes(&mut self) {
        self.late_writes.reverse();
    }

    fn open(
        &mut self,
        acquisition: LeaseAcquisition,
        purpose: Purpose,
        source: Source,
    ) -> Result<WriterId> {
        let id = self.writers.len();
        let options = SessionOptions { writer: 0xabc0 + id as u64, ..self.options.clone() };
        let record = upload_record(self.is_length_known.then_some(self.content.len()));
        let now = self.world.now();
        let session = Session::new(upload_id(), &record, acquisition, purpose, options, now)?;
        self.writers.push(Writer::new(session, source, self.content.clone()));
        Ok(id)
    }

    fn run_purpose(&mut self, purpose: Purpose) -> SessionOutcome {
        let id = self.try_open(LeaseAcquisition::TakeOver, purpose).unwrap();
        self.run(id)
    }

    fn put_object(&mut self, key: String, bytes: Vec<u8>) {
        let stored = StoredObject { crc64: crc64(&bytes), bytes };
        self.world.store.objects.insert(key, stored);
    }

    fn step_any(&mut self, ids: &[WriterId], with_late_writes: bool) -> bool {
        let has_stepped = self.step_unchecked(ids, with_late_writes);
        for id in 0..self.writers.len() {
            let started_at = self.writers[id].started_at.unwrap_or_default();
            for observation in self.writers[id].take_observations() {
                match observation {
                    Observation::Restarted => self.checker.restart(),
                    Observation::Durable(offset) => {
                        self.checker.observe_durable(id, started_at, offset);
                    }
                }
            }
        }
        if self.world.kv.take_has_changed() {
            self.checker.check_stored(&self.world);
        }
        has_stepped
    }

    fn step_unchecked(&mut self, ids: &[WriterId], with_late_writes: bool) -> bool {
        let active: Vec<_> =
            ids.iter().copied().filter(|id| !self.writers[*id].has_ended()).collect();
        let mut choices = self.choices(&active);
        if with_late_writes {
            choices.extend((0..self.late_writes.len()).map(NextStep::LateWrite));
        }
        if choices.is_empty() {
            let wakeups = active.iter().filter_map(|id| self.writers[*id].session.next_wakeup());
            let Some(wakeup) = wakeups.min() else {
                assert!(active.is_empty(), "nothing can happen: {:#?}", self.writers[active[0]]);
                return false;
            };
            self.world.clock.advance_to(wakeup);
            choices = self.choices(&active);
        }
        let index = self.schedule.pick(choices.len());
        self.world.clock.advance(Duration::from_millis(1));
        match choices.swap_remove(index) {
            NextStep::Tick(id) => {
                self.handle(id, Input::Tick);
                self.finish(id);
            }
            NextStep::Continue(id, index) => {
                self.continue_operation(id, index);
                self.finish(id);
            }
            NextStep::LateWrite(index) => {
                let call = self.late_writes.remove(index);
                self.world.execute(&call);
            }
        }
        true
    }

    fn choices(&self, active: &[WriterId]) -> Vec<NextStep> {
        let mut choices = Vec::new();
        for id in active {
            let writer = &self.writers[*id];
            if writer.session.next_wakeup().is_some_and(|at| at <= self.world.now()) {
                choices.push(NextStep::Tick(*id));
            }
            let continuable = writer.continuable(self.world.store.answers_before_body);
            choices.extend(continuable.map(|index| NextStep::Continue(*id, index)));
        }
        choices
    }

    fn continue_operation(&mut self, id: WriterId, index: usize) {
        let now = self.world.now();
        let Pending { operation, stage } = self.writers[id].pending.remove(index);
        let stage = match (&operation, stage) {
            (_, OperationStage::Executed(result)) => {
                return self.writers[id].deliver(now, operation, *result);
            }
            (PendingOperation::Fill(request), _) => return self.writers[id].fill(now, *request),
            (PendingOperation::Call { call, recipient }, _) => {
                let result = self.world.execute(call).map(OperationResult::Service);
                if *recipient == Recipient::Nothing {
                    return;
                }
                result.map_or(OperationStage::Silent, |result| {
                    OperationStage::Executed(Box::new(result))
                })
            }
            (PendingOperation::RefreshCredential, _) => {
                let result = OperationResult::Credential(self.refresh_credential());
                OperationStage::Executed(Box::new(result))
            }
        };
        self.writers[id].pending.insert(index, Pending { operation, stage });
    }

    fn refresh_credential(&mut self) -> Result<UploadCredential, Error> {
        match self.refresh_result {
            RefreshResult::Granted(ttl) => Ok(self.grant(ttl)),
            RefreshResult::GrantedUnknown => {
                let credential = self.grant(CREDENTIAL_TTL);
                self.world.store.keys.remove(&credential.auth.credential.access_key_id);
                Ok(credential)
            }
            RefreshResult::Failed(kind) => Err(Error::new(kind, "no new credential")),
        }
    }

    /// Checks the outcome of a session that has ended. It waits for no result, but its deletions
    /// take effect, and its writes become late writes.
    fn finish(&mut self, id: WriterId) {
        let Some(outcome) = &self.writers[id].outcome else { return };
        InvariantChecker::check_outcome(outcome, &self.world, &self.content);
        for pending in std::mem::take(&mut self.writers[id].pending) {
            let PendingOperation::Call { call, .. } = &pending.operation else { continue };
            match call {
                ServiceCall::KvDelete { .. } => drop(self.world.execute(call)),
                ServiceCall::KvSet { .. } => self.late_writes.extend(pending.into_late_write()),
                _ => {}
            }
        }
    }
}
