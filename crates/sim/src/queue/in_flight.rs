//! The operations that a queue has started.

use vod_uploader::queue::{Event, KvId, SessionId, VodCallId};
use vod_uploader::upload::{self, CallId, FillRequest};

use crate::world::{Operation, Schedule, ServiceCall, ServiceResult};

/// Operations in flight, of the current queue and of those that crashed.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    /// The operations of the current queue.
    pub(crate) pending: Vec<Pending>,
    /// Calls of queues that have crashed.
    pub(crate) late_writes: Vec<ServiceCall>,
    /// Calls that were aborted and take effect nevertheless. Their results are discarded.
    pub(crate) aborted: Vec<ServiceCall>,
}

/// An operation and its stage.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) operation: PendingOperation,
    pub(crate) stage: OperationStage,
}

#[derive(Debug)]
pub(crate) enum PendingOperation {
    Call {
        call: ServiceCall,
        recipient: Recipient,
    },
    Fill {
        session: SessionId,
        request: FillRequest,
    },
    /// The app reads an event.
    App(Event),
}

/// What receives the result of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recipient {
    Queue(KvId),
    QueueVod(VodCallId),
    SessionKv(SessionId, upload::KvId),
    SessionCall(SessionId, CallId),
    Nothing,
}

#[derive(Debug)]
pub(crate) enum OperationStage {
    /// It has not taken effect.
    Started,
    /// It has taken effect, and its result has not arrived.
    Executed(ServiceResult),
    /// Its result never arrives.
    Silent,
}

impl InFlight {
    pub(crate) fn start(&mut self, operation: PendingOperation) {
        self.pending.push(Pending { operation, stage: OperationStage::Started });
    }

    /// Replaces the fill of a session.
    pub(crate) fn replace_fill(&mut self, session: SessionId, request: Option<FillRequest>) {
        self.pending.retain(|pending| {
            !matches!(
                pending.operation,
                PendingOperation::Fill { session: of, .. } if of == session
            )
        });
        if let Some(request) = request {
            self.start(PendingOperation::Fill { session, request });
        }
    }

    /// Drops a call to VOD.
    pub(crate) fn cancel_vod(&mut self, id: VodCallId) {
        self.pending.retain(|pending| pending.recipient() != Some(Recipient::QueueVod(id)));
    }

    /// Drops what waits for a session that has ended. Its writes and deletions continue.
    pub(crate) fn end_session(&mut self, ended: SessionId) {
        self.pending.retain(|pending| match &pending.operation {
            PendingOperation::Fill { session, .. } => *session != ended,
            PendingOperation::Call {
                call: ServiceCall::KvGet { .. },
                recipient: Recipient::SessionKv(session, _),
            } => *session != ended,
            _ => true,
        });
    }

    /// Drops requests of sessions to OSS. Those that have not taken effect may do so nevertheless,
    /// if `schedule` is given and decides so. Returns `true` if one of them creates a multipart
    /// upload.
    pub(crate) fn abort(
        &mut self,
        is_aborted: impl Fn(SessionId, CallId) -> bool,
        mut schedule: Option<&mut Schedule>,
    ) -> bool {
        let (aborted, left): (Vec<_>, _) =
            std::mem::take(&mut self.pending).into_iter().partition(|pending| {
                matches!(
                    pending.recipient(),
                    Some(Recipient::SessionCall(session, call)) if is_aborted(session, call)
                )
            });
        self.pending = left;
        let mut has_initiate = false;
        for pending in aborted {
            let PendingOperation::Call { call, .. } = pending.operation else { continue };
            has_initiate |= call.operation() == Some(Operation::Initiate);
            if matches!(pending.stage, OperationStage::Started)
                && schedule.as_mut().is_some_and(|schedule| schedule.chance(500))
            {
                self.aborted.push(call);
            }
        }
        has_initiate
    }

    /// Makes the calls that have not taken effect late writes, and drops everything else.
    pub(crate) fn crash(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            if let PendingOperation::Call { call, .. } = pending.operation
                && matches!(pending.stage, OperationStage::Started)
            {
                self.late_writes.push(call);
            }
        }
        self.late_writes.append(&mut self.aborted);
    }

    /// Calls that have not taken effect.
    pub(crate) fn started_calls(&self) -> impl Iterator<Item = &ServiceCall> {
        let started = self.pending.iter().filter_map(|pending| match pending {
            Pending {
                operation: PendingOperation::Call { call, .. },
                stage: OperationStage::Started,
            } => Some(call),
            _ => None,
        });
        started.chain(&self.late_writes)
    }
}

impl Pending {
    const fn recipient(&self) -> Option<Recipient> {
        match self.operation {
            PendingOperation::Call { recipient, .. } => Some(recipient),
            _ => None,
        }
    }

    /// The session that sends a part or an object.
    pub(crate) fn sending_session(&self) -> Option<SessionId> {
        match &self.operation {
            PendingOperation::Call {
                call: ServiceCall::Send { body: Some(_), .. },
                recipient: Recipient::SessionCall(session, _),
            } => Some(*session),
            _ => None,
        }
    }
}
