//! The loop that drives one session of the engine; see `vod_uploader::upload` for its contract.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{Either, LocalBoxFuture, select};
use spin_sdk::wasip3::wit_bindgen::StreamWriter;
use spin_sdk::wasip3::wit_stream;
use vod_uploader::crc64::Crc64Digest;
use vod_uploader::units::{ByteCount, UnixMillis};
use vod_uploader::upload::{
    Event, FillId, Input, Outcome, Output, Session, SourceEnd, Value, Want,
};
use vod_uploader::{Error, Result};

use crate::buffer_budget::Permit;
use crate::clock;
use crate::outbox::Outbox;
use crate::source::{Filled, Source};
use crate::store_client::SendBody;

/// How long an upload without room for a buffer waits before it looks again.
const ROOM_PAUSE: Duration = Duration::from_millis(20);

/// How much of a part that is passed through is moved at a time.
const STREAM_BYTES: usize = 256 << 10;

/// Drives `session` to its end with bytes from `source`, if it takes any. A part that is passed
/// through is cut off once the store has taken none of its bytes for `stall_max`.
///
/// # Errors
/// Where the session takes an input for misuse: a defect of this driver.
pub(crate) async fn drive(
    session: Session,
    outbox: Outbox,
    source: Option<Source>,
    stall_max: Duration,
) -> Result<Outcome> {
    let mut driver = Driver {
        session,
        outbox,
        source,
        stall_max,
        filling: None,
        streaming: None,
        held: HashMap::new(),
        spare: Vec::new(),
        starved: false,
        outcome: None,
    };
    let result = driver.run().await;
    driver.filling = None;
    driver.outbox.close().await;
    result
}

struct Driver {
    session: Session,
    outbox: Outbox,
    /// Where the bytes come from; away while a fill is under way.
    source: Option<Source>,
    /// How long the store may take no bytes of a part that is passed through.
    stall_max: Duration,
    filling: Option<LocalBoxFuture<'static, FillEnded>>,
    /// A streamed part that waits for its request.
    streaming: Option<Want>,
    held: HashMap<FillId, Held>,
    /// Buffers of parts that have been stored, to be filled again, with the right to them.
    spare: Vec<(Vec<u8>, Permit)>,
    /// True where the next fill waits for room in the instance's memory.
    starved: bool,
    outcome: Option<Outcome>,
}

struct Held {
    bytes: Rc<Vec<u8>>,
    permit: Permit,
}

struct FillEnded {
    source: Source,
    fill: FillId,
    filled: Filled,
    len: ByteCount,
    /// For a part that is held.
    permit: Option<Permit>,
}

impl Driver {
    async fn run(&mut self) -> Result<Outcome> {
        loop {
            while let Some(output) = self.session.poll() {
                self.begin(output);
            }
            if let Some(outcome) = self.outcome.take() {
                return Ok(outcome);
            }
            if self.begin_fill()? {
                continue;
            }
            let input = self.next_input().await;
            self.session.handle(clock::now(), input)?;
        }
    }

    fn begin(&mut self, output: Output) {
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
            Output::RefreshCredential => self.outbox.refresh_credential(),
            Output::Event(Event::Ready { tail, .. }) => {
                if let Some(source) = &mut self.source {
                    source.prepend(tail);
                }
            }
            Output::Event(Event::Released(fill)) => self.release(fill),
            Output::Event(Event::Ended(outcome)) => self.outcome = Some(outcome),
            // Clients ask for the durable offset, and read it from the records; a request's body
            // cannot be read again, which the session was told.
            Output::Event(Event::Durable(_) | Event::Rewind) => {}
        }
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

