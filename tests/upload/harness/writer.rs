//! One session, its client's request, and what it has in flight: the driver of the loop contract.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use vod_uploader::crc64::Crc64;
use vod_uploader::error::{Error, Result};
use vod_uploader::oss::{HttpResponse, Request};
use vod_uploader::units::{ByteCount, UnixMillis};
use vod_uploader::upload::{
    CallId, Event, FillId, FillRequest, Input, KvId, Output, Session, SessionOutcome, SourceStatus,
    Value,
};

use super::{ClientRequest, Content, JoinStream};

/// One session and everything that it has begun.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) session: Session,
    pub(crate) pending: Vec<Pending>,
    pub(crate) outcome: Option<SessionOutcome>,
    /// Where the session said that it takes bytes from.
    pub(crate) ready: Option<u64>,
    /// The offsets that were acknowledged, in their order, since the last rewind.
    pub(crate) durable: Vec<u64>,
    /// Those that the audit has not seen yet.
    pub(super) durable_unseen: Vec<u64>,
    pub(crate) rewinds: u32,
    pub(super) rewinds_unseen: bool,
    pub(super) end_audited: bool,
    pub(crate) refreshes: u32,
    /// Most buffers held at once.
    pub(crate) held_max: usize,
    content: Content,
    request: Option<ClientRequest>,
    join: Option<JoinStream>,
    position: u64,
    tail: Vec<u8>,
    filling: Option<FillId>,
    buffers: BTreeMap<FillId, Rc<Vec<u8>>>,
}

/// Something that was begun.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) what: Begun,
    pub(crate) stage: Stage,
}

#[derive(Debug)]
pub(crate) enum Begun {
    KvGet { id: KvId, key: String },
    KvSet { id: KvId, key: String, value: Vec<u8> },
    KvDelete { key: String },
    Call { call: CallId, request: Box<Request>, fill: Option<FillId>, body: Option<Rc<Vec<u8>>> },
    Refresh,
    Fill(FillRequest),
}

/// How far it is.
#[derive(Debug)]
pub(crate) enum Stage {
    /// On its way: nothing has happened yet.
    Begun,
    /// It has happened; the answer is on its way.
    Answered(Box<Completion>),
    /// No answer will ever come.
    Silent,
}

#[derive(Debug)]
pub(crate) enum Completion {
    Kv(Result<Option<Vec<u8>>, String>),
    Call(Result<HttpResponse, String>),
    Refresh(Result<vod_uploader::credential::UploadCredential, Error>),
    StreamOpened,
    StreamPassed(Vec<u8>, SourceStatus),
}

impl Writer {
    /// A writer of a join, which reads what is to be read of its sources.
    pub(super) fn joining(session: Session, content: Content, join: JoinStream) -> Self {
        Self { join: Some(join), ..Self::undrained(session, content, None) }.drained()
    }

    pub(super) fn new(session: Session, content: Content, request: Option<ClientRequest>) -> Self {
        Self::undrained(session, content, request).drained()
    }

    fn drained(mut self) -> Self {
        self.drain();
        self
    }

    fn undrained(session: Session, content: Content, request: Option<ClientRequest>) -> Self {
        Self {
            session,
            pending: Vec::new(),
            outcome: None,
            ready: None,
            durable: Vec::new(),
            durable_unseen: Vec::new(),
            rewinds: 0,
            rewinds_unseen: false,
            end_audited: false,
            refreshes: 0,
            held_max: 0,
            content,
            request,
            join: None,
            position: request.map_or(0, |request| request.from),
            tail: Vec::new(),
            filling: None,
            buffers: BTreeMap::new(),
        }
    }

    pub(crate) const fn has_ended(&self) -> bool {
        self.outcome.is_some()
    }

