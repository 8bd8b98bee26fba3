//! The loop that drives one session of the engine; see `vod_uploader::upload` for its contract.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use vod_uploader::upload::{Event, Input, Outcome, Output, Session};
use vod_uploader::{Error, Result};

use crate::alarm::Alarm;
use crate::byte_stream::ByteStream;
use crate::clock;
use crate::credential_source::CredentialSource;
use crate::key_value::KeyValue;
use crate::lane::{Lane, ROOM_PAUSE};

/// Drives `session` to its end, in `lane`.
///
/// # Errors
/// Where the session takes an input for misuse: a defect of this driver.
pub(crate) async fn drive<B: ByteStream + 'static>(
    session: Session,
    lane: Lane<B>,
    credentials: Rc<CredentialSource>,
    kv: Rc<KeyValue>,
) -> Result<Outcome> {
    let mut driver =
        Driver { session, lane, credentials, kv, alarm: Alarm::default(), outcome: None };
    let result = driver.run().await;
    driver.lane.close().await;
    result
}

struct Driver<B> {
    session: Session,
    lane: Lane<B>,
    credentials: Rc<CredentialSource>,
    kv: Rc<KeyValue>,
    alarm: Alarm,
    outcome: Option<Outcome>,
}

impl<B: ByteStream + 'static> Driver<B> {
    async fn run(&mut self) -> Result<Outcome> {
        loop {
            while let Some(output) = self.session.poll() {
                self.begin(output);
            }
            if let Some(outcome) = self.outcome.take() {
                return Ok(outcome);
            }
            let input = match self.lane.begin_fill(self.session.wants()) {
                Some(input) => input,
                None => self.next_input().await,
            };
            self.session.handle(clock::now(), input)?;
        }
    }

    /// Clients ask for the durable offset, and read it from the records; a request's body cannot
    /// be read again, which the session was told.
    fn begin(&mut self, output: Output) {
        match output {
            Output::RefreshCredential => {
                let (credentials, kv) = (Rc::clone(&self.credentials), Rc::clone(&self.kv));
                self.lane
                    .outbox()
                    .refresh(async move { Input::Credential(credentials.refresh(&kv).await) });
            }
            Output::Event(Event::Ended(outcome)) => self.outcome = Some(outcome),
            output => self.lane.begin(output),
        }
    }

    async fn next_input(&mut self) -> Input {
        let room_due = self.lane.is_starved().then(|| clock::now() + ROOM_PAUSE);
        self.alarm.set(self.session.next_wakeup().into_iter().chain(room_due).min());
        poll_fn(|cx| match self.lane.poll_input(cx) {
            Poll::Ready(input) => Poll::Ready(input),
            Poll::Pending => self.alarm.poll(cx).map(|()| Input::Tick),
        })
        .await
    }
}

/// What a defect of the driver is reported as.
pub(crate) fn broken(error: &Error) -> Error {
    error.clone().while_doing("driving the upload")
}
