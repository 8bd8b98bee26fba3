//! Drives one [`Session`] of the engine over the ports; see [`vod_uploader::upload`] for the
//! contract.

mod fill;
mod pending_ops;
mod session_io;
mod source;
mod task_set;
mod timer;

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

pub use session_io::{BUFFER_RETRY_INTERVAL, SessionIo};
pub use source::Source;
pub use task_set::TaskSet;
pub use timer::Timer;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{Event, Input, Output, Session, SessionOutcome};
use vod_uploader::{Error, Result};

use crate::body::ByteStream;
use crate::credential_source::CredentialSource;
use crate::ports::Clock;

/// Drives `session` to its end with `io`.
///
/// # Errors
/// Returns [`vod_uploader::ErrorKind::Internal`] if the session rejects an input, which indicates a
/// defect of this driver.
pub(crate) async fn drive<B: ByteStream + 'static>(
    session: Session,
    io: SessionIo<B>,
    credentials: Rc<CredentialSource>,
    clock: Rc<dyn Clock>,
) -> Result<SessionOutcome> {
    let timer = Timer::new(Rc::clone(&clock));
    let mut driver = Driver { session, io, credentials, clock, timer, outcome: None };
    let result = driver.run().await;
    driver.io.shutdown().await;
    result.map_err(|error: Error| error.with_context("driving the upload"))
}

struct Driver<B> {
    session: Session,
    io: SessionIo<B>,
    credentials: Rc<CredentialSource>,
    clock: Rc<dyn Clock>,
    timer: Timer,
    outcome: Option<SessionOutcome>,
}

impl<B: ByteStream + 'static> Driver<B> {
    async fn run(&mut self) -> Result<SessionOutcome> {
        loop {
            while let Some(output) = self.session.poll() {
                self.execute(output);
            }
            if let Some(outcome) = self.outcome.take() {
                // An end that is not stored must not be reported: other writers would not find it.
                let unstored = self.session.unstored_end().cloned();
                return Ok(unstored.map_or(outcome, |error| SessionOutcome::Failed {
                    error,
                    durable: ByteCount::ZERO,
                }));
            }
            let input = match self.io.start_fill(self.session.pending_fill()) {
                Some(input) => input,
                None => self.next_input().await,
            };
            self.session.handle(self.clock.now(), input)?;
        }
    }

    /// Durable offsets require no action: clients read them from the records.
    fn execute(&mut self, output: Output) {
        match output {
            Output::RefreshCredential => {
                let credentials = Rc::clone(&self.credentials);
                self.io
                    .spawn_refresh(async move { Input::Credential(credentials.refresh().await) });
            }
            Output::Event(Event::SessionEnded(outcome)) => self.outcome = Some(outcome),
            output => self.io.execute(output),
        }
    }

    async fn next_input(&mut self) -> Input {
        let buffer_retry =
            self.io.is_waiting_for_buffer().then(|| self.clock.now() + BUFFER_RETRY_INTERVAL);
        self.timer.reset(self.session.next_wakeup().into_iter().chain(buffer_retry).min());
        poll_fn(|cx| match self.io.poll_input(cx) {
            Poll::Ready(input) => Poll::Ready(input),
            Poll::Pending => self.timer.poll(cx).map(|()| Input::Tick),
        })
        .await
    }
}
