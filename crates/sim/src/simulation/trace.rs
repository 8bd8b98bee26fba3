//! What happens, told to people.

use super::{Completion, PendingOperation, START, Simulation};
use crate::Operation;
use crate::operation::query;

impl Simulation {
    /// Tells what happens, where that is wanted.
    pub(crate) fn write_trace(&self, line: impl FnOnce() -> String) {
        if self.narrates {
            eprintln!("{:>9} ms  {}", self.now.0 - START.0, line());
        }
    }
}

impl PendingOperation {
    /// What it is, for people.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::KvGet { key, .. } => format!("read {key}"),
            Self::KvSet { key, .. } => format!("write {key}"),
            Self::KvDelete { key, .. } => format!("delete {key}"),
            Self::Vod { request, .. } => format!("VOD {:?}", request.method),
            Self::TurnKvGet { session, key, .. } => format!("session {} reads {key}", session.0),
            Self::TurnKvSet { session, key, .. } => format!("session {} writes {key}", session.0),
            Self::TurnKvDelete { key } => format!("delete {key} without an answer"),
            Self::Call { session, request, .. } => {
                let query = query(request);
                let part = query.get("partNumber").map_or("", String::as_str);
                format!("session {} {:?} {part}", session.0, Operation::of(request))
            }
            Self::Fill { session, .. } => format!("session {} fills", session.0),
            Self::App(event) => format!("app reads {event:?}"),
        }
    }
}

pub(super) fn outcome(answer: Option<&Completion>) -> String {
    match answer {
        None => "no answer".into(),
        Some(Completion::Kv(Ok(value))) => format!("{} bytes", value.as_ref().map_or(0, Vec::len)),
        Some(Completion::Call(Ok(reply))) => format!("{}", reply.status),
        Some(Completion::Kv(Err(error)) | Completion::Call(Err(error))) => error.clone(),
    }
}