    /// Begins to fill what the session wants, if it may. True where the session has more to say.
    fn begin_fill(&mut self) -> Result<bool> {
        if self.filling.is_some() || self.streaming.is_some() {
            return Ok(false);
        }
        let (Some(want), Some(source)) = (self.session.wants(), &self.source) else {
            return Ok(false);
        };
        if want.streamed {
            self.streaming = Some(want);
            self.session.handle(clock::now(), Input::StreamOpened { fill: want.fill })?;
            return Ok(true);
        }
        let len = source.buffer_len(want.size);
        let buffer = self.buffer(len);
        self.starved = buffer.is_none();
        if let Some((buffer, permit)) = buffer
            && let Some(source) = self.source.take()
        {
            self.filling = Some(fill_held(source, want.fill, buffer, len, permit).boxed_local());
        }
        Ok(false)
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

    async fn next_input(&mut self) -> Input {
        let due = self.session.next_wakeup();
        let room_due = self.starved.then(|| clock::now() + ROOM_PAUSE);
        let mut wakeup = due.into_iter().chain(room_due).min().map(wake_at);
        let input = poll_fn(|cx| {
            if let Poll::Ready(input) = self.outbox.poll_input(cx) {
                return Poll::Ready(Some(input));
            }
            if let Some(filling) = &mut self.filling
                && let Poll::Ready(ended) = filling.poll_unpin(cx)
            {
                return Poll::Ready(Some(self.fill_ended(ended)));
            }
            match &mut wakeup {
                Some(wakeup) => wakeup.poll_unpin(cx).map(|()| None),
                None => Poll::Pending,
            }
        });
        input.await.unwrap_or(Input::Tick)
    }

    fn fill_ended(&mut self, ended: FillEnded) -> Input {
        self.filling = None;
        self.source = Some(ended.source);
        let Filled { buffer, crc64, end } = ended.filled;
        if let Some(permit) = ended.permit {
            self.held.insert(ended.fill, Held { bytes: Rc::new(buffer), permit });
        }
        Input::Filled { fill: ended.fill, len: ended.len, crc64, end }
    }
}

fn wake_at(at: UnixMillis) -> LocalBoxFuture<'static, ()> {
    clock::sleep_until(at).boxed_local()
}

async fn fill_held(
    mut source: Source,
    fill: FillId,
    buffer: Vec<u8>,
    len: usize,
    permit: Permit,
) -> FillEnded {
    let filled = source.fill(buffer, len).await;
    let len = ByteCount(filled.buffer.len() as u64);
    FillEnded { source, fill, filled, len, permit: Some(permit) }
}

/// Moves a part's bytes from the source into its request, with the CRC taken on the way.
async fn pass_through(
    mut source: Source,
    want: Want,
    mut writer: StreamWriter<u8>,
    stall_max: Duration,
) -> FillEnded {
    let mut digest = Crc64Digest::new();
    let mut passed = 0;
    let mut end = SourceEnd::More;
    let mut buffer = Vec::with_capacity(STREAM_BYTES);
    while passed < want.size.bytes() && end == SourceEnd::More {
        let left = want.size.bytes() - passed;
        let len = usize::try_from(left).unwrap_or(STREAM_BYTES).min(STREAM_BYTES);
        let chunk = source.chunk(buffer, len).await;
        digest.update(&chunk.buffer);
        let moved = chunk.buffer.len() as u64;
        let taken = pin!(writer.write_all(chunk.buffer));
        let stalled = pin!(clock::sleep(stall_max));
        match select(taken, stalled).await {
            Either::Left((left, _)) if left.is_empty() => buffer = left,
            // The store takes no more: its answer says why, and with it the session ends. This
            // fill is not the one to end it, unless no answer comes.
            Either::Left(_) => {
                clock::sleep(stall_max).await;
                end = SourceEnd::Cut;
                break;
            }
            Either::Right(_) => {
                end = SourceEnd::Cut;
                break;
            }
        }
        passed += moved;
        end = chunk.end;
    }
    drop(writer);
    let filled = Filled { buffer: Vec::new(), crc64: digest.value(), end };
    FillEnded { source, fill: want.fill, filled, len: ByteCount(passed), permit: None }
}

/// What a defect of the driver is reported as.
pub(crate) fn broken(error: &Error) -> Error {
    error.clone().while_doing("driving the upload")
}
