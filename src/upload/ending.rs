//! The end of a session: its error and its outcome.

use super::checkpoint::CompletedObject;
use super::errors::misuse;
use super::output::SessionOutcome;
use super::state::State;
use crate::error::{Error, ErrorKind};
use crate::units::ByteCount;

/// The causes of a session's end.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// Why the session fails or rejects bytes.
    error: Option<Error>,
    /// Whether another writer has taken over the upload.
    is_fenced: bool,
    /// Why the end could not be stored.
    unstored_end: Option<Error>,
}

impl Ending {
    /// Records why the upload is lost, or why bytes are rejected.
    pub(super) fn record(&mut self, error: Error) {
        self.error = Some(error);
    }

    /// Records `error`, unless one is recorded already.
    pub(super) fn record_if_first(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }

    /// Records that the session fails in `state`. A terminal state remains, unless another writer
    /// takes over before the end is stored: then that writer reports the end. Returns whether
    /// checkpoints can no longer be written.
    pub(super) fn fail(&mut self, error: Error, state: State) -> bool {
        let is_fenced = error.kind() == ErrorKind::TakenOver;
        let has_no_records = matches!(
            error.kind(),
            ErrorKind::KeyValueUnavailable
                | ErrorKind::CheckpointCorrupt
                | ErrorKind::CheckpointNewer
        );
        self.is_fenced |= is_fenced;
        if is_fenced || !state.is_terminal() {
            self.error = Some(error);
        } else {
            self.unstored_end = Some(error);
        }
        is_fenced || has_no_records || state.is_terminal() || state == State::AcquiringLease
    }

    /// Returns why the end could not be stored, if it could not.
    pub(super) const fn unstored_end(&self) -> Option<&Error> {
        self.unstored_end.as_ref()
    }

    /// Returns the outcome of a session that has reached a terminal state.
    pub(super) fn outcome(
        &self,
        state: State,
        object: Option<&CompletedObject>,
        durable: ByteCount,
    ) -> SessionOutcome {
        let error = || self.error.clone().unwrap_or_else(|| misuse("no cause was recorded"));
        match (state, object) {
            _ if self.is_fenced => SessionOutcome::Failed { error: error(), durable },
            (State::Completed, Some(object)) => SessionOutcome::Completed(object.clone()),
            (State::Suspended, _) => {
                SessionOutcome::Suspended { durable, rejection: self.error.clone() }
            }
            (State::Aborted, _) => SessionOutcome::Aborted,
            (State::Lost, _) => SessionOutcome::Lost(error()),
            _ => SessionOutcome::Failed { error: error(), durable },
        }
    }
}
