//! A list of files and the run that uploads them: the SDK's queue, over sessions of
//! [`crate::upload`].
//!
//! # Driver loop
//!
//! A [`Queue`] is sans-I/O: it performs no I/O, reads no clock and generates no randomness. Its
//! driver does, in this loop:
//!
//! 1. Change the queue: with one call (`add_file`, `start_upload`, …), or with [`Queue::handle`]
//!    for a result. Each takes the current time.
//! 2. **Drain**: call [`Queue::poll`] until it returns `None`, and start each [`Output`] without
//!    waiting for it. Take events with [`Queue::poll_event`] whenever there is a reader.
//! 3. For each running session (see [`Output::SessionStarted`]): if [`Queue::pending_fill`] returns
//!    a request and no other fill of this session is open, start to fill a buffer from the source
//!    that [`Queue::supply_source`] accepted, as [`crate::upload`] specifies. Without a source, the
//!    fill waits.
//! 4. Wait for a call, the result of an output, the end of a fill, or [`Queue::next_wakeup`], and
//!    continue with 1.
//!
//! A [`SessionId`] identifies one session of [`crate::upload`] for a file. Results for a session
//! that has ended or was dropped are ignored.

mod context;
mod file;
mod interface;
mod list;
mod records;

pub use file::StsToken;
pub use interface::{
    ContentSample, Event, FileId, FileInfo, FileState, Input, KvId, NewFile, Options, OptionsInput,
    Output, Progress, QueueState, REGION_DEFAULT, SAMPLE_BYTES, SessionId, Succeeded, TokenExpiry,
    UploadingPhase, VodCallId, retry_policy, state, timeout, vod_endpoint,
};
pub use list::Queue;
pub use records::{CheckpointLookup, FileFingerprint, FileRecord, StoredFile, StoredUpload};
