//! One step at a time: what was begun happens, or its answer arrives, or time passes.

use std::rc::Rc;

use vod_uploader::crc64::Crc64;
use vod_uploader::error::{Error, ErrorKind};
use vod_uploader::queue::{Input, TurnId};
use vod_uploader::units::{ByteCount, UnixMillis};
use vod_uploader::upload::{self, Want};

use super::narration::outcome;
use super::{Answer, Begun, Order, Pending, STEPS_MAX, Stage, World};
use crate::lane::Filled;
use crate::store::Answered;
impl World {
    /// Goes on until nothing more can happen, and nothing is waited for but the app.
    pub fn run(&mut self) {
        self.run_until(|_| false);
    }

    /// Goes on until `reached`, or until nothing more can happen.
    pub fn run_until(&mut self, reached: impl Fn(&Self) -> bool) {
        for _ in 0..STEPS_MAX {
            if reached(self) || !self.step() {
                return;
            }
        }
        panic!("the run does not come to an end: {:#?}", self.queue);
    }

    /// One step: something that was begun happens, or its answer arrives, or time passes. False
    /// where nothing can happen any more.
    pub fn step(&mut self) -> bool {
        let mut choices = self.choices();
        if choices.is_empty() {
            let Some(at) = self.queue.next_wakeup() else {
                self.only_the_app_is_waited_for();
                return false;
            };
            self.now = self.now.max(at);
            choices = self.choices();
        }
        let index = match &mut self.order {
            Order::First => 0,
            Order::Seeded(random) => {
                let lingers = |choice: &Choice| matches!(choice, Choice::Stray(_));
                if self.strays_linger && random.chance(950) && !choices.iter().all(lingers) {
                    choices.retain(|choice| !lingers(choice));
                }
                random.index(choices.len())
            }
        };
        self.now = self.now + self.pace;
        match choices[index] {
            Choice::Tick => {
                let now = self.now;
                self.tell(now, Input::Tick);
                let next = self.queue.next_wakeup();
                assert!(next.is_none_or(|next| next > now), "a tick leaves something due");
            }
            Choice::Act(index) => self.act(index),
            Choice::Stray(index) => {
                let stray = self.strays.remove(index);
                self.tell_story(|| format!("stray: {}", stray.name()));
                self.audit.stray_lands(&stray);
                self.happen(&stray);
            }
            Choice::Late(index) => {
                let late = self.late.remove(index);
                self.tell_story(|| format!("late: {}", late.name()));
                self.happen(&late);
            }
        }
        true
    }

    /// Ends the queue at once, as a host that is killed does, and begins another one with the same
    /// files. What was on its way may still arrive.
    pub fn crash(&mut self) {
        let left = std::mem::take(&mut self.pending).into_iter();
        let strays = left.filter(|pending| {
            matches!(pending.stage, Stage::Begun)
                && !matches!(pending.what, Begun::Fill { .. } | Begun::App(_))
        });
        self.strays.extend(strays.map(|pending| pending.what));
        self.strays.append(&mut self.late);
        self.audit.crash(&self.kv);
        self.restart();
    }

    /// What a queue that is gone has left on its way arrives.
    pub fn land_strays(&mut self) {
        for stray in std::mem::take(&mut self.strays) {
            self.happen(&stray);
        }
    }

    /// What a queue that is gone has left on its way never arrives.
    pub fn drop_strays(&mut self) {
        self.strays.clear();
    }

    /// Tells the queue something.
    pub fn tell(&mut self, now: UnixMillis, input: Input) {
        self.queue.handle(now, input);
        self.drain();
    }

    fn choices(&self) -> Vec<Choice> {
        let mut choices = Vec::new();
        if self.queue.next_wakeup().is_some_and(|at| at <= self.now) {
            choices.push(Choice::Tick);
        }
        let can_go_on = |pending: &Pending| match (&pending.what, &pending.stage) {
            (_, Stage::Silent) => false,
            (Begun::Fill { turn, .. }, _) => self.lanes[turn].has_supply(),
            _ => true,
        };
        for (index, pending) in self.pending.iter().enumerate() {
            if can_go_on(pending) {
                choices.push(Choice::Act(index));
            }
        }
        // What is stray arrives at any time, or, in a fixed order, first.
        let strays = (0..self.strays.len()).map(Choice::Stray);
        let late = (0..self.late.len()).map(Choice::Late);
        match self.order {
            Order::First => strays.chain(late).chain(choices).collect(),
            Order::Seeded(_) => choices.into_iter().chain(strays).chain(late).collect(),
        }
    }

