//! The loop that drives a queue; see `vod_uploader::queue` for its contract.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use vod_uploader::ErrorKind;
use vod_uploader::queue::{Input, KvId, Output, SessionId, VodCallId};
use vod_uploader::upload;
use vod_uploader_relay::RESPONSE_BYTES_MAX;
use vod_uploader_relay::ports::{KeyValueError, Ports, SendBody};
use vod_uploader_relay::session::{BUFFER_RETRY_INTERVAL, TaskSet, Timer};

use super::file_session_io::FileSessionIo;
use super::notifier::NotifyListener;
use super::uploader_inner::UploaderInner;

/// Drives the queue until its uploader is dropped. Then everything is cut off, but for what is
/// being written.
pub(super) async fn drive(shared: Rc<UploaderInner>, listener: NotifyListener) {
    let ports = shared.ports();
    let timer = Timer::new(Rc::clone(&ports.clock));
    let (lanes, tasks) = (BTreeMap::new(), TaskSet::default());
    let mut driver = Driver { shared, ports, listener, lanes, tasks, timer };
    while !driver.shared.is_closed() {
        driver.session().await;
    }
    driver.close().await;
}

struct Driver {
    shared: Rc<UploaderInner>,
    ports: Ports,
    /// Notified at every call.
    listener: NotifyListener,
    lanes: BTreeMap<SessionId, FileSessionIo>,
    /// What runs for the queue itself, and lanes that are being closed.
    tasks: TaskSet<VodCallId, Input>,
    timer: Timer,
}

impl Driver {
    async fn session(&mut self) {
        self.process_outputs();
        self.begin_fills();
        self.shared.notify_reader();
        if let Some(input) = self.next_input().await {
            // What was called meanwhile comes first: bytes that were supplied belong to the
            // sessions as they are before this input.
            self.process_outputs();
            self.tell(input);
        }
    }

    /// Begins what the queue wants done, and hands over what was supplied.
    fn process_outputs(&mut self) {
        while let Some(output) = self.shared.next_output() {
            self.begin(output);
        }
        for (session, supply) in self.shared.take_supplies() {
            if let Some(lane) = self.lanes.get(&session) {
                lane.push(supply);
            }
        }
    }

    fn begin(&mut self, output: Output) {
        match output {
            Output::KvGet { id, key } => self.kv_get(id, key),
            Output::KvSet { id, key, value } => self.kv_set(id, key, value),
            Output::KvDelete { id, key } => self.kv_delete(id, key),
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
                let lane = FileSessionIo::new(session, size, self.shared.timeout());
                self.lanes.insert(session, lane);
            }
            Output::Session { session, output } => {
                let ended = matches!(output, upload::Output::Event(upload::Event::SessionEnded(_)));
                if let Some(lane) = self.lanes.get_mut(&session) {
                    lane.begin(output);
                }
                if ended {
                    self.close_lane(session);
                }
            }
            Output::SessionDropped { session } => self.close_lane(session),
        }
    }

    fn close_lane(&mut self, session: SessionId) {
        if let Some(lane) = self.lanes.remove(&session) {
            self.tasks.spawn(async move {
                lane.close().await;
                None
            });
        }
    }

    fn kv_get(&self, id: KvId, key: String) {
        let kv = Rc::clone(&self.ports.key_value);
        self.tasks.spawn(async move { Some(kv_input(id, kv.get(&key).await)) });
    }

    fn kv_set(&self, id: KvId, key: String, value: Vec<u8>) {
        let kv = Rc::clone(&self.ports.key_value);
        let set = async move { kv.set(&key, &value).await.map(|()| None) };
        self.tasks.spawn(async move { Some(kv_input(id, set.await)) });
    }

    fn kv_delete(&self, id: KvId, key: String) {
        let kv = Rc::clone(&self.ports.key_value);
        let deleted = async move { kv.delete(&key).await.map(|()| None) };
        self.tasks.spawn(async move { Some(kv_input(id, deleted.await)) });
    }

    fn begin_fills(&mut self) {
        while let Some(input) = self.begin_fill() {
            self.tell(input);
            self.process_outputs();
        }
    }

    fn begin_fill(&mut self) -> Option<Input> {
        let shared = &self.shared;
        self.lanes.iter_mut().find_map(|(session, lane)| lane.begin_fill(shared.wants(*session)))
    }

    fn tell(&self, input: Input) {
        self.shared.queue().handle(self.ports.clock.now(), input);
    }

    /// The next input, or `None` where something was called.
    async fn next_input(&mut self) -> Option<Input> {
        let starved = self.lanes.values().any(FileSessionIo::is_waiting_for_buffer);
        let room_due = starved.then(|| self.ports.clock.now() + BUFFER_RETRY_INTERVAL);
        self.timer.reset(self.shared.next_wakeup().into_iter().chain(room_due).min());
        poll_fn(|cx| {
            if self.listener.poll_notified(cx).is_ready() {
                return Poll::Ready(None);
            }
            if let Poll::Ready(input) = self.tasks.poll_input(cx) {
                return Poll::Ready(Some(input));
            }
            for lane in self.lanes.values_mut() {
                if let Poll::Ready(input) = lane.poll_input(cx) {
                    return Poll::Ready(Some(input));
                }
            }
            self.timer.poll(cx).map(|()| Some(Input::Tick))
        })
        .await
    }

    async fn close(mut self) {
        let sessions: Vec<_> = self.lanes.keys().copied().collect();
        for session in sessions {
            self.close_lane(session);
        }
        self.tasks.shutdown().await;
    }
}

fn kv_input(id: KvId, result: Result<Option<Vec<u8>>, KeyValueError>) -> Input {
    Input::Kv { id, result: result.map_err(|error| error.message) }
}
