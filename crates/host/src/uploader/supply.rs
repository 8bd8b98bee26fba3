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

/// A stream as it was supplied.
pub(super) struct SuppliedStream {
    pub(super) bytes: StreamReader<u8>,
    pub(super) end: Option<SupplyEnd>,
}

/// What a supply reports to the queue.
pub(super) enum SupplyEvent {
    /// It has ended before the file, at this offset. Another stream can continue it.
    Ended(ByteCount),
    /// It failed, with this message.
    Broken(String),
}

/// Between a session's driver and the fill that reads its supplies.
#[derive(Default)]
pub(super) struct SupplyChannel {
    next: RefCell<Option<SuppliedStream>>,
    notices: RefCell<VecDeque<SupplyEvent>>,
}

/// The bytes of a file from one offset on, out of as many supplies as it takes.
pub(super) struct SuppliedSource {
    line: Rc<SupplyChannel>,
    present: Option<SuppliedStream>,
    /// How far the supplies have come.
    offset: u64,
    /// The file's size, where it is known.
    size: Option<u64>,
    /// How long a stream may take to end after the file's last byte.
    end_wait_max: Duration,
}

impl SupplyChannel {
    /// Hands in the next supply. The fill that waits for it has to be polled after that, by whoever
    /// hands it in.
    pub(super) fn push(&self, supply: SuppliedStream) {
        self.next.replace(Some(supply));
    }

    /// What the queue is to be told, if anything.
    pub(super) fn take_notice(&self) -> Option<SupplyEvent> {
        self.notices.borrow_mut().pop_front()
    }

    async fn next(&self) -> SuppliedStream {
        poll_fn(|_| self.next.take().map_or(Poll::Pending, Poll::Ready)).await
    }

    fn notify(&self, notice: SupplyEvent) {
        self.notices.borrow_mut().push_back(notice);
    }
}

impl SuppliedSource {
    /// The source of a file of `size` bytes, where that is known, from `offset` on.
    pub(super) fn source(
        line: Rc<SupplyChannel>,
        offset: ByteCount,
        size: Option<ByteCount>,
        end_wait_max: Duration,
    ) -> Source<Self> {
        let supplied = Self {
            line,
            present: None,
            offset: offset.bytes(),
            size: size.map(ByteCount::bytes),
            end_wait_max,
        };
        Source::new(supplied, None, size.map(|size| size - offset))
    }

    /// Reads where the file is whole, and nothing may come. A stream that is silent there is taken
    /// for ended: every byte of the file is here.
    async fn read_past_end(&mut self, mut buffer: Vec<u8>) -> (Vec<u8>, Option<SourceStatus>) {
        let Some(SuppliedStream { mut bytes, end }) = self.present.take() else {
            return (buffer, Some(SourceStatus::Eof));
        };
        let settled = async {
            let (result, read) = bytes.read(Vec::with_capacity(1)).await;
            match (result, end) {
                (StreamResult::Complete(_), _) => Ok(read),
                (_, Some(end)) => end.await.map(|()| read),
                (_, None) => Ok(read),
            }
        };
        let settled =
            match select(pin!(settled), instance::ports().clock.sleep(self.end_wait_max)).await {
                Either::Left((settled, _)) => settled,
                Either::Right(_) => Ok(Vec::new()),
            };
        match settled {
            Ok(mut rest) => {
                let end = rest.is_empty().then_some(SourceStatus::Eof);
                buffer.append(&mut rest);
                (buffer, end)
            }
            Err(reason) => self.fail(reason).await,
        }
    }

    /// The file fails: nothing is read for it any more.
    async fn fail<T>(&self, reason: String) -> T {
        self.line.notify(SupplyEvent::Broken(reason));
        pending().await
    }
}

impl ByteStream for SuppliedSource {
    async fn read(&mut self, mut buffer: Vec<u8>) -> (Vec<u8>, Option<SourceStatus>) {
        if self.size.is_some_and(|size| self.offset >= size) {
            return self.read_past_end(buffer).await;
        }
        loop {
            let mut supply = match self.present.take() {
                Some(supply) => supply,
                None => self.line.next().await,
            };
            let before = buffer.len();
            let (result, read) = supply.bytes.read(buffer).await;
            buffer = read;
            self.offset += (buffer.len() - before) as u64;
            if let StreamResult::Complete(_) = result {
                self.present = Some(supply);
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
            self.line.notify(SupplyEvent::Ended(ByteCount(self.offset)));
        }
    }
}
