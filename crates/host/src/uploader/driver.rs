//! The loop that drives a queue; see `vod_uploader::queue` for its contract.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use vod_uploader::queue::{Input, KvId, Output, SessionId, VodCallId};
use vod_uploader::upload;
use vod_uploader::{Error, ErrorKind};
use vod_uploader_relay::RESPONSE_BYTES_MAX;
use vod_uploader_relay::ports::{KeyValueCall, Ports, SendBody};
use vod_uploader_relay::session::{BUFFER_RETRY_INTERVAL, TaskSet, Timer};

use super::file_session_io::FileSessionIo;
use super::notifier::NotifyListener;
use super::uploader_inner::UploaderInner;

/// Drives the queue until its uploader is dropped. Then aborts everything except writes in
/// progress.
pub(super) async fn drive(inner: Rc<UploaderInner>, listener: NotifyListener) {
    let ports = inner.ports();
    let timer = Timer::new(Rc::clone(&ports.clock));
    let (sessions, tasks) = (BTreeMap::new(), TaskSet::default());
    let mut driver = Driver { inner, ports, listener, sessions, tasks, timer };
    while !driver.inner.is_closed() {
        driver.run_iteration().await;
    }
    driver.shutdown().await;
}

struct Driver {
    inner: Rc<UploaderInner>,
    ports: Ports,
    /// Notified by every call of the uploader.
    listener: NotifyListener,
    sessions: BTreeMap<SessionId, FileSessionIo>,
    /// The operations of the queue itself, and sessions that are being shut down.
    tasks: TaskSet<VodCallId, Input>,
    timer: Timer,
}

impl Driver {
    async fn run_iteration(&mut self) {
        self.process_outputs();
        self.start_fills();
        self.inner.notify_reader();
        if let Some(input) = self.next_input().await {
            // Outputs of calls made in the meantime come first: the bytes that they supply are for
            // the sessions that exist before this input.
            self.process_outputs();
            self.handle_input(input);
        }
    }

    /// Executes the outputs of the queue and passes supplied streams to their sessions.
    fn process_outputs(&mut self) {
        while let Some(output) = self.inner.next_output() {
            self.execute(output);
        }
        for (session, supply) in self.inner.take_supplies() {
            if let Some(io) = self.sessions.get(&session) {
                io.push(supply);
            }
        }
    }

    fn execute(&mut self, output: Output) {
        match output {
            Output::KvGet { id, key } => self.key_value(id, KeyValueCall::Get(key)),
            Output::KvSet { id, key, value } => self.key_value(id, KeyValueCall::Set(key, value)),
            Output::KvDelete { id, key } => self.key_value(id, KeyValueCall::Delete(key)),
            Output::CallVod { id, request } => {
                let sent = self.ports.http.send(*request, SendBody::Inline, RESPONSE_BYTES_MAX);
                self.tasks.spawn_abortable(id, async move {
                    let result =
                        sent.await.map_err(|error| error.into_error(ErrorKind::VodUnavailable));
                    Input::VodResponse { id, result }
                });
            }
            Output::CancelVod { id } => self.tasks.abort(id),
            Output::SessionStarted { session, size, .. } => {
                let io = FileSessionIo::new(session, size, self.inner.timeout());
                self.sessions.insert(session, io);
            }
            Output::Session { session, output } => {
                let ended = matches!(output, upload::Output::Event(upload::Event::SessionEnded(_)));
                if let Some(io) = self.sessions.get_mut(&session) {
                    io.execute(output);
                }
                if ended {
                    self.close_session(session);
                }
            }
            Output::SessionDropped { session } => self.close_session(session),
        }
    }

    fn close_session(&mut self, session: SessionId) {
        if let Some(io) = self.sessions.remove(&session) {
            self.tasks.spawn(async move {
                io.shutdown().await;
                None
            });
        }
    }

    fn key_value(&self, id: KvId, call: KeyValueCall) {
        let performed = call.perform(Rc::clone(&self.ports.key_value));
        self.tasks.spawn(async move {
            let result = performed.await.map_err(Error::from);
            Some(Input::Kv { id, result })
        });
    }

    fn start_fills(&mut self) {
        while let Some(input) = self.start_fill() {
            self.handle_input(input);
            self.process_outputs();
        }
    }

    fn start_fill(&mut self) -> Option<Input> {
        let inner = &self.inner;
        self.sessions
            .iter_mut()
            .find_map(|(session, io)| io.start_fill(inner.pending_fill(*session)))
    }

    fn handle_input(&self, input: Input) {
        self.inner.queue().handle(self.ports.clock.now(), input);
    }

    /// The next input, or `None` if the uploader was called.
    async fn next_input(&mut self) -> Option<Input> {
        let is_waiting = self.sessions.values().any(FileSessionIo::is_waiting_for_buffer);
        let buffer_retry = is_waiting.then(|| self.ports.clock.now() + BUFFER_RETRY_INTERVAL);
        self.timer.reset(self.inner.next_wakeup().into_iter().chain(buffer_retry).min());
        poll_fn(|cx| {
            if self.listener.poll_notified(cx).is_ready() {
                return Poll::Ready(None);
            }
            if let Poll::Ready(input) = self.tasks.poll_input(cx) {
                return Poll::Ready(Some(input));
            }
            for io in self.sessions.values_mut() {
                if let Poll::Ready(input) = io.poll_input(cx) {
                    return Poll::Ready(Some(input));
                }
            }
            self.timer.poll(cx).map(|()| Some(Input::Tick))
        })
        .await
    }

    async fn shutdown(mut self) {
        let sessions: Vec<_> = self.sessions.keys().copied().collect();
        for session in sessions {
            self.close_session(session);
        }
        self.tasks.shutdown().await;
    }
}
