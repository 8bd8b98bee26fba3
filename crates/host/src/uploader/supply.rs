//! The bytes that an uploader's user supplies: one stream, or several one after another.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use futures::future::{Either, select};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, StreamReader, StreamResult};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::SourceStatus;
use vod_uploader_relay::ByteStream;
use vod_uploader_relay::session::Source;

use crate::instance;

/// Resolves after a supplied stream has ended; a failure of the stream is an error with a message.
pub type SupplyEnd = FutureReader<Result<(), String>>;

/// A supplied stream.
pub(super) struct SuppliedStream {
    pub(super) bytes: StreamReader<u8>,
    pub(super) end: Option<SupplyEnd>,
}

/// What happens to a supplied stream.
pub(super) enum SupplyEvent {
    /// It ended before the file, at this offset. Another stream can continue it.
    Ended(ByteCount),
    /// It failed, with this message.
    Failed(String),
}

/// Passes supplied streams from a session's driver to the fill, and their events back.
#[derive(Default)]
pub(super) struct SupplyChannel {
    next: RefCell<Option<SuppliedStream>>,
    events: RefCell<VecDeque<SupplyEvent>>,
}

/// The bytes of a file from one offset on, from one or more supplied streams.
pub(super) struct SuppliedSource {
    channel: Rc<SupplyChannel>,
    current: Option<SuppliedStream>,
    /// The offset of the next byte.
    offset: u64,
    /// The file's size, if known.
    size: Option<u64>,
    /// How long a stream may take to end after the file's last byte.
    end_wait_max: Duration,
}

impl SupplyChannel {
    /// Passes the next stream to the fill. The caller must poll the fill after that.
    pub(super) fn push(&self, supply: SuppliedStream) {
        self.next.replace(Some(supply));
    }

    /// The next event for the queue, if any.
    pub(super) fn take_event(&self) -> Option<SupplyEvent> {
        self.events.borrow_mut().pop_front()
    }

    async fn next(&self) -> SuppliedStream {
        poll_fn(|_| self.next.take().map_or(Poll::Pending, Poll::Ready)).await
    }

    fn notify(&self, event: SupplyEvent) {
        self.events.borrow_mut().push_back(event);
    }
}

impl SuppliedSource {
    /// The source of a file from `offset` on. `size` is the file's size, if known.
    pub(super) fn source(
        channel: Rc<SupplyChannel>,
        offset: ByteCount,
        size: Option<ByteCount>,
        end_wait_max: Duration,
    ) -> Source<Self> {
        let supplied = Self {
            channel,
            current: None,
            offset: offset.bytes(),
            size: size.map(ByteCount::bytes),
            end_wait_max,
        };
        Source::new(supplied, None, size.map(|size| size - offset))
    }

    /// Reads after the file's last byte; no byte may follow. A stream that is silent there
    /// counts as ended: every byte of the file has been read.
    async fn read_past_end(&mut self, mut buffer: Vec<u8>) -> (Vec<u8>, Option<SourceStatus>) {
        let Some(SuppliedStream { mut bytes, end }) = self.current.take() else {
            return (buffer, Some(SourceStatus::Eof));
        };
        let ended = async {
            let (result, read) = bytes.read(Vec::with_capacity(1)).await;
            match (result, end) {
                (StreamResult::Complete(_), _) => Ok(read),
                (_, Some(end)) => end.await.map(|()| read),
                (_, None) => Ok(read),
            }
        };
        let ended =
            match select(pin!(ended), instance::ports().clock.sleep(self.end_wait_max)).await {
                Either::Left((ended, _)) => ended,
                Either::Right(_) => Ok(Vec::new()),
            };
        match ended {
            Ok(mut rest) => {
                let end = rest.is_empty().then_some(SourceStatus::Eof);
                buffer.append(&mut rest);
                (buffer, end)
            }
            Err(reason) => self.fail(reason).await,
        }
    }

    /// Reports a failed stream and never resolves: nothing more is read for the file.
    async fn fail<T>(&self, reason: String) -> T {
        self.channel.notify(SupplyEvent::Failed(reason));
        pending().await
    }
}

impl ByteStream for SuppliedSource {
    async fn read(&mut self, mut buffer: Vec<u8>) -> (Vec<u8>, Option<SourceStatus>) {
        if self.size.is_some_and(|size| self.offset >= size) {
            return self.read_past_end(buffer).await;
        }
        loop {
            let mut supply = match self.current.take() {
                Some(supply) => supply,
                None => self.channel.next().await,
            };
            let before = buffer.len();
            let (result, read) = supply.bytes.read(buffer).await;
            buffer = read;
            self.offset += (buffer.len() - before) as u64;
            if let StreamResult::Complete(_) = result {
                self.current = Some(supply);
                return (buffer, None);
            }
            if let Some(end) = supply.end
                && let Err(reason) = end.await
            {
                return self.fail(reason).await;
            }
            if self.size.is_none() {
                return (buffer, Some(SourceStatus::Eof));
            }
            self.channel.notify(SupplyEvent::Ended(ByteCount(self.offset)));
        }
    }
}
