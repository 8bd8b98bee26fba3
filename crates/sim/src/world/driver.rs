//! What a queue wants is begun, and its events are read.

use std::rc::Rc;

use vod_uploader::queue::{Output, TurnId};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{self, CallId, Value};

use super::{Answer, Begun, Order, Pending, Stage, World};
use crate::Operation;
use crate::lane::Lane;
impl World {
    pub(super) fn drain(&mut self) {
        let mut sending = Vec::new();
        while let Some(output) = self.queue.poll() {
            self.audit.no_secret_in(&output);
            if let Output::Turn { turn, output: upload::Output::Send { .. } } = &output {
                sending.push(self.lanes[turn].file);
            }
            self.begin(output);
        }
        self.who_sends_has_a_credential(&sending);
        while self.app.reads
            && let Some(event) = self.queue.poll_event()
        {
            self.audit.no_secret_in(&event);
            self.tell_story(|| format!("event: {event:?}"));
            self.pending.push(Pending::begun(Begun::App(event.clone())));
            self.note_event(&event);
            self.events.push(event);
        }
        self.open_fills();
        self.audit();
    }

    fn open_fills(&mut self) {
        for (turn, lane) in &mut self.lanes {
            let want = self.queue.wants(*turn);
            if lane.filling == want.map(|want| want.fill) {
                continue;
            }
            self.pending.retain(
                |pending| !matches!(&pending.what, Begun::Fill { turn: of, .. } if of == turn),
            );
            lane.filling = want.map(|want| want.fill);
            if let Some(want) = want {
                assert!(!want.streamed, "parts of the simulation are held");
                self.pending.push(Pending::begun(Begun::Fill { turn: *turn, want }));
            }
        }
    }

    fn begin(&mut self, output: Output) {
        let begun = match output {
            Output::KvGet { id, key } => Begun::KvGet { id, key },
            Output::KvSet { id, key, value } => Begun::KvSet { id, key, value },
            Output::KvDelete { id, key } => Begun::KvDelete { id, key },
            Output::CallVod { id, request } => {
                self.audit.note_request(&request, None);
                Begun::Vod { id, request }
            }
            Output::CancelVod { id: cut } => {
                let sent =
                    |pending: &Pending| matches!(pending.what, Begun::Vod { id, .. } if id == cut);
                self.pending.retain(|pending| !sent(pending));
                return;
            }
            Output::TurnBegun { turn, file, size } => {
                self.lanes.insert(turn, Lane::new(file, size.map(ByteCount::bytes)));
                return;
            }
            Output::TurnDropped { turn } => return self.end_turn(turn),
            Output::Turn { turn, output } => match self.begin_of_turn(turn, output) {
                Some(begun) => begun,
                None => return,
            },
        };
        self.pending.push(Pending::begun(begun));
    }

    fn begin_of_turn(&mut self, turn: TurnId, output: upload::Output) -> Option<Begun> {
        let lane = self.lanes.get_mut(&turn).unwrap();
        match output {
            upload::Output::KvGet { id, key } => Some(Begun::TurnKvGet { turn, id, key }),
            upload::Output::KvSet { id, key, value } => {
                let value = match value {
                    Value::Bytes(bytes) => bytes,
                    Value::Fill { fill, len } => {
                        lane.buffers[&fill][..usize::try_from(len.bytes()).unwrap()].to_vec()
                    }
                };
                Some(Begun::TurnKvSet { turn, id, key, value })
            }
            upload::Output::KvDelete { key } => Some(Begun::TurnKvDelete { key }),
            upload::Output::Send { call, request, fill } => {
                let body = fill.map(|fill| Rc::clone(&lane.buffers[&fill]));
                self.audit.note_request(&request, body.as_ref().map(|body| body.as_slice()));
                Some(Begun::Call { turn, call, request, body })
            }
            upload::Output::Cancel { call: cut } => {
                self.cut_off(|of, call| of == turn && call == cut);
                None
            }
            upload::Output::RefreshCredential => panic!("the queue answers it"),
            upload::Output::Event(event) => {
                self.note_turn(turn, event);
                None
            }
        }
    }

    fn note_turn(&mut self, turn: TurnId, event: upload::Event) {
        let lane = self.lanes.get_mut(&turn).unwrap();
        match event {
            upload::Event::Ready { offset, tail } => lane.ready(offset.bytes(), tail),
            upload::Event::Released(fill) => drop(lane.buffers.remove(&fill)),
            upload::Event::Rewind => {
                lane.rewind();
                let name = self.files[&lane.file].new.name.clone();
                self.audit.went_back(&name);
            }
            upload::Event::Ended(_) => self.end_turn(turn),
            upload::Event::Durable(_) => {}
        }
    }

    /// Calls are cut off; writes and deletions that were begun go on.
    pub(super) fn end_turn(&mut self, ended: TurnId) {
        self.lanes.remove(&ended);
        self.cut_off(|turn, _| turn == ended);
        self.pending.retain(|pending| match &pending.what {
            Begun::Fill { turn, .. } => *turn != ended,
            Begun::TurnKvGet { turn, .. } => *turn != ended,
            _ => true,
        });
    }

    /// Notes which upload the store's answer tells of.
    pub(super) fn note_answer(&mut self, what: &Begun, answer: &Answer) {
        let Begun::Call { turn, request, .. } = what else { return };
        if Operation::of(request) != Operation::Initiate {
            return;
        }
        let lane = self.lanes.get(turn);
        match (answer, lane) {
            (Answer::Call(Ok(reply)), Some(lane)) if reply.status == 200 => {
                let body = String::from_utf8_lossy(&reply.body);
                let id = body.split("<UploadId>").nth(1).and_then(|rest| rest.split('<').next());
                let name = &self.files[&lane.file].new.name;
                self.audit.upload_begun(id.expect("an upload id"), name);
            }
            _ => self.audit.something_may_be_left(),
        }
    }

    /// Calls are cut off: their answers never come, and they arrive or not.
    pub(super) fn cut_off(&mut self, is_cut: impl Fn(TurnId, CallId) -> bool) {
        let (cut, left) = std::mem::take(&mut self.pending).into_iter().partition(
            |pending| matches!(pending.what, Begun::Call { turn, call, .. } if is_cut(turn, call)),
        );
        self.pending = left;
        let cut: Vec<Pending> = cut;
        for pending in cut {
            if let Begun::Call { request, .. } = &pending.what
                && Operation::of(request) == Operation::Initiate
            {
                self.audit.something_may_be_left();
            }
            if !matches!(pending.stage, Stage::Begun) {
                continue;
            }
            let arrives = match &mut self.order {
                Order::Seeded(random) => self.cut_off_may_arrive && random.chance(500),
                Order::First => false,
            };
            if arrives {
                self.late.push(pending.what);
            }
        }
    }
}
