//! The internal state of a file, which is more detailed than its [`FileState`].

use crate::error::Error;
use crate::queue::interface::{FileState, UploadingPhase};
use crate::units::UnixMillis;

/// The internal state of a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum EntryState {
    Ready,
    /// The stored records are being searched.
    Starting,
    /// Waiting for a credential.
    AwaitingCredential,
    /// Waiting for VOD.
    RequestingMedia,
    /// The records of the upload are being written, or those of a previous one deleted.
    PreparingUpload,
    /// A session has failed; the next one starts at this time.
    RetryWait(UnixMillis),
    /// A session is running, or has ended and its records are being deleted.
    Transferring,
    /// Waiting for a new credential without a session.
    TokenExpired,
    Stopping {
        /// Whether the file becomes ready again once it has stopped.
        restart: bool,
    },
    Canceling,
    Success,
    Failure(Error),
    Canceled,
    Stopped,
}

impl EntryState {
    /// Returns the public state. `session_phase` is the phase of the running session, if any.
    pub(super) fn file_state(&self, session_phase: Option<UploadingPhase>) -> FileState {
        FileState::Uploading(match self {
            Self::Ready => return FileState::Ready,
            Self::Success => return FileState::Success,
            Self::Failure(error) => return FileState::Failure(error.clone()),
            Self::Canceled => return FileState::Canceled,
            Self::Stopped => return FileState::Stopped,
            Self::Starting | Self::PreparingUpload | Self::RetryWait(_) => UploadingPhase::Starting,
            Self::AwaitingCredential => UploadingPhase::AwaitingCredential,
            Self::RequestingMedia => UploadingPhase::RequestingMedia,
            Self::TokenExpired => UploadingPhase::TokenExpired,
            Self::Stopping { .. } => UploadingPhase::Stopping,
            Self::Canceling => UploadingPhase::Canceling,
            Self::Transferring => session_phase.unwrap_or(UploadingPhase::Transferring),
        })
    }

    pub(super) const fn is_active(&self) -> bool {
        !matches!(
            self,
            Self::Ready | Self::Success | Self::Failure(_) | Self::Canceled | Self::Stopped
        )
    }

    /// Returns when the next session starts, if the last one has failed.
    pub(super) const fn retry_at(&self) -> Option<UnixMillis> {
        match self {
            Self::RetryWait(at) => Some(*at),
            _ => None,
        }
    }

    /// Returns true if the object is known and its session has not started.
    pub(super) const fn is_preparing_upload(&self) -> bool {
        matches!(self, Self::PreparingUpload | Self::RetryWait(_))
    }

    /// Returns true if a supplied credential is used immediately, without a session.
    pub(super) const fn awaits_credential(&self) -> bool {
        matches!(self, Self::AwaitingCredential | Self::RequestingMedia | Self::TokenExpired)
    }
}