    fn act(&mut self, index: usize) {
        let Pending { what, stage } = self.pending.remove(index);
        let now = self.now;
        match (what, stage) {
            (Begun::App(event), _) => self.app_answers(&event),
            (Begun::Fill { turn, want }, _) => self.fill(turn, want),
            (what, Stage::Answered(answer)) => {
                self.note_answer(&what, &answer);
                let input = match (what, answer) {
                    (
                        Begun::KvGet { id, .. }
                        | Begun::KvSet { id, .. }
                        | Begun::KvDelete { id, .. },
                        Answer::Kv(result),
                    ) => Input::Kv { id, result },
                    (Begun::Vod { id, .. }, Answer::Call(result)) => {
                        let unreachable = |text| Error::new(ErrorKind::VodUnavailable, text);
                        Input::VodReplied { id, result: result.map_err(unreachable) }
                    }
                    (
                        Begun::TurnKvGet { turn, id, .. } | Begun::TurnKvSet { turn, id, .. },
                        Answer::Kv(result),
                    ) => Input::Turn { turn, input: upload::Input::Kv { id, result } },
                    (Begun::Call { turn, call, .. }, Answer::Call(result)) => {
                        Input::Turn { turn, input: upload::Input::Replied { call, result } }
                    }
                    mismatch => panic!("{mismatch:?}"),
                };
                self.tell(now, input);
            }
            (what, Stage::Begun) => {
                let answered = self.happen(&what);
                self.tell_story(|| format!("{} -> {}", what.name(), outcome(answered.as_ref())));
                if !matches!(what, Begun::TurnKvDelete { .. }) {
                    let stage = answered.map_or(Stage::Silent, Stage::Answered);
                    self.pending.insert(index, Pending { what, stage });
                }
                self.audit();
            }
            (_, Stage::Silent) => panic!("nothing comes of it"),
        }
    }

    /// Does at the services what was begun.
    pub(super) fn happen(&mut self, begun: &Begun) -> Option<Answer> {
        let answered = |answered| match answered {
            Answered::Reply(reply) => Some(Answer::Call(Ok(reply))),
            Answered::Broken => Some(Answer::Call(Err("connection reset".into()))),
            Answered::Never => None,
        };
        match begun {
            Begun::KvGet { key, .. } | Begun::TurnKvGet { key, .. } => {
                Some(Answer::Kv(self.kv.read(key)))
            }
            Begun::KvSet { key, value, .. } | Begun::TurnKvSet { key, value, .. } => {
                Some(Answer::Kv(self.kv.write(key, value)))
            }
            Begun::KvDelete { key, .. } | Begun::TurnKvDelete { key } => {
                Some(Answer::Kv(self.kv.try_delete(key)))
            }
            Begun::Vod { request, .. } => {
                answered(self.vod.call(&mut self.store, self.now, request))
            }
            Begun::Call { request, body, .. } => {
                let body = body.as_ref().map(|body| body.as_slice());
                let harms = self.store.harms;
                let answer = self.store.call(self.now, request, body);
                if self.store.harms > harms {
                    self.audit.all_may_start_again();
                }
                answered(answer)
            }
            Begun::Fill { .. } | Begun::App(_) => None,
        }
    }

    pub(super) fn fill(&mut self, turn: TurnId, want: Want) {
        let now = self.now;
        let lane = self.lanes.get_mut(&turn).unwrap();
        let input = match lane.fill(want.size.bytes()) {
            Filled::Ended(bytes, end) => {
                lane.filling = None;
                let (len, crc64) = (ByteCount(bytes.len() as u64), Crc64::of(&bytes));
                lane.buffers.insert(want.fill, Rc::new(bytes));
                let input = upload::Input::Filled { fill: want.fill, len, crc64, end };
                Input::Turn { turn, input }
            }
            Filled::Short { offset } => {
                let file = lane.file;
                self.audit.stream_ended(file, offset);
                self.pending.push(Pending::begun(Begun::Fill { turn, want }));
                Input::SourceEnded { turn, offset: ByteCount(offset) }
            }
            Filled::Broken(reason) => Input::SourceBroken { turn, reason },
        };
        self.tell(now, input);
    }
}

#[derive(Clone, Copy)]
enum Choice {
    Tick,
    Act(usize),
    Stray(usize),
    Late(usize),
}
