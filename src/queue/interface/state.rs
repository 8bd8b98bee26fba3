//! The states of a file and of the queue, and which calls are allowed in each of them.
//!
//! Only this file decides which calls a state rejects: every call checks [`FileCall::policy`] or
//! [`QueueCall::policy`] first. A test compares the tables in ARCHITECTURE.md with [`file_table`]
//! and [`queue_table`], and another one tests every cell.

use crate::error::{Error, ErrorKind, Result};

/// Defines an enum whose variants have names in the WIT interface.
macro_rules! named_enum {
    ($(#[doc = $doc:literal])+ $enum:ident {
        $($(#[doc = $variant_doc:literal])* $variant:ident = $name:literal,)+
    }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $enum {
            $($(#[doc = $variant_doc])* #[doc = concat!("`", $name, "`")] $variant,)+
        }

        impl $enum {
            /// Every value, in the order of the WIT interface.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// Returns the name in the WIT interface.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

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

named_enum! {
    /// The phase of an active file.
    UploadingPhase {
        /// Its records are being searched or written.
        Starting = "starting",
        /// Waiting for a credential.
        AwaitingCredential = "awaiting-credential",
        /// Waiting for a media ID or a credential from VOD.
        RequestingMedia = "requesting-media",
        /// Waiting for its bytes.
        AwaitingSource = "awaiting-source",
        /// Bytes are being sent, or the object is being completed.
        Transferring = "transferring",
        /// Waiting for a new credential.
        TokenExpired = "token-expired",
        /// Being stopped.
        Stopping = "stopping",
        /// Being canceled.
        Canceling = "canceling",
    }
}

named_enum! {
    /// The state of a queue, with the names of the SDK.
    QueueState {
        /// Not started, or cleaned.
        Init = "init",
        /// Running.
        Start = "start",
        /// Running, and at least one file is waiting for a new credential.
        Expire = "expire",
        /// Stopped.
        Stop = "stop",
        /// Finished, and at least one file of the list has failed.
        Failure = "failure",
        /// Finished.
        End = "end",
    }
}

named_enum! {
    /// A call that concerns one file.
    FileCall {
        Delete = "delete-file",
        Cancel = "cancel-file",
        Resume = "resume-file",
        Checkpoint = "get-checkpoint",
        ClearCheckpoint = "clear-checkpoint",
        SetAuthAndAddress = "set-upload-auth-and-address",
        ResumeWithAuth = "resume-upload-with-auth",
        SetStsToken = "set-sts-token",
        ResumeWithStsToken = "resume-upload-with-sts-token",
        SetStsTokenDirectly = "set-sts-token-directly-upload",
        SupplySource = "supply-source",
    }
}

named_enum! {
    /// A call that concerns the list.
    QueueCall {
        AddFile = "add-file",
        ListFiles = "list-files",
        CleanList = "clean-list",
        StartUpload = "start-upload",
        StopUpload = "stop-upload",
    }
}

/// Whether a call is allowed in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallPolicy {
    /// Allowed: it takes effect.
    Allowed,
    /// Allowed: it takes effect once the file is active.
    Deferred,
    /// Allowed if the file's bytes are requested.
    IfSourceRequested,
    /// Rejected without any effect.
    Rejected,
}

impl FileCall {
    /// Returns whether this call is allowed for a file in `state`.
    #[must_use]
    pub const fn policy(self, state: &FileState) -> CallPolicy {
        use CallPolicy::{Allowed, Deferred, IfSourceRequested, Rejected};
        use FileState::{Canceled, Failure, Ready, Stopped, Success, Uploading};
        use UploadingPhase as Phase;
        match self {
            Self::Delete | Self::Checkpoint => Allowed,
            Self::Cancel => match state {
                Success | Canceled | Uploading(Phase::Canceling) => Rejected,
                _ => Allowed,
            },
            Self::Resume => match state {
                Failure(_) | Canceled | Stopped => Allowed,
                _ => Rejected,
            },
            Self::ClearCheckpoint => match state {
                Ready | Failure(_) | Canceled | Stopped => Allowed,
                Uploading(Phase::AwaitingCredential | Phase::TokenExpired) => Allowed,
                _ => Rejected,
            },
            Self::SetAuthAndAddress
            | Self::ResumeWithAuth
            | Self::SetStsToken
            | Self::ResumeWithStsToken
            | Self::SetStsTokenDirectly => match state {
                Success | Canceled | Uploading(Phase::Canceling) => Rejected,
                Ready | Failure(_) | Stopped => Deferred,
                Uploading(Phase::Starting | Phase::Stopping) => Deferred,
                _ => Allowed,
            },
            Self::SupplySource => match state {
                Uploading(Phase::AwaitingSource) => Allowed,
                Uploading(Phase::TokenExpired) => IfSourceRequested,
                _ => Rejected,
            },
        }
    }

    pub(in crate::queue) fn require(self, state: &FileState) -> Result<()> {
        if self.policy(state) != CallPolicy::Rejected {
            return Ok(());
        }
        let message = format!("cannot call {} while the file is {}", self.name(), state.name());
        Err(Error::new(ErrorKind::FileStateWrong, message))
    }
}

impl QueueCall {
    /// Returns whether this call is allowed for a queue in `state`.
    #[must_use]
    pub const fn policy(self, state: QueueState) -> CallPolicy {
        let runs = matches!(state, QueueState::Start | QueueState::Expire);
        match self {
            Self::AddFile | Self::ListFiles | Self::CleanList => CallPolicy::Allowed,
            Self::StartUpload if runs => CallPolicy::Rejected,
            Self::StopUpload if !runs => CallPolicy::Rejected,
            Self::StartUpload | Self::StopUpload => CallPolicy::Allowed,
        }
    }

    pub(in crate::queue) fn require(self, state: QueueState) -> Result<()> {
        if self.policy(state) != CallPolicy::Rejected {
            return Ok(());
        }
        let message = format!("cannot call {} while the queue is {}", self.name(), state.name());
        Err(Error::new(ErrorKind::QueueStateWrong, message))
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

/// Returns a Markdown table of the states of a file (rows) and the calls that concern one.
#[must_use]
pub fn file_table() -> String {
    let names: Vec<_> = FileCall::ALL.iter().map(|call| call.name()).collect();
    let rows = FileState::examples()
        .into_iter()
        .map(|state| (state.name(), FileCall::ALL.map(|call| call.policy(&state)).to_vec()));
    table("file", &names, rows)
}

/// Returns a Markdown table of the states of a queue (rows) and the calls that concern the list.
#[must_use]
pub fn queue_table() -> String {
    let names: Vec<_> = QueueCall::ALL.iter().map(|call| call.name()).collect();
    let rows = QueueState::ALL
        .into_iter()
        .map(|state| (state.name(), QueueCall::ALL.map(|call| call.policy(state)).to_vec()));
    table("queue", &names, rows)
}

fn table<'a>(
    corner: &str,
    calls: &[&str],
    rows: impl Iterator<Item = (&'a str, Vec<CallPolicy>)>,
) -> String {
    let mut table = format!("| {corner} | {} |\n", calls.join(" | "));
    table.push_str(&"|---".repeat(calls.len() + 1));
    table.push_str("|\n");
    for (state, policies) in rows {
        let cells: Vec<_> = policies
            .into_iter()
            .map(|policy| match policy {
                CallPolicy::Allowed => "yes",
                CallPolicy::Deferred => "deferred",
                CallPolicy::IfSourceRequested => "if requested",
                CallPolicy::Rejected => "no",
            })
            .collect();
        table.push_str(&format!("| {state} | {} |\n", cells.join(" | ")));
    }
    table
}
