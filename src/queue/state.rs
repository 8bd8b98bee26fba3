//! The states of a file and of the queue, and which call each of them takes.
//!
//! This file alone says what is refused for a state: every call asks [`FileCall::answer`] or
//! [`QueueCall::answer`] first. The tables in ARCHITECTURE.md are printed from [`file_table`] and
//! [`queue_table`] and compared with them by a test; another goes over every cell.

use crate::error::{Error, ErrorKind, Result};

/// Where a file stands. The names are the SDK's.
#[derive(Clone, Debug, PartialEq)]
pub enum FileState {
    /// Waits for its turn.
    Ready,
    /// Has its turn.
    Uploading(UploadingPhase),
    /// Is uploaded whole.
    Success,
    /// Could not be uploaded.
    Failure(Error),
    /// Was canceled: nothing of it is kept.
    Canceled,
    /// Was stopped: everything that was stored is kept.
    Stopped,
}

/// What a file that has its turn is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UploadingPhase {
    /// Its checkpoint is being looked for, or its records are being written.
    Starting,
    /// Waits for a credential.
    CredentialWanted,
    /// VOD is being asked for a media id or for a credential.
    MediaWanted,
    /// Waits for its bytes.
    SourceWanted,
    /// Bytes are on their way, or the object is being completed.
    Transferring,
    /// Waits for a new credential.
    TokenExpired,
    /// Is being stopped.
    Stopping,
    /// Is being canceled.
    Canceling,
}

/// Where the queue stands. The names are the SDK's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueueState {
    /// Has not been started, or was cleaned.
    Init,
    /// Gives the files their turns.
    Start,
    /// As `Start`, and at least one file waits for a new credential.
    Expire,
    /// Was stopped.
    Stop,
    /// Has come to its end, and at least one file of the list has failed.
    Failure,
    /// Has come to its end.
    End,
}

/// A call that names a file.
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

/// A call that concerns the whole list.
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

/// What a state says to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Taken: it has its effect, or begins to.
    Taken,
    /// Taken, and kept for the file's turn.
    Kept,
    /// Taken where the file's bytes are wanted, else refused.
    IfWanted,
    /// Refused, and nothing is changed.
    Refused,
}

impl FileCall {
    /// Every call that names a file.
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

    /// What a file in `state` says to this call.
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

    /// The call's name in the interface.
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

    /// What a queue in `state` says to this call.
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

    /// The call's name in the interface.
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
    /// One of every state, in the order of the interface.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        let phases = UploadingPhase::ALL.into_iter().map(Self::Uploading);
        let failure = Error::new(ErrorKind::StoreUnavailable, "an example");
        std::iter::once(Self::Ready)
            .chain(phases)
            .chain([Self::Success, Self::Failure(failure), Self::Canceled, Self::Stopped])
            .collect()
    }

    /// The state's name in the interface: that of the phase, for a file that has its turn.
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
    /// Every phase, in the order of the interface.
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
    /// Every state, in the order of the interface.
    pub const ALL: [Self; 6] =
        [Self::Init, Self::Start, Self::Expire, Self::Stop, Self::Failure, Self::End];

    /// The state's name in the interface.
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

/// The states of a file and the calls that name one, as a table in Markdown: a row a state.
#[must_use]
pub fn file_table() -> String {
    let names: Vec<_> = FileCall::ALL.iter().map(|call| call.name()).collect();
    let rows = FileState::examples()
        .into_iter()
        .map(|state| (state.name(), FileCall::ALL.map(|call| call.answer(&state)).to_vec()));
    table("file", &names, rows)
}

/// The states of the queue and the calls that concern the list, as a table in Markdown.
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
