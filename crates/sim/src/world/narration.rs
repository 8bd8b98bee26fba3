//! What happens, told to people.

use super::{Answer, Begun, START, World};
use crate::Operation;
use crate::operation::query;

impl World {
    /// Tells what happens, where that is wanted.
    pub(crate) fn tell_story(&self, line: impl FnOnce() -> String) {
        if self.narrates {
            eprintln!("{:>9} ms  {}", self.now.0 - START.0, line());
        }
    }
}

impl Begun {
    /// What it is, for people.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::KvGet { key, .. } => format!("read {key}"),
            Self::KvSet { key, .. } => format!("write {key}"),
            Self::KvDelete { key, .. } => format!("delete {key}"),
            Self::Vod { request, .. } => format!("VOD {:?}", request.method),
            Self::TurnKvGet { turn, key, .. } => format!("turn {} reads {key}", turn.0),
            Self::TurnKvSet { turn, key, .. } => format!("turn {} writes {key}", turn.0),
            Self::TurnKvDelete { key } => format!("delete {key} without an answer"),
            Self::Call { turn, request, .. } => {
                let query = query(request);
                let part = query.get("partNumber").map_or("", String::as_str);
                format!("turn {} {:?} {part}", turn.0, Operation::of(request))
            }
            Self::Fill { turn, .. } => format!("turn {} fills", turn.0),
            Self::App(event) => format!("app reads {event:?}"),
        }
    }
}

pub(super) fn outcome(answer: Option<&Answer>) -> String {
    match answer {
        None => "no answer".into(),
        Some(Answer::Kv(Ok(value))) => format!("{} bytes", value.as_ref().map_or(0, Vec::len)),
        Some(Answer::Call(Ok(reply))) => format!("{}", reply.status),
        Some(Answer::Kv(Err(error)) | Answer::Call(Err(error))) => error.clone(),
    }
}
