//! What one session has at work: its outputs on their way, its source, and its part buffers.

use std::collections::HashMap;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use spin_sdk::wasip3::wit_stream;
use vod_uploader::upload::{Event, FillId, Input, Output, Value, Want};

use crate::buffer_budget::Permit;
use crate::byte_stream::ByteStream;
use crate::fill::{FillEnded, fill_held, pass_through};
use crate::key_value::KeyValue;
use crate::outbox::Outbox;
use crate::source::{Filled, Source};
use crate::store_client::SendBody;

/// How long an upload without room for a buffer waits before it looks again.
pub(crate) const ROOM_PAUSE: Duration = Duration::from_millis(20);

/// One session's lane; its driver holds the session itself.
pub(crate) struct Lane<B> {
    outbox: Outbox,
    /// Where the bytes come from; away while a fill is under way.
    source: Option<Source<B>>,
    /// How long the store may take no bytes of a part that is passed through.
    stall_max: Duration,
    filling: Option<LocalBoxFuture<'static, FillEnded<B>>>,
    /// A streamed part that waits for its request.
    streaming: Option<Want>,
    held: HashMap<FillId, Held>,
    /// Buffers of parts that have been stored, to be filled again, with the right to them.
    spare: Vec<(Vec<u8>, Permit)>,
    /// True where the next fill waits for room in the instance's memory.
    starved: bool,
}

struct Held {
    bytes: Rc<Vec<u8>>,
    permit: Permit,
}

impl<B: ByteStream + 'static> Lane<B> {
    /// A lane without a source. A part that is passed through is cut off once the store has taken
    /// none of its bytes for `stall_max`.
    pub(crate) fn new(kv: Rc<KeyValue>, stall_max: Duration) -> Self {
        Self {
            outbox: Outbox::new(kv),
            source: None,
            stall_max,
            filling: None,
            streaming: None,
            held: HashMap::new(),
            spare: Vec::new(),
            starved: false,
        }
    }

    /// Takes the bytes from `source` from now on. A fill that is open is dropped, with the source
    /// before.
    pub(crate) fn set_source(&mut self, source: Source<B>) {
        self.filling = None;
        self.streaming = None;
        self.source = Some(source);
    }

    /// True where the next fill waits for room: it is to be tried again after [`ROOM_PAUSE`].
    pub(crate) const fn is_starved(&self) -> bool {
        self.starved
    }

    /// What runs for the session.
    pub(crate) const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Begins what the session wants done. Credentials and the end are its driver's.
    pub(crate) fn begin(&mut self, output: Output) {
        match output {
            Output::KvGet { id, key } => self.outbox.kv_get(id, key),
            Output::KvSet { id, key, value: Value::Bytes(bytes) } => {
                self.outbox.kv_set(id, key, bytes);
            }
            Output::KvSet { id, key, value: Value::Fill { fill, len } } => {
                let bytes = self.held.get(&fill).map_or(&[][..], |held| &held.bytes[..]);
                let len = usize::try_from(len.bytes()).unwrap_or(bytes.len()).min(bytes.len());
                self.outbox.kv_set(id, key, bytes[..len].to_vec());
            }
            Output::KvDelete { key } => self.outbox.kv_delete(key),
            Output::Send { call, request, fill } => {
                let body = self.body_of(fill);
                self.outbox.send(call, *request, body);
            }
            Output::Cancel { call } => self.outbox.cancel(call),
            Output::Event(Event::Ready { offset, tail }) => {
                if let Some(source) = &mut self.source {
                    source.begin_at(offset, tail);
                }
            }
            Output::Event(Event::Released(fill)) => self.release(fill),
            Output::RefreshCredential
            | Output::Event(Event::Durable(_) | Event::Rewind | Event::Ended(_)) => {}
        }
    }

    /// Begins to fill what the session wants, if it may. Returns what the session has to be told
    /// first.
    pub(crate) fn begin_fill(&mut self, want: Option<Want>) -> Option<Input> {
        if self.filling.is_some() || self.streaming.is_some() {
            return None;
        }
        self.starved = false;
        let (Some(want), Some(source)) = (want, &self.source) else { return None };
        if want.streamed {
            self.streaming = Some(want);
            return Some(Input::StreamOpened { fill: want.fill });
        }
        let len = source.buffer_len(want.size);
        let buffer = self.buffer(len);
        self.starved = buffer.is_none();
        if let Some((buffer, permit)) = buffer
            && let Some(source) = self.source.take()
        {
            self.filling = Some(fill_held(source, want.fill, buffer, len, permit).boxed_local());
        }
        None
    }

    /// The next input, if one has come.
    pub(crate) fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<Input> {
        if let Poll::Ready(input) = self.outbox.poll_input(cx) {
            return Poll::Ready(input);
        }
        match &mut self.filling {
            Some(filling) => filling.poll_unpin(cx).map(|ended| self.fill_ended(ended)),
            None => Poll::Pending,
        }
    }

    /// Cuts off the source and every call, and waits for what is being written or deleted.
    pub(crate) async fn close(mut self) {
        self.filling = None;
        self.source = None;
        self.outbox.close().await;
    }

    fn body_of(&mut self, fill: Option<FillId>) -> SendBody {
        let Some(fill) = fill else { return SendBody::Inline };
        if let Some(held) = self.held.get(&fill) {
            return SendBody::Held(Rc::clone(&held.bytes));
        }
        match (self.streaming.take(), self.source.take()) {
            (Some(want), Some(source)) if want.fill == fill => {
                let (writer, reader) = wit_stream::new();
                self.filling =
                    Some(pass_through(source, want, writer, self.stall_max).boxed_local());
                SendBody::Streamed(reader)
            }
            (streaming, source) => {
                self.streaming = streaming;
                self.source = source;
                SendBody::Inline
            }
        }
    }

    fn release(&mut self, fill: FillId) {
        if let Some(held) = self.held.remove(&fill)
            && let Ok(mut buffer) = Rc::try_unwrap(held.bytes)
        {
            buffer.clear();
            self.spare.push((buffer, held.permit));
        }
    }

    /// A buffer for `len` bytes, if there is room for it in the instance's memory.
    fn buffer(&mut self, len: usize) -> Option<(Vec<u8>, Permit)> {
        // One size is in use at a time: what does not fit any more is given back.
        self.spare.retain(|(buffer, _)| buffer.capacity() >= len);
        if let Some(spare) = self.spare.pop() {
            return Some(spare);
        }
        let permit = Permit::take(len as u64, self.held.is_empty())?;
        let mut buffer = Vec::new();
        // An allocation that fails must not trap: it waits like one without a permit.
        buffer.try_reserve_exact(len).ok()?;
        Some((buffer, permit))
    }

    fn fill_ended(&mut self, ended: FillEnded<B>) -> Input {
        self.filling = None;
        self.source = Some(ended.source);
        let Filled { buffer, crc64, end } = ended.filled;
        if let Some(permit) = ended.permit {
            self.held.insert(ended.fill, Held { bytes: Rc::new(buffer), permit });
        }
        Input::Filled { fill: ended.fill, len: ended.len, crc64, end }
    }
}
