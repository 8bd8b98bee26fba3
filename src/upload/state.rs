//! Every state of a writer's session, and every way from one to another.
//!
//! This file alone owns the transitions: the machine names a trigger, the table answers with the
//! next state, and a trigger that the table does not have is a defect, not a guess. The diagram in
//! ARCHITECTURE.md is printed from [`diagram`] and compared with it by a test.

use std::fmt::Write as _;

use crate::error::{Error, ErrorKind, Result};

/// Where one writer's session with an upload stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Reads the last checkpoint and takes the lease.
    Claiming,
    /// Compares the store's list of parts with the checkpoint of a writer that did not finish.
    Verifying,
    /// Takes bytes and sends parts.
    Receiving,
    /// The request has ended: waits for what is in flight and stores the rest.
    Draining,
    /// Asks the store to join the parts, or to take the single PutObject.
    Completing,
    /// Asks the store whether the object is whole, since an answer to Complete was lost.
    Settling,
    /// Asks the store to drop the parts.
    Aborting,
    /// The object is whole.
    Completed,
    /// The session has ended and the upload can be continued.
    Suspended,
    /// The upload was given up.
    Aborted,
    /// The upload cannot be continued.
    Lost,
    /// The session has ended with an error; the upload is as its last checkpoint says.
    Failed,
}

/// What makes a session go from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// The checkpoint was left at rest: its parts need no comparison.
    LoadedAtRest,
    /// The checkpoint's writer was cut off.
    LoadedUnfinished,
    /// The checkpoint says that Complete may have been sent.
    LoadedCompleting,
    /// The upload has already been completed.
    LoadedCompleted,
    /// The upload has already been aborted.
    LoadedAborted,
    /// The session's purpose is to abort.
    AbortWanted,
    /// The session's purpose is to hold the checkpoint, and no more.
    CheckpointKept,
    /// The store has what the checkpoint says, or may not be asked.
    PartsAgree,
    /// The request's bytes have ended.
    SourceEnded,
    /// Everything is stored, and more bytes are to come.
    StoredSoFar,
    /// Everything is stored, and no more bytes are to come.
    StoredAll,
    /// The store has confirmed the object.
    ObjectConfirmed,
    /// Whether the store has the object is not known.
    AnswerLost,
    /// The store does not have the object, but may still have the parts.
    ObjectAbsent,
    /// The store has forgotten the upload and the source can start over.
    StartOver,
    /// The store has forgotten the upload, or holds something else.
    Forgotten,
    /// The store has dropped the parts.
    PartsDropped,
    /// An error that the session cannot get over.
    Failure,
}

use State::{
    Aborted, Aborting, Claiming, Completed, Completing, Draining, Failed, Lost, Receiving,
    Settling, Suspended, Verifying,
};
use Trigger as T;

/// Every transition there is.
pub const TRANSITIONS: &[(State, Trigger, State)] = &[
    (Claiming, T::LoadedAtRest, Receiving),
    (Claiming, T::LoadedUnfinished, Verifying),
    (Claiming, T::LoadedCompleting, Settling),
    (Claiming, T::LoadedCompleted, Completed),
    (Claiming, T::LoadedAborted, Aborted),
    (Claiming, T::AbortWanted, Aborting),
    (Claiming, T::CheckpointKept, Suspended),
    (Claiming, T::Forgotten, Lost),
    (Claiming, T::Failure, Failed),
    (Verifying, T::PartsAgree, Receiving),
    (Verifying, T::StartOver, Receiving),
    (Verifying, T::Forgotten, Lost),
    (Verifying, T::Failure, Failed),
    (Receiving, T::SourceEnded, Draining),
    (Receiving, T::StartOver, Receiving),
    (Receiving, T::Forgotten, Lost),
    (Receiving, T::Failure, Failed),
    (Draining, T::StoredSoFar, Suspended),
    (Draining, T::StoredAll, Completing),
    (Draining, T::StartOver, Receiving),
    (Draining, T::Forgotten, Lost),
    (Draining, T::Failure, Failed),
    (Completing, T::ObjectConfirmed, Completed),
    (Completing, T::AnswerLost, Settling),
    (Completing, T::Forgotten, Lost),
    (Completing, T::Failure, Failed),
    (Settling, T::ObjectConfirmed, Completed),
    (Settling, T::ObjectAbsent, Completing),
    (Settling, T::AbortWanted, Aborting),
    (Settling, T::StartOver, Receiving),
    (Settling, T::Forgotten, Lost),
    (Settling, T::Failure, Failed),
    (Aborting, T::PartsDropped, Aborted),
    (Aborting, T::Failure, Failed),
];

impl State {
    /// The state after `trigger`.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where the table has no such transition.
    pub fn after(self, trigger: Trigger) -> Result<Self> {
        TRANSITIONS
            .iter()
            .find(|(from, by, _)| *from == self && *by == trigger)
            .map(|(_, _, to)| *to)
            .ok_or_else(|| {
                let message = format!("no transition from {self:?} by {trigger:?}");
                Error::new(ErrorKind::Internal, message)
            })
    }

    /// True where the session is over.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Completed | Suspended | Aborted | Lost | Failed)
    }
}

/// The table as a Mermaid state diagram (<https://mermaid.js.org/syntax/stateDiagram.html>).
#[must_use]
pub fn diagram() -> String {
    let mut text = String::from("stateDiagram-v2\n    [*] --> Claiming\n");
    for (from, trigger, to) in TRANSITIONS {
        let _ = writeln!(text, "    {from:?} --> {to:?}: {trigger:?}");
    }
    for terminal in [Completed, Suspended, Aborted, Lost, Failed] {
        let _ = writeln!(text, "    {terminal:?} --> [*]");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_state_and_a_trigger_lead_to_one_state_only() {
        let pairs: HashSet<_> = TRANSITIONS.iter().map(|(from, by, _)| (from, by)).collect();
        assert_eq!(pairs.len(), TRANSITIONS.len());
    }

    #[test]
    fn no_transition_leaves_a_terminal_state_and_every_other_state_can_fail() {
        for (from, _, _) in TRANSITIONS {
            assert!(!from.is_terminal());
            assert!(from.after(Trigger::Failure) == Ok(Failed));
        }
    }

    #[test]
    fn every_state_is_reached_from_claiming() {
        let mut reached = HashSet::from([Claiming]);
        for _ in TRANSITIONS {
            for (from, _, to) in TRANSITIONS {
                if reached.contains(from) {
                    reached.insert(*to);
                }
            }
        }
        assert_eq!(reached.len(), 12);
    }

    #[test]
    fn a_trigger_that_the_table_does_not_have_is_an_error() {
        let error = Completed.after(Trigger::SourceEnded);
        assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::Internal));
    }
}
