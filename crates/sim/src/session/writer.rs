//! One session and its driver, by the contract of the session.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use vod_uploader::crc64::Crc64;
use vod_uploader::error::{Error, ErrorKind};
use vod_uploader::units::{ByteCount, UnixMillis};
use vod_uploader::upload::{
    Event, FillId, FillRequest, Input, Output, Session, SessionOutcome, SourceStatus,
};

use super::operation::{
    OperationResult, OperationStage, Pending, PendingOperation, Recipient, input,
};
use super::source::{Source, SourceReader};
use crate::world::{Content, PartBuffers, ServiceCall};

/// Index of a writer of a simulation.
pub type WriterId = usize;

/// A session and the operations that it has started.
#[derive(Debug)]
pub struct Writer {
    /// The session.
    pub session: Session,
    /// The outcome, once the session has ended.
    pub outcome: Option<SessionOutcome>,
    /// The offset from which the session receives bytes, once it does.
    pub started_at: Option<u64>,
    /// The acknowledged offsets, in order, since the source was last restarted.
    pub durable: Vec<u64>,
    /// How often the source was restarted.
    pub restarts: u32,
    /// How often a credential was requested.
    pub refreshes: u32,
    pub(super) pending: Vec<Pending>,
    observations: Vec<Observation>,
    source: SourceReader,
    open_fill: Option<FillId>,
    buffers: PartBuffers,
    content_len: u64,
}

/// What the checker observes of a session.
#[derive(Clone, Copy, Debug)]
pub(super) enum Observation {
    Durable(u64),
    Restarted,
}

impl Writer {
    pub(super) fn new(session: Session, source: Source, content: Content) -> Self {
        let mut writer = Self {
            session,
            outcome: None,
            started_at: None,
            durable: Vec::new(),
            restarts: 0,
            refreshes: 0,
            pending: Vec::new(),
            observations: Vec::new(),
            open_fill: None,
            buffers: PartBuffers::default(),
            content_len: content.len(),
            source: SourceReader::new(source, content),
        };
        writer.drain();
        writer
    }

