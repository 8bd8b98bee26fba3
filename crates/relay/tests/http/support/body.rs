//! The body of a request.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{Either, LocalBoxFuture, select};
use vod_uploader_relay::ports::{Body, BodyStatus, Clock};

/// A body that arrives at once.
pub(crate) struct SentBody {
    unread: Vec<u8>,
    end: BodyStatus,
    has_read: Rc<Cell<bool>>,
}

impl SentBody {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let end = BodyStatus::Complete(Vec::new());
        Self { unread: bytes.to_vec(), end, has_read: Rc::default() }
    }

    /// A body whose connection closes before its end.
    pub(crate) fn interrupted(bytes: &[u8]) -> Self {
        Self { end: BodyStatus::Interrupted, ..Self::new(bytes) }
    }

    pub(crate) fn with_trailer(self, name: &str, value: &str) -> Self {
        let trailer = (name.to_owned(), value.to_owned());
        Self { end: BodyStatus::Complete(vec![trailer]), ..self }
    }

    /// Whether the body has been read, at any later time.
    pub(super) fn has_read(&self) -> Rc<Cell<bool>> {
        Rc::clone(&self.has_read)
    }
}

impl Body for SentBody {
    fn read<'a>(
        &'a mut self,
        mut buffer: Vec<u8>,
        _cancel: LocalBoxFuture<'a, ()>,
    ) -> LocalBoxFuture<'a, (Vec<u8>, BodyStatus)> {
        self.has_read.set(true);
        let room = buffer.capacity() - buffer.len();
        let read = self.unread.len().min(room);
        buffer.extend(self.unread.drain(..read));
        let status = match read {
            0 => self.end.clone(),
            _ => BodyStatus::Open,
        };
        async move { (buffer, status) }.boxed_local()
    }
}

/// A body of which one chunk arrives after each interval, and nothing after the last one.
pub(crate) struct PacedBody {
    clock: Rc<dyn Clock>,
    interval: Duration,
    chunk: Vec<u8>,
    chunks_left: u32,
}

impl PacedBody {
    pub(super) fn new(clock: Rc<dyn Clock>, interval: Duration, chunk: &[u8], count: u32) -> Self {
        Self { clock, interval, chunk: chunk.to_vec(), chunks_left: count }
    }
}

impl Body for PacedBody {
    fn read<'a>(
        &'a mut self,
        mut buffer: Vec<u8>,
        cancel: LocalBoxFuture<'a, ()>,
    ) -> LocalBoxFuture<'a, (Vec<u8>, BodyStatus)> {
        async move {
            let arrival = match self.chunks_left {
                0 => pending().boxed_local(),
                _ => self.clock.sleep(self.interval),
            };
            match select(arrival, cancel).await {
                Either::Left(_) => {
                    self.chunks_left -= 1;
                    buffer.extend_from_slice(&self.chunk);
                    (buffer, BodyStatus::Open)
                }
                Either::Right(_) => (buffer, BodyStatus::Canceled),
            }
        }
        .boxed_local()
    }
}
