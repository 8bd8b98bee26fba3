//! The states of a file and of the queue, and which calls are allowed in each of them.
//!
//! Only this file decides which calls a state rejects: every call checks [`FileCall::answer`] or
//! [`QueueCall::answer`] first. A test compares the tables in ARCHITECTURE.md with [`file_table`]
//! and [`queue_table`], and another one tests every cell.

use crate::error::{Error, ErrorKind, Result};

/// The state of a file, with the names of the SDK.
#[derive(Clone, Debug, PartialEq)]
pub enum FileState {
    /// Waiting to become active.
    Ready,
    /// Active.
    Uploading(UploadingPhase),
    /// Completely uploaded.
    Success,
    /// Failed.
    Failure(Error),
    /// Canceled: no stored upload remains.
    Canceled,
    /// Stopped: the stored upload remains.
    Stopped,
}

/// The phase of an active file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UploadingPhase {
    /// Its records are being searched or written.
    Starting,
    /// Waiting for a credential.
    CredentialWanted,
    /// Waiting for a media id or a credential from VOD.
    MediaWanted,
    /// Waiting for its bytes.
    SourceWanted,
    /// Bytes are being sent, or the object is being completed.
    Transferring,
    /// Waiting for a new credential.
    TokenExpired,
    /// Being stopped.
    Stopping,
    /// Being canceled.
    Canceling,
}

/// The state of a queue, with the names of the SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueueState {
    /// Not started, or cleaned.
    Init,
    /// Running.
    Start,
    /// Running, and at least one file is waiting for a new credential.
    Expire,
    /// Stopped.
    Stop,
    /// Finished, and at least one file of the list has failed.
    Failure,
    /// Finished.
    End,
}

/// A call that concerns one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileCall {
    /// `delete-file`
    Delete,
    /// `cancel-file`
    Cancel,
    /// `resume-file`
    Resume,
    /// `get-checkpoint`
    Checkpoint,
    /// `clear-checkpoint`
    ClearCheckpoint,
    /// `set-upload-auth-and-address`
    SetAuthAndAddress,
    /// `resume-upload-with-auth`
    ResumeWithAuth,
    /// `set-sts-token`
    SetStsToken,
    /// `resume-upload-with-sts-token`
    ResumeWithStsToken,
    /// `set-sts-token-directly-upload`
    SetStsTokenDirectly,
    /// `supply-source`
    SupplySource,
}

/// A call that concerns the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueueCall {
    /// `add-file`
    AddFile,
    /// `list-files`
    ListFiles,
    /// `clean-list`
    CleanList,
    /// `start-upload`
    StartUpload,
    /// `stop-upload`
    StopUpload,
}

/// Whether a call is allowed in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Allowed: it takes effect.
    Taken,
    /// Allowed: it takes effect once the file is active.
    Kept,
    /// Allowed if the file's bytes are requested.
    IfWanted,
    /// Rejected without any effect.
    Refused,
}

impl FileCall {
    /// Every call that concerns one file.
    pub const ALL: [Self; 11] = [
        Self::Delete,
        Self::Cancel,
        Self::Resume,
        Self::Checkpoint,
        Self::ClearCheckpoint,
        Self::SetAuthAndAddress,
        Self::ResumeWithAuth,
        Self::SetStsToken,
        Self::ResumeWithStsToken,
        Self::SetStsTokenDirectly,
        Self::SupplySource,
    ];

    /// Returns whether this call is allowed for a file in `state`.
    #[must_use]
    pub const fn answer(self, state: &FileState) -> Answer {
        use Answer::{IfWanted, Kept, Refused, Taken};
        use FileState::{Canceled, Failure, Ready, Stopped, Success, Uploading};
        use UploadingPhase as Phase;
        match self {
            Self::Delete | Self::Checkpoint => Taken,
            Self::Cancel => match state {
                Success | Canceled | Uploading(Phase::Canceling) => Refused,
                _ => Taken,
            },
            Self::Resume => match state {
                Failure(_) | Canceled | Stopped => Taken,
                _ => Refused,
            },
            Self::ClearCheckpoint => match state {
                Ready | Failure(_) | Canceled | Stopped => Taken,
                Uploading(Phase::CredentialWanted | Phase::TokenExpired) => Taken,
                _ => Refused,
            },
            Self::SetAuthAndAddress
            | Self::ResumeWithAuth
            | Self::SetStsToken
            | Self::ResumeWithStsToken
            | Self::SetStsTokenDirectly => match state {
                Success | Canceled | Uploading(Phase::Canceling) => Refused,
                Ready | Failure(_) | Stopped => Kept,
                Uploading(Phase::Starting | Phase::Stopping) => Kept,
                _ => Taken,
            },
            Self::SupplySource => match state {
                Uploading(Phase::SourceWanted) => Taken,
                Uploading(Phase::TokenExpired) => IfWanted,
                _ => Refused,
            },
        }
    }

    pub(super) fn require(self, state: &FileState) -> Result<()> {
        if self.answer(state) != Answer::Refused {
            return Ok(());
        }
        let message = format!("{} means nothing while the file is {}", self.name(), state.name());
        Err(Error::new(ErrorKind::FileStateWrong, message))
    }

