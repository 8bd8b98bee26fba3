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
use crate::ports::{KeyValueCall, Ports, SendBody};

/// How long an upload without a buffer waits before it tries again to acquire one.
pub const BUFFER_RETRY_INTERVAL: Duration = Duration::from_millis(20);

/// The I/O of one session. The driver owns the session itself.
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
    buffered: HashMap<FillId, PartBuffer>,
    /// The buffer of a stored part for the next fill, with its permit.
    spare: Option<(Vec<u8>, Permit)>,
    /// Whether the next fill waits for the memory budget.
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
            buffered: HashMap::new(),
            spare: None,
            is_waiting_for_buffer: false,
        }
    }

    /// Replaces the source. An open fill is dropped with the previous one.
    pub fn set_source(&mut self, source: Source<B>) {
        self.filling = None;
        self.streaming = None;
        self.source = Some(source);
    }

    /// Returns true if the next fill waits for the memory budget. The driver calls
    /// [`SessionIo::start_fill`] again after [`BUFFER_RETRY_INTERVAL`].
    #[must_use]
    pub const fn is_waiting_for_buffer(&self) -> bool {
        self.is_waiting_for_buffer
    }

    /// Runs a task that resolves to the session's new credential.
    pub fn spawn_refresh(&self, refresh: impl Future<Output = Input> + 'static) {
        self.pending.spawn_refresh(refresh);
    }

    /// Executes an output of the session, except for credential requests and the end, which the
    /// driver handles.
    pub fn execute(&mut self, output: Output) {
        match output {
            Output::KvGet { id, key } => self.pending.key_value(id, KeyValueCall::Get(key)),
            Output::KvSet { id, key, value: Value::Bytes(bytes) } => {
                self.pending.key_value(id, KeyValueCall::Set(key, bytes));
            }
            Output::KvSet { id, key, value: Value::Fill { fill, len } } => {
                let bytes =
                    self.buffered.get(&fill).map_or(&[][..], |buffered| &buffered.bytes[..]);
                let len = usize::try_from(len.bytes()).unwrap_or(bytes.len()).min(bytes.len());
                self.pending.key_value(id, KeyValueCall::Set(key, bytes[..len].to_vec()));
            }
            Output::KvDelete { key } => self.pending.delete_key(key),
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

    /// Starts to fill `request` if no other fill is open. Returns an input that the session has to
    /// handle first, if any.
    pub fn start_fill(&mut self, request: Option<FillRequest>) -> Option<Input> {
        if self.filling.is_some() || self.streaming.is_some() {
            return None;
        }
        self.is_waiting_for_buffer = false;
        let (Some(request), Some(source)) = (request, &self.source) else { return None };
        if request.streamed {
            self.streaming = Some(request);
            return Some(Input::StreamOpened { fill: request.fill });
        }
        let len = source.buffer_len(request.size);
        let buffer = self.buffer(len);
        self.is_waiting_for_buffer = buffer.is_none();
        if let Some((buffer, permit)) = buffer
            && let Some(source) = self.source.take()
        {
            let filling = fill_buffer(source, request.fill, buffer, len, permit);
            self.filling = Some(filling.boxed_local());
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
        if let Some(buffered) = self.buffered.get(&fill) {
            return SendBody::Buffered(Rc::clone(&buffered.bytes));
        }
        match (self.streaming.take(), self.source.take()) {
            (Some(request), Some(source)) if request.fill == fill => {
                let (sender, receiver) = mpsc::channel(0);
                let clock = Rc::clone(&self.ports.clock);
                let streamed = stream_part(source, request, sender, clock, self.stall_max);
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
        if let Some(buffered) = self.buffered.remove(&fill)
            && let Ok(mut buffer) = Rc::try_unwrap(buffered.bytes)
        {
            buffer.clear();
            // During a fill, the memory is for other uploads: this client may be slow.
            if self.filling.is_none() {
                self.spare = Some((buffer, buffered.permit));
            }
        }
    }

    /// A buffer for `len` bytes, if the memory budget allows it.
    fn buffer(&mut self, len: usize) -> Option<(Vec<u8>, Permit)> {
        if let Some(spare) = self.spare.take().filter(|(buffer, _)| buffer.capacity() >= len) {
            return Some(spare);
        }
        let permit = self.buffers.try_acquire(len as u64, self.buffered.is_empty())?;
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
            self.buffered.insert(result.fill, PartBuffer { bytes: Rc::new(buffer), permit });
        }
        Input::Filled { fill: result.fill, len: result.len, crc64, end }
    }
}
