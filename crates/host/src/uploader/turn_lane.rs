//! One turn at a file's upload: its lane, and the line that its supplies come in by.

use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use vod_uploader::queue::{Input, TurnId};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{self, Event, Output, SourceEnd, Want};
use vod_uploader::{Error, ErrorKind};
use vod_uploader_relay::session::SessionIo;

use super::supply::{Notice, Supplied, Supply, SupplyLine};
use crate::instance;

/// One turn at a file's upload.
pub(super) struct TurnLane {
    turn: TurnId,
    size: Option<ByteCount>,
    timeout: Duration,
    io: SessionIo<Supplied>,
    line: Rc<SupplyLine>,
}

impl TurnLane {
    pub(super) fn new(turn: TurnId, size: Option<ByteCount>, timeout: Duration) -> Self {
        let io = SessionIo::new(instance::ports(), instance::buffers(), timeout);
        Self { turn, size, timeout, io, line: Rc::default() }
    }

    /// Begins what the turn's session wants done.
    pub(super) fn begin(&mut self, output: Output) {
        match &output {
            Output::Event(Event::Ready { offset, .. }) => self.supply_from(*offset),
            Output::Event(Event::Rewind) => self.supply_from(ByteCount::ZERO),
            _ => {}
        }
        self.io.execute(output);
    }

    /// Begins to fill what the session wants, if it may. Returns what the queue has to be told
    /// first.
    pub(super) fn begin_fill(&mut self, want: Option<Want>) -> Option<Input> {
        let input = self.io.start_fill(want)?;
        Some(Input::Turn { turn: self.turn, input })
    }

    pub(super) fn hand_in(&self, supply: Supply) {
        self.line.hand_in(supply);
    }

    pub(super) const fn is_waiting_for_buffer(&self) -> bool {
        self.io.is_waiting_for_buffer()
    }

    /// The next input, if one has come.
    pub(super) fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<Input> {
        let turn = self.turn;
        if let Poll::Ready(input) = self.io.poll_input(cx) {
            let input = self.fill_error(&input).map_or(input, upload::Input::GiveUp);
            return Poll::Ready(Input::Turn { turn, input });
        }
        match self.line.take_notice() {
            Some(Notice::Ended(offset)) => Poll::Ready(Input::SourceEnded { turn, offset }),
            Some(Notice::Broken(reason)) => Poll::Ready(Input::SourceBroken { turn, reason }),
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
            SourceEnd::More | SourceEnd::Ended => None,
            SourceEnd::Overrun => {
                let size = self.size.unwrap_or_default().bytes();
                let message = format!("the source goes on after the file's {size} bytes");
                Some(Error::new(ErrorKind::LengthMismatch, message))
            }
            // Nobody names a checksum for what is supplied, or asks it to stop.
            SourceEnd::Cut | SourceEnd::Mismatched | SourceEnd::Stopped => {
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
        self.io.set_source(Supplied::source(line, offset, self.size, self.timeout));
    }
}