    /// Returns the name of the call in the WIT interface.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delete => "delete-file",
            Self::Cancel => "cancel-file",
            Self::Resume => "resume-file",
            Self::Checkpoint => "get-checkpoint",
            Self::ClearCheckpoint => "clear-checkpoint",
            Self::SetAuthAndAddress => "set-upload-auth-and-address",
            Self::ResumeWithAuth => "resume-upload-with-auth",
            Self::SetStsToken => "set-sts-token",
            Self::ResumeWithStsToken => "resume-upload-with-sts-token",
            Self::SetStsTokenDirectly => "set-sts-token-directly-upload",
            Self::SupplySource => "supply-source",
        }
    }
}

impl QueueCall {
    /// Every call that concerns the list.
    pub const ALL: [Self; 5] =
        [Self::AddFile, Self::ListFiles, Self::CleanList, Self::StartUpload, Self::StopUpload];

    /// Returns whether this call is allowed for a queue in `state`.
    #[must_use]
    pub const fn answer(self, state: QueueState) -> Answer {
        let runs = matches!(state, QueueState::Start | QueueState::Expire);
        match self {
            Self::AddFile | Self::ListFiles | Self::CleanList => Answer::Taken,
            Self::StartUpload if runs => Answer::Refused,
            Self::StopUpload if !runs => Answer::Refused,
            Self::StartUpload | Self::StopUpload => Answer::Taken,
        }
    }

    pub(super) fn require(self, state: QueueState) -> Result<()> {
        if self.answer(state) != Answer::Refused {
            return Ok(());
        }
        let message = format!("{} means nothing while the queue is {}", self.name(), state.name());
        Err(Error::new(ErrorKind::QueueStateWrong, message))
    }

    /// Returns the name of the call in the WIT interface.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddFile => "add-file",
            Self::ListFiles => "list-files",
            Self::CleanList => "clean-list",
            Self::StartUpload => "start-upload",
            Self::StopUpload => "stop-upload",
        }
    }
}

impl FileState {
    /// Returns one example of every state, in the order of the WIT interface.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        let phases = UploadingPhase::ALL.into_iter().map(Self::Uploading);
        let failure = Error::new(ErrorKind::StoreUnavailable, "an example");
        std::iter::once(Self::Ready)
            .chain(phases)
            .chain([Self::Success, Self::Failure(failure), Self::Canceled, Self::Stopped])
            .collect()
    }

    /// Returns the name of the state in the WIT interface; for an active file, that of its phase.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Uploading(phase) => phase.name(),
            Self::Success => "success",
            Self::Failure(_) => "failure",
            Self::Canceled => "canceled",
            Self::Stopped => "stopped",
        }
    }
}

impl UploadingPhase {
    /// Every phase, in the order of the WIT interface.
    pub const ALL: [Self; 8] = [
        Self::Starting,
        Self::CredentialWanted,
        Self::MediaWanted,
        Self::SourceWanted,
        Self::Transferring,
        Self::TokenExpired,
        Self::Stopping,
        Self::Canceling,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::CredentialWanted => "credential-wanted",
            Self::MediaWanted => "media-wanted",
            Self::SourceWanted => "source-wanted",
            Self::Transferring => "transferring",
            Self::TokenExpired => "token-expired",
            Self::Stopping => "stopping",
            Self::Canceling => "canceling",
        }
    }
}

impl QueueState {
    /// Every state, in the order of the WIT interface.
    pub const ALL: [Self; 6] =
        [Self::Init, Self::Start, Self::Expire, Self::Stop, Self::Failure, Self::End];

    /// Returns the name of the state in the WIT interface.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Start => "start",
            Self::Expire => "expire",
            Self::Stop => "stop",
            Self::Failure => "failure",
            Self::End => "end",
        }
    }
}

/// Returns a Markdown table of the states of a file (rows) and the calls that concern one.
#[must_use]
pub fn file_table() -> String {
    let names: Vec<_> = FileCall::ALL.iter().map(|call| call.name()).collect();
    let rows = FileState::examples()
        .into_iter()
        .map(|state| (state.name(), FileCall::ALL.map(|call| call.answer(&state)).to_vec()));
    table("file", &names, rows)
}

/// Returns a Markdown table of the states of a queue (rows) and the calls that concern the list.
#[must_use]
pub fn queue_table() -> String {
    let names: Vec<_> = QueueCall::ALL.iter().map(|call| call.name()).collect();
    let rows = QueueState::ALL
        .into_iter()
        .map(|state| (state.name(), QueueCall::ALL.map(|call| call.answer(state)).to_vec()));
    table("queue", &names, rows)
}

fn table<'a>(
    corner: &str,
    calls: &[&str],
    rows: impl Iterator<Item = (&'a str, Vec<Answer>)>,
) -> String {
    let mut table = format!("| {corner} | {} |\n", calls.join(" | "));
    table.push_str(&"|---".repeat(calls.len() + 1));
    table.push_str("|\n");
    for (state, answers) in rows {
        let cells: Vec<_> = answers
            .into_iter()
            .map(|answer| match answer {
                Answer::Taken => "yes",
                Answer::Kept => "kept",
                Answer::IfWanted => "if wanted",
                Answer::Refused => "no",
            })
            .collect();
        table.push_str(&format!("| {state} | {} |\n", cells.join(" | ")));
    }
    table
}
