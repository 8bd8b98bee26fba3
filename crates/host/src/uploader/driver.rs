//! The loop that drives a queue; see `vod_uploader::queue` for its contract.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use vod_uploader::ErrorKind;
use vod_uploader::queue::{Input, KvId, Output, TurnId, VodCallId};
use vod_uploader::upload;

use super::bell::Listener;
use super::shared::Shared;
use super::turn_lane::TurnLane;
use crate::alarm::Alarm;
use crate::clock;
use crate::lane::ROOM_PAUSE;
use crate::store_client::{self, SendBody};
use crate::tasks::Tasks;

/// Drives the queue until its uploader is dropped. Then everything is cut off, but for what is
/// being written.
pub(super) async fn drive(shared: Rc<Shared>, listener: Listener) {
    let mut driver = Driver {
        shared,
        listener,
        lanes: BTreeMap::new(),
        tasks: Tasks::new(),
        alarm: Alarm::default(),
    };
    while !driver.shared.is_closed() {
        driver.turn().await;
    }
    driver.close().await;
}

struct Driver {
    shared: Rc<Shared>,
    /// Rung at every call.
    listener: Listener,
    lanes: BTreeMap<TurnId, TurnLane>,
    /// What runs for the queue itself, and lanes that are being closed.
    tasks: Tasks<VodCallId, Input>,
    alarm: Alarm,
}

impl Driver {
    async fn turn(&mut self) {
        self.take_up();
        self.begin_fills();
        self.shared.offer_event();
        if let Some(input) = self.next_input().await {
            // What was called meanwhile comes first: bytes that were supplied belong to the turns
            // as they are before this input.
            self.take_up();
            self.tell(input);
        }
    }

    /// Begins what the queue wants done, and hands over what was supplied.
    fn take_up(&mut self) {
        while let Some(output) = self.shared.next_output() {
            self.begin(output);
        }
        for (turn, supply) in self.shared.take_supplies() {
            if let Some(lane) = self.lanes.get(&turn) {
                lane.hand_in(supply);
            }
        }
    }

    fn begin(&mut self, output: Output) {
        match output {
            Output::KvGet { id, key } => self.kv_get(id, key),
            Output::KvSet { id, key, value } => self.kv_set(id, key, value),
            Output::KvDelete { id, key } => self.kv_delete(id, key),
            Output::CallVod { id, request } => {
                self.tasks.run_until_cut(id, async move {
                    let sent = store_client::send(*request, SendBody::Inline).await;
                    let result = sent.map_err(|error| error.into_error(ErrorKind::VodUnavailable));
                    Input::VodReplied { id, result }
                });
            }
            Output::CancelVod { id } => self.tasks.cut(id),
            Output::TurnBegun { turn, size, .. } => {
                let lane = TurnLane::new(turn, size, self.shared.kv(), self.shared.timeout());
                self.lanes.insert(turn, lane);
            }
            Output::Turn { turn, output } => {
                let ended = matches!(output, upload::Output::Event(upload::Event::Ended(_)));
                if let Some(lane) = self.lanes.get_mut(&turn) {
                    lane.begin(output);
                }
                if ended {
                    self.close_lane(turn);
                }
            }
            Output::TurnDropped { turn } => self.close_lane(turn),
        }
    }

    fn close_lane(&mut self, turn: TurnId) {
        if let Some(lane) = self.lanes.remove(&turn) {
            self.tasks.run(async move {
                lane.close().await;
                None
            });
        }
    }

    fn kv_get(&self, id: KvId, key: String) {
        let kv = self.shared.kv();
        self.tasks.run(async move {
            let result = kv.get(&key).await.map_err(|error| error.message().to_owned());
            Some(Input::Kv { id, result })
        });
    }

    fn kv_set(&self, id: KvId, key: String, value: Vec<u8>) {
        let kv = self.shared.kv();
        self.tasks.run(async move {
            let result = kv.set(&key, &value).await;
            let result = result.map(|()| None).map_err(|error| error.message().to_owned());
            Some(Input::Kv { id, result })
        });
    }

    fn kv_delete(&self, id: KvId, key: String) {
        let kv = self.shared.kv();
        self.tasks.run(async move {
            let result = kv.delete(&key).await;
            let result = result.map(|()| None).map_err(|error| error.message().to_owned());
            Some(Input::Kv { id, result })
        });
    }

    fn begin_fills(&mut self) {
        while let Some(input) = self.begin_fill() {
            self.tell(input);
            self.take_up();
        }
    }

    fn begin_fill(&mut self) -> Option<Input> {
        let shared = &self.shared;
        self.lanes.iter_mut().find_map(|(turn, lane)| lane.begin_fill(shared.wants(*turn)))
    }

    fn tell(&self, input: Input) {
        self.shared.queue().handle(clock::now(), input);
    }

    /// The next input, or `None` where something was called.
    async fn next_input(&mut self) -> Option<Input> {
        let starved = self.lanes.values().any(TurnLane::is_starved);
        let room_due = starved.then(|| clock::now() + ROOM_PAUSE);
        self.alarm.set(self.shared.next_wakeup().into_iter().chain(room_due).min());
        poll_fn(|cx| {
            if self.listener.poll_rung(cx).is_ready() {
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
            self.alarm.poll(cx).map(|()| Some(Input::Tick))
        })
        .await
    }

    async fn close(mut self) {
        let turns: Vec<_> = self.lanes.keys().copied().collect();
        for turn in turns {
            self.close_lane(turn);
        }
        self.tasks.close().await;
    }
}
