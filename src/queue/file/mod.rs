//! One file of the list. [`QueuedFile`] coordinates the state machines of the other modules.

mod active_session;
mod credential_check;
mod credential_source;
mod credentials;
mod entry_state;
mod object_binding;
mod queued_file;
mod sts_token;
mod transfer_progress;
mod validated_file;
mod vod_call;

pub(super) use credential_check::CredentialCheck;
pub(super) use credential_source::PendingCredential;
pub(super) use queued_file::QueuedFile;
pub use sts_token::StsToken;
pub(super) use validated_file::ValidatedFile;
