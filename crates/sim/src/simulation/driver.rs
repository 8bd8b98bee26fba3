//! What a queue wants is begun, and its events are read.

use std::rc::Rc;

use vod_uploader::queue::{Output, SessionId};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{self, CallId, Value};

use super::{Completion, OperationStage, Pending, PendingOperation, Schedule, Simulation};
use crate::Operation;
use crate::session_input::SessionInput;
impl Simulation {
    pub(super) fn drain(&mut self) {
        let mut sending = Vec::new();
        while let Some(output) = self.queue.poll() {
            self.checker.no_secret_in(&output);
            if let Output::Session { session, output: upload::Output::Send { .. } } = &output {
                sending.push(self.lanes[session].file);
            }
            self.begin(output);
        }
        self.who_sends_has_a_credential(&sending);
        while self.app.reads
            && let Some(event) = self.queue.poll_event()
        {
            self.checker.no_secret_in(&event);
            self.write_trace(|| format!("event: {event:?}"));
            self.pending.push(Pending::begun(PendingOperation::App(event.clone())));
            self.note_event(&event);
            self.events.push(event);
        }
        self.open_fills();
        self.checker();
    }

    fn open_fills(&mut self) {
        for (session, session_input) in &mut self.lanes {
            let want = self.queue.pending_fill(*session);
            if session_input.filling == want.map(|want| want.fill) {
                continue;
            }
            self.pending.retain(|pending| {
                !matches!(
                    &pending.what,
                    PendingOperation::Fill { session: of, .. } if of == session
                )
            });
            session_input.filling = want.map(|want| want.fill);
            if let Some(want) = want {
                assert!(!want.streamed, "parts of the simulation are held");
                self.pending
                    .push(Pending::begun(PendingOperation::Fill { session: *session, want }));
            }
        }
    }

    fn begin(&mut self, output: Output) {
        let begun = match output {
            Output::KvGet { id, key } => PendingOperation::KvGet { id, key },
            Output::KvSet { id, key, value } => PendingOperation::KvSet { id, key, value },
            Output::KvDelete { id, key } => PendingOperation::KvDelete { id, key },
            Output::CallVod { id, request } => {
                self.checker.note_request(&request, None);
                PendingOperation::Vod { id, request }
            }
            Output::CancelVod { id: cut } => {
                self.pending.retain(|pending| {
                    !matches!(pending.what, PendingOperation::Vod { id, .. } if id == cut)
                });
                return;
            }
            Output::SessionStarted { session, file, size } => {
                self.lanes.insert(session, SessionInput::new(file, size.map(ByteCount::bytes)));
                return;
            }
            Output::SessionDropped { session } => return self.end_session(session),
            Output::Session { session, output } => match self.start_operation(session, output) {
                Some(begun) => begun,
                None => return,
            },
        };
        self.pending.push(Pending::begun(begun));
    }

    fn start_operation(
        &mut self,
        session: SessionId,
        output: upload::Output,
    ) -> Option<PendingOperation> {
        let session_input = self.lanes.get_mut(&session).unwrap();
        match output {
            upload::Output::KvGet { id, key } => {
                Some(PendingOperation::TurnKvGet { session, id, key })
            }
            upload::Output::KvSet { id, key, value } => {
                let value = match value {
                    Value::Bytes(bytes) => bytes,
                    Value::Fill { fill, len } => session_input.buffers[&fill]
                        [..usize::try_from(len.bytes()).unwrap()]
                        .to_vec(),
                };
                Some(PendingOperation::TurnKvSet { session, id, key, value })
            }
            upload::Output::KvDelete { key } => Some(PendingOperation::TurnKvDelete { key }),
            upload::Output::Send { call, request, fill } => {
                let body = fill.map(|fill| Rc::clone(&session_input.buffers[&fill]));
                self.checker.note_request(&request, body.as_ref().map(|body| body.as_slice()));
                Some(PendingOperation::Call { session, call, request, body })
            }
            upload::Output::Cancel { call: cut } => {
                self.cut_off(|of, call| of == session && call == cut);
                None
            }
            upload::Output::RefreshCredential => panic!("the queue answers it"),
            upload::Output::Event(event) => {
                self.note_turn(session, event);
                None
            }
        }
    }

    fn note_turn(&mut self, session: SessionId, event: upload::Event) {
        let session_input = self.lanes.get_mut(&session).unwrap();
        match event {
            upload::Event::Receiving { offset, tail } => session_input.ready(offset.bytes(), tail),
            upload::Event::BufferReleased(fill) => drop(session_input.buffers.remove(&fill)),
            upload::Event::RestartSource => {
                session_input.rewind();
                let name = self.files[&session_input.file].new.name.clone();
                self.checker.offset_regressed(&name);
            }
            upload::Event::SessionEnded(_) => self.end_session(session),
            upload::Event::Durable(_) => {}
        }
    }

    /// Calls are cut off; writes and deletions that were begun go on.
    pub(super) fn end_session(&mut self, ended: SessionId) {
        self.lanes.remove(&ended);
        self.cut_off(|session, _| session == ended);
        self.pending.retain(|pending| match &pending.what {
            PendingOperation::Fill { session, .. } => *session != ended,
            PendingOperation::TurnKvGet { session, .. } => *session != ended,
            _ => true,
        });
    }

    /// Notes which upload the store's answer tells of.
    pub(super) fn note_answer(&mut self, what: &PendingOperation, answer: &Completion) {
        let PendingOperation::Call { session, request, .. } = what else { return };
        if Operation::of(request) != Operation::Initiate {
            return;
        }
        let session_input = self.lanes.get(session);
        match (answer, session_input) {
            (Completion::Call(Ok(reply)), Some(session_input)) if reply.status == 200 => {
                let body = String::from_utf8_lossy(&reply.body);
                let id = body.split("<UploadId>").nth(1).and_then(|rest| rest.split('<').next());
                let name = &self.files[&session_input.file].new.name;
                self.checker.upload_begun(id.expect("an upload id"), name);
            }
            _ => self.checker.something_may_be_left(),
        }
    }

    /// Calls are cut off: their answers never come, and they arrive or not.
    pub(super) fn cut_off(&mut self, is_cut: impl Fn(SessionId, CallId) -> bool) {
        let (cut, left) = std::mem::take(&mut self.pending).into_iter().partition(|pending| {
            matches!(
                pending.what,
                PendingOperation::Call { session, call, .. } if is_cut(session, call)
            )
        });
        self.pending = left;
        let cut: Vec<Pending> = cut;
        for pending in cut {
            if let PendingOperation::Call { request, .. } = &pending.what
                && Operation::of(request) == Operation::Initiate
            {
                self.checker.something_may_be_left();
            }
            if !matches!(pending.stage, OperationStage::PendingOperation) {
                continue;
            }
            let arrives = match &mut self.order {
                Schedule::Seeded(random) => self.cut_off_may_arrive && random.chance(500),
                Schedule::First => false,
            };
            if arrives {
                self.late.push(pending.what);
            }
        }
    }
}