    /// Whether a pending operation can go on now.
    pub(super) fn can_go_on(&self, index: usize, store_waits_for_body: bool) -> bool {
        match &self.pending[index] {
            Pending { stage: Stage::Silent, .. } => false,
            // A streamed body has to pass first.
            Pending {
                what: Begun::Call { fill: Some(_), body: None, .. },
                stage: Stage::Begun,
            } => !store_waits_for_body,
            // A stream is opened, and then waits for its request.
            Pending { what: Begun::Fill(want), stage: Stage::Answered(answer) }
                if matches!(**answer, Completion::StreamOpened) =>
            {
                self.pending.iter().any(|pending| {
                    matches!(&pending.what, Begun::Call { fill, .. } if *fill == Some(want.fill))
                })
            }
            _ => true,
        }
    }

    pub(crate) fn tell(&mut self, now: UnixMillis, input: Input) {
        self.session.handle(now, input).unwrap();
        self.drain();
    }

    /// Delivers the answer to a pending operation.
    pub(super) fn deliver(&mut self, now: UnixMillis, index: usize) {
        let Pending { what, stage } = self.pending.remove(index);
        let Stage::Answered(answer) = stage else { panic!("nothing to deliver") };
        let input = match (what, *answer) {
            (Begun::KvGet { id, .. } | Begun::KvSet { id, .. }, Completion::Kv(result)) => {
                Input::Kv { id, result }
            }
            (Begun::Call { call, .. }, Completion::Call(result)) => {
                Input::StoreResponse { call, result }
            }
            (Begun::Refresh, Completion::Refresh(result)) => Input::Credential(result),
            (Begun::Fill(want), Completion::StreamOpened) => return self.pass_stream(want),
            (Begun::Fill(want), Completion::StreamPassed(bytes, end)) => {
                return self.end_fill(now, want, bytes, end);
            }
            mismatch => panic!("{mismatch:?}"),
        };
        self.tell(now, input);
    }

    /// Fills a want, or opens its stream.
    pub(super) fn fill(&mut self, now: UnixMillis, index: usize) {
        let Begun::Fill(want) = self.pending[index].what else { panic!("not a fill") };
        if want.streamed {
            self.pending[index].stage = Stage::Answered(Box::new(Completion::StreamOpened));
            self.tell(now, Input::StreamOpened { fill: want.fill });
            return;
        }
        self.pending.remove(index);
        let (bytes, end) = self.take(want.size.bytes());
        self.end_fill(now, want, bytes, end);
    }

    /// Passes a stream's bytes into its request. That the fill has ended is told later, perhaps
    /// after the request's answer.
    fn pass_stream(&mut self, want: FillRequest) {
        let (bytes, end) = self.take(want.size.bytes());
        if bytes.len() as u64 == want.size.bytes() {
            let bytes = Rc::new(bytes.clone());
            for pending in &mut self.pending {
                if let Begun::Call { fill, body, .. } = &mut pending.what
                    && *fill == Some(want.fill)
                {
                    *body = Some(Rc::clone(&bytes));
                }
            }
        }
        let stage = Stage::Answered(Box::new(Completion::StreamPassed(bytes, end)));
        self.pending.push(Pending { what: Begun::Fill(want), stage });
    }

    fn end_fill(&mut self, now: UnixMillis, want: FillRequest, bytes: Vec<u8>, end: SourceStatus) {
        self.filling = None;
        let (len, crc64) = (ByteCount(bytes.len() as u64), engine_crc64(&bytes));
        if !want.streamed {
            self.buffers.insert(want.fill, Rc::new(bytes));
        }
        self.held_max = self.held_max.max(self.buffers.len());
        self.tell(now, Input::Filled { fill: want.fill, len, crc64, end });
    }