    /// Returns `true` if the session has ended or crashed.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.outcome.is_some()
    }

    /// Largest number of buffers that were held at the same time.
    #[must_use]
    pub const fn buffers_max(&self) -> usize {
        self.buffers.most()
    }

    /// The observations since the last call.
    pub(super) fn take_observations(&mut self) -> Vec<Observation> {
        std::mem::take(&mut self.observations)
    }

    /// Ends the session as a crash does. Returns the calls that can still take effect.
    pub(super) fn crash(&mut self) -> Vec<ServiceCall> {
        let error = Error::new(ErrorKind::Internal, "crashed");
        self.outcome = Some(SessionOutcome::Failed { error, durable: ByteCount::ZERO });
        self.pending.drain(..).filter_map(Pending::into_late_write).collect()
    }

    /// Indexes of the operations that can continue.
    pub(super) fn continuable(&self, early_responses: bool) -> impl Iterator<Item = usize> {
        let can_continue = move |pending: &Pending| match (&pending.operation, &pending.stage) {
            (_, OperationStage::Silent) => false,
            (PendingOperation::Fill(request), OperationStage::Executed(result))
                if matches!(**result, OperationResult::StreamOpened) =>
            {
                self.pending.iter().any(|pending| pending.has_body(request.fill))
            }
            _ => early_responses || !pending.waits_for_body(),
        };
        let pending = self.pending.iter().enumerate();
        pending.filter(move |(_, pending)| can_continue(pending)).map(|(index, _)| index)
    }

    /// Passes an input to the session, and starts the operations that it outputs.
    pub(super) fn handle(&mut self, now: UnixMillis, input: Input) {
        self.session.handle(now, input).unwrap();
        self.drain();
    }

    /// Passes the result of an operation to the session.
    pub(super) fn deliver(
        &mut self,
        now: UnixMillis,
        operation: PendingOperation,
        result: OperationResult,
    ) {
        let input = match (operation, result) {
            (PendingOperation::Call { recipient, .. }, OperationResult::Service(result)) => {
                input(recipient, result)
            }
            (PendingOperation::RefreshCredential, OperationResult::Credential(result)) => {
                Input::Credential(result)
            }
            (PendingOperation::Fill(request), OperationResult::StreamOpened) => {
                return self.stream(request);
            }
            (PendingOperation::Fill(request), OperationResult::StreamEnded(bytes, end)) => {
                return self.end_fill(now, request, bytes, end);
            }
            mismatch => panic!("{mismatch:?}"),
        };
        self.handle(now, input);
    }

    /// Fills a buffer, or opens a stream.
    pub(super) fn fill(&mut self, now: UnixMillis, request: FillRequest) {
        if request.streamed {
            self.push_fill(request, OperationResult::StreamOpened);
            self.handle(now, Input::StreamOpened { fill: request.fill });
        } else {
            let (bytes, end) = self.source.read(request.size.bytes());
            self.end_fill(now, request, bytes, end);
        }
    }

    /// Streams bytes into their request. The end of the fill is reported later, possibly after the
    /// response to the request.
    fn stream(&mut self, request: FillRequest) {
        let (bytes, end) = self.source.read(request.size.bytes());
        if bytes.len() as u64 == request.size.bytes() {
            let bytes = Rc::new(bytes.clone());
            for pending in &mut self.pending {
                pending.set_streamed_body(request.fill, &bytes);
            }
        }
        self.push_fill(request, OperationResult::StreamEnded(bytes, end));
    }

    fn push_fill(&mut self, request: FillRequest, result: OperationResult) {
        let stage = OperationStage::Executed(Box::new(result));
        self.pending.push(Pending { operation: PendingOperation::Fill(request), stage });
    }

    fn end_fill(
        &mut self,
        now: UnixMillis,
        request: FillRequest,
        bytes: Vec<u8>,
        end: SourceStatus,
    ) {
        self.open_fill = None;
        let (len, crc64) = (ByteCount(bytes.len() as u64), cached_crc64(&bytes));
        if !request.streamed {
            self.buffers.insert(request.fill, bytes);
        }
        self.handle(now, Input::Filled { fill: request.fill, len, crc64, end });
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.poll() {
            assert!(!self.has_ended(), "{output:?} after the end");
            self.start(output);
        }
        let request = self.session.pending_fill();
        if self.open_fill != request.map(|request| request.fill) {
            self.pending.retain(|pending| !matches!(pending.operation, PendingOperation::Fill(_)));
            self.open_fill = request.map(|request| request.fill);
            let fill = request.map(|request| Pending::new(PendingOperation::Fill(request)));
            self.pending.extend(fill);
        }
    }

    fn start(&mut self, output: Output) {
        let (call, recipient) = match output {
            Output::KvGet { id, key } => (ServiceCall::KvGet { key }, Recipient::Kv(id)),
            Output::KvSet { id, key, value } => {
                let value = self.buffers.value(value);
                (ServiceCall::KvSet { key, value }, Recipient::Kv(id))
            }
            Output::KvDelete { key } => (ServiceCall::KvDelete { key }, Recipient::Nothing),
            Output::Send { call, request, fill } => {
                let body = fill.and_then(|fill| self.buffers.bytes(fill));
                (ServiceCall::Send { request, body }, Recipient::Request { call, fill })
            }
            Output::Cancel { call: canceled } => {
                let index = self.pending.iter().position(|pending| {
                    matches!(
                        pending.operation,
                        PendingOperation::Call { recipient: Recipient::Request { call, .. }, .. }
                            if call == canceled
                    )
                });
                self.pending.remove(index.expect("a request in flight"));
                return;
            }
            Output::RefreshCredential => {
                self.refreshes += 1;
                let is_refresh = |pending: &Pending| {
                    matches!(pending.operation, PendingOperation::RefreshCredential)
                };
                assert!(!self.pending.iter().any(is_refresh), "two refreshes at the same time");
                return self.pending.push(Pending::new(PendingOperation::RefreshCredential));
            }
            Output::Event(event) => return self.observe(event),
        };
        let is_same = |pending: &Pending| {
            matches!(
                (&pending.operation, &recipient),
                (PendingOperation::Call { recipient: Recipient::Kv(id), .. }, Recipient::Kv(new))
                    if id == new
            )
        };
        assert!(!self.pending.iter().any(is_same), "two operations in progress have the same ID");
        self.pending.push(Pending::new(PendingOperation::Call { call, recipient }));
    }

    fn observe(&mut self, event: Event) {
        match event {
            Event::Receiving { offset, tail } => {
                assert_eq!(self.started_at, None, "a session starts to receive once");
                self.started_at = Some(offset.bytes());
                self.source.start_at(offset, tail);
            }
            Event::Durable(offset) => {
                let offset = offset.bytes();
                let last = self.durable.last().copied().or(self.started_at).unwrap_or_default();
                assert!(offset > last || self.restarts > 0, "an offset regresses");
                assert!(offset <= self.content_len, "more is acknowledged than was sent");
                self.durable.push(offset);
                self.observations.push(Observation::Durable(offset));
            }
            Event::BufferReleased(fill) => self.buffers.release(fill),
            Event::RestartSource => {
                self.restarts += 1;
                self.source.restart();
                self.durable.clear();
                self.observations.push(Observation::Restarted);
            }
            Event::SessionEnded(outcome) => {
                let is_failed = matches!(outcome, SessionOutcome::Failed { .. });
                let held = self.buffers.len();
                assert!(is_failed || held == 0, "{held} buffers are held after {outcome:?}");
                self.outcome = Some(outcome);
            }
        }
    }
}

/// The engine's CRC-64, as a driver computes it. Results are cached, since tests send the same
/// parts thousands of times.
fn cached_crc64(bytes: &[u8]) -> Crc64 {
    CACHE.with_borrow_mut(|cache| {
        if let Some(crc) = cache.get(bytes) {
            return *crc;
        }
        let crc = Crc64::compute(bytes);
        cache.insert(bytes.to_vec(), crc);
        crc
    })
}

thread_local! {
    static CACHE: RefCell<BTreeMap<Vec<u8>, Crc64>> = const { RefCell::new(BTreeMap::new()) };
}
