//! The states of a session, and all transitions between them.
//!
//! Only this file defines transitions: the session applies a trigger and the table has the next
//! state. A trigger that is not in the table is a defect. A test compares the diagram in
//! ARCHITECTURE.md with [`diagram`].

use std::fmt::Write as _;

use crate::error::{Error, ErrorKind, Result};

/// The state of one writer's session with an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Acquires the lease and reads the last checkpoint.
    AcquiringLease,
    /// Compares the store's list of parts with the checkpoint of an interrupted writer.
    Verifying,
    /// Accepts bytes and sends parts.
    Receiving,
    /// The request has ended: waits for parts in flight and stores the remainder.
    Draining,
    /// Sends CompleteMultipartUpload, or a single PutObject.
    Completing,
    /// Sends HeadObject, because the response to CompleteMultipartUpload was lost.
    Reconciling,
    /// Sends AbortMultipartUpload.
    Aborting,
    /// The object is complete.
    Completed,
    /// The session has ended and the upload can be continued.
    Suspended,
    /// The upload was aborted.
    Aborted,
    /// The upload cannot be continued.
    Lost,
    /// The session has failed; the last checkpoint has the upload's state.
    Failed,
}

/// The cause of a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Trigger {
    /// The last writer left nothing in flight: its parts need no comparison.
    LoadedClean,
    /// The last writer was interrupted.
    LoadedDirty,
    /// CompleteMultipartUpload may have been sent.
    LoadedCompleting,
    /// The upload has already been completed.
    LoadedCompleted,
    /// The upload has already been aborted.
    LoadedAborted,
    /// The session's purpose is to abort.
    AbortRequested,
    /// The session's only purpose is to adopt the checkpoint.
    CheckpointAdopted,
    /// The store has the recorded parts, or the credential may not list them.
    PartsMatch,
    /// The request's bytes have ended.
    SourceEnded,
    /// The request is stored, and the file is incomplete.
    RequestStored,
    /// All bytes of the file are stored.
    FileStored,
    /// The store has confirmed the object.
    ObjectConfirmed,
    /// Whether the store has the object is unknown.
    ResponseLost,
    /// The store does not have the object, but may still have the parts.
    ObjectMissing,
    /// The store no longer has the upload, and the source can be read again.
    Restart,
    /// The store no longer has the upload, or has other bytes.
    UploadMissing,
    /// The multipart upload is aborted.
    MultipartAborted,
    /// An error that the session cannot recover from.
    Failure,
}

use State::{
    Aborted, Aborting, AcquiringLease, Completed, Completing, Draining, Failed, Lost, Receiving,
    Reconciling, Suspended, Verifying,
};
use Trigger as T;

/// All transitions.
const TRANSITIONS: &[(State, Trigger, State)] = &[
    (AcquiringLease, T::LoadedClean, Receiving),
    (AcquiringLease, T::LoadedDirty, Verifying),
    (AcquiringLease, T::LoadedCompleting, Reconciling),
    (AcquiringLease, T::LoadedCompleted, Completed),
    (AcquiringLease, T::LoadedAborted, Aborted),
    (AcquiringLease, T::AbortRequested, Aborting),
    (AcquiringLease, T::CheckpointAdopted, Suspended),
    (AcquiringLease, T::UploadMissing, Lost),
    (AcquiringLease, T::Failure, Failed),
    (Verifying, T::PartsMatch, Receiving),
    (Verifying, T::Restart, Receiving),
    (Verifying, T::UploadMissing, Lost),
    (Verifying, T::Failure, Failed),
    (Receiving, T::SourceEnded, Draining),
    (Receiving, T::Restart, Receiving),
    (Receiving, T::UploadMissing, Lost),
    (Receiving, T::Failure, Failed),
    (Draining, T::RequestStored, Suspended),
    (Draining, T::FileStored, Completing),
    (Draining, T::Restart, Receiving),
    (Draining, T::UploadMissing, Lost),
    (Draining, T::Failure, Failed),
    (Completing, T::ObjectConfirmed, Completed),
    (Completing, T::ResponseLost, Reconciling),
    (Completing, T::UploadMissing, Lost),
    (Completing, T::Failure, Failed),
    (Reconciling, T::ObjectConfirmed, Completed),
    (Reconciling, T::ObjectMissing, Completing),
    (Reconciling, T::AbortRequested, Aborting),
    (Reconciling, T::Restart, Receiving),
    (Reconciling, T::UploadMissing, Lost),
    (Reconciling, T::Failure, Failed),
    (Aborting, T::MultipartAborted, Aborted),
    (Aborting, T::Failure, Failed),
];

impl State {
    /// Returns the state after `trigger`.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Internal`] if the table has no such transition.
    pub(super) fn after(self, trigger: Trigger) -> Result<Self> {
        TRANSITIONS
            .iter()
            .find(|(from, by, _)| *from == self && *by == trigger)
            .map(|(_, _, to)| *to)
            .ok_or_else(|| {
                let message = format!("no transition from {self:?} by {trigger:?}");
                Error::new(ErrorKind::Internal, message)
            })
    }

    /// Returns true if the session has finished.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Completed | Suspended | Aborted | Lost | Failed)
    }
}

/// Returns the table as a Mermaid state diagram
/// (<https://mermaid.js.org/syntax/stateDiagram.html>).
#[must_use]
pub fn diagram() -> String {
    let mut text = String::from("stateDiagram-v2\n    [*] --> AcquiringLease\n");
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
    fn a_state_and_a_trigger_have_at_most_one_transition() {
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
    fn every_state_is_reachable_from_the_first_one() {
        let mut reached = HashSet::from([AcquiringLease]);
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