    /// The next bytes for a buffer of `size`, the tail first.
    fn take(&mut self, size: u64) -> (Vec<u8>, SourceStatus) {
        if let Some(join) = &mut self.join {
            return join.take(size);
        }
        let request = self.request.unwrap();
        let mut bytes = std::mem::take(&mut self.tail);
        let room = size - bytes.len() as u64;
        let to = request.to.min(self.position + room);
        bytes.extend_from_slice(self.content.range(self.position, to));
        self.position = to;
        let full = bytes.len() as u64 == size;
        let tells_end = !full || request.end_with_last_byte && self.position == request.to;
        (bytes, if tells_end { request.end } else { SourceStatus::More })
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.poll() {
            assert!(!self.has_ended(), "{output:?} after the end");
            self.begin(output);
        }
        let want = self.session.pending_fill();
        if self.filling != want.map(|want| want.fill) {
            self.pending.retain(|pending| !matches!(pending.what, Begun::Fill(_)));
            self.filling = want.map(|want| want.fill);
            self.pending.extend(want.map(|want| Pending::begun(Begun::Fill(want))));
        }
    }

    fn begin(&mut self, output: Output) {
        let begun = match output {
            Output::KvGet { id, key } => Begun::KvGet { id, key },
            Output::KvSet { id, key, value } => {
                let value = match value {
                    Value::Bytes(bytes) => bytes,
                    Value::Fill { fill, len } => {
                        self.buffers[&fill][..usize::try_from(len.bytes()).unwrap()].to_vec()
                    }
                };
                Begun::KvSet { id, key, value }
            }
            Output::KvDelete { key } => Begun::KvDelete { key },
            Output::Send { call, request, fill } => {
                let body = fill.and_then(|fill| self.buffers.get(&fill).cloned());
                Begun::Call { call, request, fill, body }
            }
            Output::Cancel { call: cut } => {
                let sent = self.pending.iter().position(
                    |pending| matches!(pending.what, Begun::Call { call, .. } if call == cut),
                );
                let index = sent.expect("a call that is under way");
                self.pending.remove(index);
                return;
            }
            Output::RefreshCredential => {
                self.refreshes += 1;
                let waits = |pending: &Pending| matches!(pending.what, Begun::Refresh);
                assert!(!self.pending.iter().any(waits), "one refresh at a time");
                Begun::Refresh
            }
            Output::Event(event) => return self.note(event),
        };
        self.pending.push(Pending::begun(begun));
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Receiving { offset, tail } => {
                assert_eq!(self.ready, None, "ready once");
                self.ready = Some(offset.bytes());
                let tail_from = offset.bytes() - tail.len() as u64;
                assert_eq!(tail, self.content.range(tail_from, offset.bytes()));
                self.tail = tail;
                if let Some(join) = &mut self.join {
                    join.open(&self.content, offset);
                }
            }
            Event::Durable(offset) => {
                let before = self.durable.last().copied().or(self.ready).unwrap_or_default();
                assert!(offset.bytes() > before || self.rewinds > 0, "an offset went back");
                self.durable.push(offset.bytes());
                self.durable_unseen.push(offset.bytes());
            }
            Event::BufferReleased(fill) => {
                self.buffers.remove(&fill);
            }
            Event::RestartSource => {
                self.rewinds += 1;
                self.tail.clear();
                self.position = 0;
                if let Some(join) = &mut self.join {
                    join.open(&self.content, ByteCount::ZERO);
                }
                self.durable.clear();
                self.durable_unseen.clear();
                self.rewinds_unseen = true;
            }
            Event::SessionEnded(outcome) => self.outcome = Some(outcome),
        }
    }
}

impl Pending {
    const fn begun(what: Begun) -> Self {
        Self { what, stage: Stage::Begun }
    }
}

/// The engine's CRC, as a driver computes it. Bytes that were seen before are looked up: tests
/// send the same parts thousands of times.
fn engine_crc64(bytes: &[u8]) -> Crc64 {
    SEEN.with_borrow_mut(|seen| {
        if let Some(crc) = seen.get(bytes) {
            return *crc;
        }
        let crc = Crc64::compute(bytes);
        seen.insert(bytes.to_vec(), crc);
        crc
    })
}

thread_local! {
    static SEEN: RefCell<BTreeMap<Vec<u8>, Crc64>> = const { RefCell::new(BTreeMap::new()) };
}
