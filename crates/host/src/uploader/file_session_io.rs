//! The I/O of one upload session of a file, whose bytes come from supplied streams.

use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use vod_uploader::queue::{Input, SessionId};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{self, Event, FillRequest, Output, SourceStatus};
use vod_uploader::{Error, ErrorKind};
use vod_uploader_relay::session::SessionIo;

use super::supply::{SuppliedSource, SuppliedStream, SupplyChannel, SupplyEvent};
use crate::instance;

/// The I/O of one upload session of a file.
pub(super) struct FileSessionIo {
    session: SessionId,
    size: Option<ByteCount>,
    timeout: Duration,
    io: SessionIo<SuppliedSource>,
    channel: Rc<SupplyChannel>,
}

impl FileSessionIo {
    pub(super) fn new(session: SessionId, size: Option<ByteCount>, timeout: Duration) -> Self {
        let io = SessionIo::new(instance::ports(), instance::buffers(), timeout);
        Self { session, size, timeout, io, channel: Rc::default() }
    }

    /// Executes an output of the session.
    pub(super) fn execute(&mut self, output: Output) {
        match &output {
            Output::Event(Event::Receiving { offset, .. }) => self.supply_from(*offset),
            Output::Event(Event::RestartSource) => self.supply_from(ByteCount::ZERO),
            _ => {}
        }
        self.io.execute(output);
    }

    /// Starts to fill `request` if no other fill is open. Returns an input that the queue has to
    /// handle first, if any.
    pub(super) fn start_fill(&mut self, request: Option<FillRequest>) -> Option<Input> {
        let input = self.io.start_fill(request)?;
        Some(Input::Session { session: self.session, input })
    }

    pub(super) fn push(&self, supply: SuppliedStream) {
        self.channel.push(supply);
    }

    pub(super) const fn is_waiting_for_buffer(&self) -> bool {
        self.io.is_waiting_for_buffer()
    }

    /// The next input, if there is one.
    pub(super) fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<Input> {
        let session = self.session;
        if let Poll::Ready(input) = self.io.poll_input(cx) {
            let input = self.fill_error(&input).map_or(input, upload::Input::Cancel);
            return Poll::Ready(Input::Session { session, input });
        }
        match self.channel.take_event() {
            Some(SupplyEvent::Ended(offset)) => Poll::Ready(Input::SourceEnded { session, offset }),
            Some(SupplyEvent::Failed(reason)) => {
                Poll::Ready(Input::SourceInterrupted { session, reason })
            }
            None => Poll::Pending,
        }
    }

    /// Aborts the fill and every call, and waits for writes in progress.
    pub(super) async fn shutdown(self) {
        self.io.shutdown().await;
    }

    /// Why a fill ended before the end of the source. A stream that ends early is not an error:
    /// another one is requested.
    fn fill_error(&self, input: &upload::Input) -> Option<Error> {
        let upload::Input::Filled { end, .. } = input else { return None };
        match end {
            SourceStatus::More | SourceStatus::Eof => None,
            SourceStatus::TooLong => {
                let size = self.size.unwrap_or_default().bytes();
                let message = format!("the source has more than the file's {size} bytes");
                Some(Error::new(ErrorKind::LengthMismatch, message))
            }
            // Supplied streams have no checksum, and no stop signal applies to them.
            SourceStatus::Interrupted
            | SourceStatus::ChecksumMismatch
            | SourceStatus::StopRequested => {
                let secs = self.timeout.as_secs();
                let message = format!("OSS accepted no bytes of a part for {secs} s");
                Some(Error::new(ErrorKind::StoreUnavailable, message))
            }
        }
    }

    /// Requires streams from `offset` on. Previous ones are dropped, and their events with them.
    fn supply_from(&mut self, offset: ByteCount) {
        self.channel = Rc::default();
        let channel = Rc::clone(&self.channel);
        self.io.set_source(SuppliedSource::source(channel, offset, self.size, self.timeout));
    }
}
