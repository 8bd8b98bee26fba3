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

mod active_session;
mod context;
mod credentials;
mod driver_io;
mod entry_state;
mod event;
mod file_record;
mod file_timers;
mod fingerprint;
mod ids;
mod info;
mod list;
mod lookup;
mod new_file;
mod object_binding;
mod options;
mod queued_file;
mod records;
mod seeded_rng;
pub mod state;
mod validated_file;
mod vod_call;

pub use credentials::StsToken;
pub use driver_io::{Input, Output};
pub use event::{Event, Succeeded, TokenExpiry};
pub use file_record::FileRecord;
pub use fingerprint::FileFingerprint;
pub use ids::{FileId, KvId, SessionId, VodCallId};
pub use info::{FRACTION_INCOMPLETE_MAX, FileInfo, Progress};
pub use list::Queue;
pub use lookup::{CheckpointLookup, StoredFile, StoredUpload};
pub use new_file::{ContentSample, NAME_BYTES_MAX, NewFile, SAMPLE_BYTES};
pub use options::{
    CHECKPOINT_TTL_DEFAULT, Options, OptionsInput, PARALLEL_FILES_MAX, REGION_DEFAULT,
    RETRY_COUNT_DEFAULT, RETRY_DURATION_DEFAULT, TIMEOUT_DEFAULT, retry_policy, timeout,
    vod_endpoint,
};
pub use state::{FileState, QueueState, UploadingPhase};
