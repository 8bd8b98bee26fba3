//! One session at a file's upload: its lane, and the line that its supplies come in by.

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

/// One session at a file's upload.
pub(super) struct FileSessionIo {
    session: SessionId,
    size: Option<ByteCount>,
    timeout: Duration,
    io: SessionIo<SuppliedSource>,
    line: Rc<SupplyChannel>,
}

impl FileSessionIo {
    pub(super) fn new(session: SessionId, size: Option<ByteCount>, timeout: Duration) -> Self {
        let io = SessionIo::new(instance::ports(), instance::buffers(), timeout);
        Self { session, size, timeout, io, line: Rc::default() }
    }

    /// Begins what the session's session wants done.
    pub(super) fn begin(&mut self, output: Output) {
        match &output {
            Output::Event(Event::Receiving { offset, .. }) => self.supply_from(*offset),
            Output::Event(Event::RestartSource) => self.supply_from(ByteCount::ZERO),
            _ => {}
        }
        self.io.execute(output);
    }

    /// Begins to fill what the session wants, if it may. Returns what the queue has to be told
    /// first.
    pub(super) fn begin_fill(&mut self, want: Option<FillRequest>) -> Option<Input> {
        let input = self.io.start_fill(want)?;
        Some(Input::Session { session: self.session, input })
    }

    pub(super) fn push(&self, supply: SuppliedStream) {
        self.line.push(supply);
    }

    pub(super) const fn is_waiting_for_buffer(&self) -> bool {
        self.io.is_waiting_for_buffer()
    }

    /// The next input, if one has come.
    pub(super) fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<Input> {
        let session = self.session;
        if let Poll::Ready(input) = self.io.poll_input(cx) {
            let input = self.fill_error(&input).map_or(input, upload::Input::Cancel);
            return Poll::Ready(Input::Session { session, input });
        }
        match self.line.take_notice() {
            Some(SupplyEvent::Ended(offset)) => Poll::Ready(Input::SourceEnded { session, offset }),
            Some(SupplyEvent::Broken(reason)) => {
                Poll::Ready(Input::SourceInterrupted { session, reason })
            }
            None => Poll::Pending,
        }
    }

    /// Cuts off the source and every call, and waits for what is being written.
    pub(super) async fn close(self) {
        self.io.shutdown().await;
    }

    /// Why a fill ended that is not the source's end: what was supplied is asked for again where it
    /// ends early, and so is never cut.
    fn fill_error(&self, input: &upload::Input) -> Option<Error> {
        let upload::Input::Filled { end, .. } = input else { return None };
        match end {
            SourceStatus::More | SourceStatus::Eof => None,
            SourceStatus::TooLong => {
                let size = self.size.unwrap_or_default().bytes();
                let message = format!("the source goes on after the file's {size} bytes");
                Some(Error::new(ErrorKind::LengthMismatch, message))
            }
            // Nobody names a checksum for what is supplied, or asks it to stop.
            SourceStatus::Interrupted
            | SourceStatus::ChecksumMismatch
            | SourceStatus::StopRequested => {
                let secs = self.timeout.as_secs();
                let message = format!("the store took no bytes of a part for {secs} s");
                Some(Error::new(ErrorKind::StoreUnavailable, message))
            }
        }
    }

    /// Whatever was supplied before is dropped, and a notice of it means nothing any more.
    fn supply_from(&mut self, offset: ByteCount) {
        self.line = Rc::default();
        let line = Rc::clone(&self.line);
        self.io.set_source(SuppliedSource::source(line, offset, self.size, self.timeout));
    }
}
