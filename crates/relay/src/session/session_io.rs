//! The I/O of one session: its operations in progress, its source, and its part buffers.

use std::collections::HashMap;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt as _;
use futures::channel::mpsc;
use futures::future::LocalBoxFuture;
use vod_uploader::upload::{Event, FillId, FillRequest, Input, Output, Value};

use super::fill::{FillResult, fill_buffer, stream_part};
use super::pending_ops::PendingOps;
use super::source::{FilledBuffer, Source};
use crate::body::ByteStream;
use crate::buffers::{BufferBudget, Permit};
use crate::ports::{Ports, SendBody};

/// How long an upload without room for a buffer waits before it tries again.
pub const BUFFER_RETRY_INTERVAL: Duration = Duration::from_millis(20);

/// The I/O of one session; its driver holds the session itself.
pub struct SessionIo<B> {
    ports: Ports,
    buffers: Rc<BufferBudget>,
    pending: PendingOps,
    /// `None` while a fill has it.
    source: Option<Source<B>>,
    /// How long OSS may accept no bytes of a streamed part.
    stall_max: Duration,
    filling: Option<LocalBoxFuture<'static, FillResult<B>>>,
    /// A streamed part whose request has not been sent.
    streaming: Option<FillRequest>,
    held: HashMap<FillId, PartBuffer>,
    /// Buffers of stored parts, to be filled again, with their permits.
    spare: Vec<(Vec<u8>, Permit)>,
    /// Whether the next fill waits for room in the memory budget.
    is_waiting_for_buffer: bool,
}

/// The bytes of a part that is being sent.
struct PartBuffer {
    bytes: Rc<Vec<u8>>,
    permit: Permit,
}

impl<B: ByteStream + 'static> SessionIo<B> {
    /// The I/O of a session without a source. A streamed part is interrupted once OSS has accepted
    /// none of its bytes for `stall_max`.
    #[must_use]
    pub fn new(ports: Ports, buffers: Rc<BufferBudget>, stall_max: Duration) -> Self {
        Self {
            pending: PendingOps::new(ports.clone()),
            ports,
            buffers,
            source: None,
            stall_max,
            filling: None,
            streaming: None,
            held: HashMap::new(),
            spare: Vec::new(),
            is_waiting_for_buffer: false,
        }
    }

    /// Reads bytes from `source` from now on. An open fill is dropped with the previous source.
    pub fn set_source(&mut self, source: Source<B>) {
        self.filling = None;
        self.streaming = None;
        self.source = Some(source);
    }

    /// Returns true if the next fill waits for room. The driver calls [`SessionIo::start_fill`]
    /// again after [`BUFFER_RETRY_INTERVAL`].
    #[must_use]
    pub const fn is_waiting_for_buffer(&self) -> bool {
        self.is_waiting_for_buffer
    }

    /// Runs a task that resolves to the session's new credential.
    pub fn spawn_refresh(&self, refresh: impl Future<Output = Input> + 'static) {
        self.pending.spawn_refresh(refresh);
    }

    /// Executes an output of the session, except for credential requests and the end, which belong
    /// to the driver.
    pub fn execute(&mut self, output: Output) {
        match output {
            Output::KvGet { id, key } => self.pending.kv_get(id, key),
            Output::KvSet { id, key, value: Value::Bytes(bytes) } => {
                self.pending.kv_set(id, key, bytes);
            }
            Output::KvSet { id, key, value: Value::Fill { fill, len } } => {
                let bytes = self.held.get(&fill).map_or(&[][..], |held| &held.bytes[..]);
                let len = usize::try_from(len.bytes()).unwrap_or(bytes.len()).min(bytes.len());
                self.pending.kv_set(id, key, bytes[..len].to_vec());
            }
            Output::KvDelete { key } => self.pending.kv_delete(key),
            Output::Send { call, request, fill } => {
                let body = self.body_of(fill);
                self.pending.send(call, *request, body);
            }
            Output::Cancel { call } => self.pending.cancel(call),
            Output::Event(Event::Receiving { offset, tail }) => {
                if let Some(source) = &mut self.source {
                    source.seek(offset, tail);
                }
            }
            Output::Event(Event::BufferReleased(fill)) => self.release(fill),
            Output::RefreshCredential
            | Output::Event(Event::Durable(_) | Event::RestartSource | Event::SessionEnded(_)) => {}
        }
    }

    /// Starts to fill `want` if no other fill is open. Returns an input that the session has to
    /// handle first, if any.
    pub fn start_fill(&mut self, want: Option<FillRequest>) -> Option<Input> {
        if self.filling.is_some() || self.streaming.is_some() {
            return None;
        }
        self.is_waiting_for_buffer = false;
        let (Some(want), Some(source)) = (want, &self.source) else { return None };
        if want.streamed {
            self.streaming = Some(want);
            return Some(Input::StreamOpened { fill: want.fill });
        }
        let len = source.buffer_len(want.size);
        let buffer = self.buffer(len);
        self.is_waiting_for_buffer = buffer.is_none();
        if let Some((buffer, permit)) = buffer
            && let Some(source) = self.source.take()
        {
            self.filling = Some(fill_buffer(source, want.fill, buffer, len, permit).boxed_local());
        }
        None
    }

    /// The next input, if there is one.
    pub fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<Input> {
        if let Poll::Ready(input) = self.pending.poll_input(cx) {
            return Poll::Ready(input);
        }
        match &mut self.filling {
            Some(filling) => filling.poll_unpin(cx).map(|result| self.fill_ended(result)),
            None => Poll::Pending,
        }
    }

    /// Aborts the fill and every call, and waits for writes and deletions that have started.
    pub async fn shutdown(mut self) {
        self.filling = None;
        self.source = None;
        self.pending.shutdown().await;
    }

    fn body_of(&mut self, fill: Option<FillId>) -> SendBody {
        let Some(fill) = fill else { return SendBody::Inline };
        if let Some(held) = self.held.get(&fill) {
            return SendBody::Buffered(Rc::clone(&held.bytes));
        }
        match (self.streaming.take(), self.source.take()) {
            (Some(want), Some(source)) if want.fill == fill => {
                let (sender, receiver) = mpsc::channel(0);
                let clock = Rc::clone(&self.ports.clock);
                let streamed = stream_part(source, want, sender, clock, self.stall_max);
                self.filling = Some(streamed.boxed_local());
                SendBody::Streamed(receiver)
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

    /// A buffer for `len` bytes, if there is room for it in the memory budget.
    fn buffer(&mut self, len: usize) -> Option<(Vec<u8>, Permit)> {
        // One size is in use at a time: buffers that no longer fit are released.
        self.spare.retain(|(buffer, _)| buffer.capacity() >= len);
        if let Some(spare) = self.spare.pop() {
            return Some(spare);
        }
        let permit = self.buffers.try_acquire(len as u64, self.held.is_empty())?;
        let mut buffer = Vec::new();
        // A failed allocation must not trap: it waits like a buffer without a permit.
        buffer.try_reserve_exact(len).ok()?;
        Some((buffer, permit))
    }

    fn fill_ended(&mut self, result: FillResult<B>) -> Input {
        self.filling = None;
        self.source = Some(result.source);
        let FilledBuffer { buffer, crc64, end } = result.filled;
        if let Some(permit) = result.permit {
            self.held.insert(result.fill, PartBuffer { bytes: Rc::new(buffer), permit });
        }
        Input::Filled { fill: result.fill, len: result.len, crc64, end }
    }
}
