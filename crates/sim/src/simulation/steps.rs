//! One step at a time: what was begun happens, or its answer arrives, or time passes.

use std::rc::Rc;

use vod_uploader::crc64::Crc64;
use vod_uploader::error::{Error, ErrorKind};
use vod_uploader::queue::{Input, SessionId};
use vod_uploader::units::{ByteCount, UnixMillis};
use vod_uploader::upload::{self, FillRequest};

use super::trace::outcome;
use super::{
    Completion, OperationStage, Pending, PendingOperation, STEPS_MAX, Schedule, Simulation,
};
use crate::session_input::Filled;
use crate::store::Answered;
impl Simulation {
    /// Goes on until nothing more can execute, and nothing is waited for but the app.
    pub fn run(&mut self) {
        self.run_until(|_| false);
    }

    /// Goes on until `reached`, or until nothing more can execute.
    pub fn run_until(&mut self, reached: impl Fn(&Self) -> bool) {
        for _ in 0..STEPS_MAX {
            if reached(self) || !self.step() {
                return;
            }
        }
        panic!("the run does not come to an end: {:#?}", self.queue);
    }

    /// One step: something that was begun happens, or its answer arrives, or time passes. False
    /// where nothing can execute any more.
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
            Schedule::First => 0,
            Schedule::Seeded(random) => {
                let lingers = |choice: &NextStep| matches!(choice, NextStep::Stray(_));
                if self.strays_linger && random.chance(950) && !choices.iter().all(lingers) {
                    choices.retain(|choice| !lingers(choice));
                }
                random.index(choices.len())
            }
        };
        self.now = self.now + self.pace;
        match choices[index] {
            NextStep::Tick => {
                let now = self.now;
                self.tell(now, Input::Tick);
                let next = self.queue.next_wakeup();
                assert!(next.is_none_or(|next| next > now), "a tick leaves something due");
            }
            NextStep::UserAction(index) => self.act(index),
            NextStep::Stray(index) => {
                let stray = self.strays.remove(index);
                self.write_trace(|| format!("stray: {}", stray.name()));
                self.checker.late_write_applied(&stray);
                self.execute(&stray);
            }
            NextStep::Late(index) => {
                let late = self.late.remove(index);
                self.write_trace(|| format!("late: {}", late.name()));
                self.execute(&late);
            }
        }
        true
    }

    /// Ends the queue at once, as a host that is killed does, and begins another one with the same
    /// files. What was on its way may still arrive.
    pub fn crash(&mut self) {
        let left = std::mem::take(&mut self.pending).into_iter();
        let strays = left.filter(|pending| {
            matches!(pending.stage, OperationStage::PendingOperation)
                && !matches!(pending.what, PendingOperation::Fill { .. } | PendingOperation::App(_))
        });
        self.strays.extend(strays.map(|pending| pending.what));
        self.strays.append(&mut self.late);
        self.checker.crash(&self.kv);
        self.restart();
    }

    /// What a queue that is gone has left on its way arrives.
    pub fn apply_late_writes(&mut self) {
        for stray in std::mem::take(&mut self.strays) {
            self.execute(&stray);
        }
    }

    /// What a queue that is gone has left on its way never arrives.
    pub fn discard_late_writes(&mut self) {
        self.strays.clear();
    }

    /// Tells the queue something.
    pub fn tell(&mut self, now: UnixMillis, input: Input) {
        self.queue.handle(now, input);
        self.drain();
    }

    fn choices(&self) -> Vec<NextStep> {
        let mut choices = Vec::new();
        if self.queue.next_wakeup().is_some_and(|at| at <= self.now) {
            choices.push(NextStep::Tick);
        }
        let can_go_on = |pending: &Pending| match (&pending.what, &pending.stage) {
            (_, OperationStage::Silent) => false,
            (PendingOperation::Fill { session, .. }, _) => self.lanes[session].has_supply(),
            _ => true,
        };
        for (index, pending) in self.pending.iter().enumerate() {
            if can_go_on(pending) {
                choices.push(NextStep::UserAction(index));
            }
        }
        // What is stray arrives at any time, or, in a fixed order, first.
        let strays = (0..self.strays.len()).map(NextStep::Stray);
        let late = (0..self.late.len()).map(NextStep::Late);
        match self.order {
            Schedule::First => strays.chain(late).chain(choices).collect(),
            Schedule::Seeded(_) => choices.into_iter().chain(strays).chain(late).collect(),
        }
    }

    fn act(&mut self, index: usize) {
        let Pending { what, stage } = self.pending.remove(index);
        let now = self.now;
        match (what, stage) {
            (PendingOperation::App(event), _) => self.app_answers(&event),
            (PendingOperation::Fill { session, want }, _) => self.fill(session, want),
            (what, OperationStage::Answered(answer)) => {
                self.note_answer(&what, &answer);
                let input = match (what, answer) {
                    (
                        PendingOperation::KvGet { id, .. }
                        | PendingOperation::KvSet { id, .. }
                        | PendingOperation::KvDelete { id, .. },
                        Completion::Kv(result),
                    ) => Input::Kv { id, result },
                    (PendingOperation::Vod { id, .. }, Completion::Call(result)) => {
                        let unreachable = |text| Error::new(ErrorKind::VodUnavailable, text);
                        Input::VodResponse { id, result: result.map_err(unreachable) }
                    }
                    (
                        PendingOperation::TurnKvGet { session, id, .. }
                        | PendingOperation::TurnKvSet { session, id, .. },
                        Completion::Kv(result),
                    ) => Input::Session { session, input: upload::Input::Kv { id, result } },
                    (PendingOperation::Call { session, call, .. }, Completion::Call(result)) => {
                        Input::Session {
                            session,
                            input: upload::Input::StoreResponse { call, result },
                        }
                    }
                    mismatch => panic!("{mismatch:?}"),
                };
                self.tell(now, input);
            }
            (what, OperationStage::PendingOperation) => {
                let answered = self.execute(&what);
                self.write_trace(|| format!("{} -> {}", what.name(), outcome(answered.as_ref())));
                if !matches!(what, PendingOperation::TurnKvDelete { .. }) {
                    let stage = answered.map_or(OperationStage::Silent, OperationStage::Answered);
                    self.pending.insert(index, Pending { what, stage });
                }
                self.checker();
            }
            (_, OperationStage::Silent) => panic!("nothing comes of it"),
        }
    }

    /// Does at the services what was begun.
    pub(super) fn execute(&mut self, begun: &PendingOperation) -> Option<Completion> {
        let answered = |answered| match answered {
            Answered::Response(reply) => Some(Completion::Call(Ok(reply))),
            Answered::Broken => Some(Completion::Call(Err("connection reset".into()))),
            Answered::Never => None,
        };
        match begun {
            PendingOperation::KvGet { key, .. } | PendingOperation::TurnKvGet { key, .. } => {
                Some(Completion::Kv(self.kv.read(key)))
            }
            PendingOperation::KvSet { key, value, .. }
            | PendingOperation::TurnKvSet { key, value, .. } => {
                Some(Completion::Kv(self.kv.write(key, value)))
            }
            PendingOperation::KvDelete { key, .. } | PendingOperation::TurnKvDelete { key } => {
                Some(Completion::Kv(self.kv.try_delete(key)))
            }
            PendingOperation::Vod { request, .. } => {
                answered(self.vod.call(&mut self.store, self.now, request))
            }
            PendingOperation::Call { request, body, .. } => {
                let body = body.as_ref().map(|body| body.as_slice());
                let harms = self.store.harms;
                let answer = self.store.call(self.now, request, body);
                if self.store.harms > harms {
                    self.checker.all_may_start_again();
                }
                answered(answer)
            }
            PendingOperation::Fill { .. } | PendingOperation::App(_) => None,
        }
    }

    pub(super) fn fill(&mut self, session: SessionId, want: FillRequest) {
        let now = self.now;
        let session_input = self.lanes.get_mut(&session).unwrap();
        let input = match session_input.fill(want.size.bytes()) {
            Filled::Ended(bytes, end) => {
                session_input.filling = None;
                let (len, crc64) = (ByteCount(bytes.len() as u64), Crc64::compute(&bytes));
                session_input.buffers.insert(want.fill, Rc::new(bytes));
                let input = upload::Input::Filled { fill: want.fill, len, crc64, end };
                Input::Session { session, input }
            }
            Filled::Short { offset } => {
                let file = session_input.file;
                self.checker.stream_ended(file, offset);
                self.pending.push(Pending::begun(PendingOperation::Fill { session, want }));
                Input::SourceEnded { session, offset: ByteCount(offset) }
            }
            Filled::Broken(reason) => Input::SourceInterrupted { session, reason },
        };
        self.tell(now, input);
    }
}

#[derive(Clone, Copy)]
enum NextStep {
    Tick,
    UserAction(usize),
    Stray(usize),
    Late(usize),
}
