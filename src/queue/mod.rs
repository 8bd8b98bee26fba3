//! A list of files and the run of their uploads: the SDK's queue, over [`crate::upload`].
//!
//! # The loop
//!
//! A [`Queue`] reads no clock, rolls no dice and does no I/O; its driver does, by this contract:
//!
//! 1. Make a change: one call (`add_file`, `start_upload`, …), or [`Queue::handle`] with what has
//!    come in. Each takes the present instant.
//! 2. **Drain**: call [`Queue::poll`] until it returns `None`, and begin each [`Output`] without
//!    waiting for it; and take the events with [`Queue::poll_event`] whenever there is a reader.
//! 3. For each turn that has begun (see [`Output::TurnBegun`]): where [`Queue::wants`] returns a
//!    want and no other fill of this turn is open, begin to fill a buffer from what
//!    [`Queue::supply_source`] has brought, as [`crate::upload`] says. A fill waits where nothing
//!    has been brought.
//! 4. Wait for a call, an answer to an output, the end of a fill, or [`Queue::next_wakeup`], and go
//!    to 1.
//!
//! A *turn* is one session of [`crate::upload`] on behalf of a file. Answers to a turn that has
//! ended or was dropped may still come, and are taken for nothing.

mod closing;
mod context;
mod credentials;
mod driver_io;
mod entry;
mod event;
mod file_record;
mod identity;
mod ids;
mod info;
mod job;
mod list;
mod lookup;
mod new_file;
mod options;
mod seeded_rng;
mod start;
pub mod state;
mod turn;
mod turn_end;
mod validated_file;
mod vod_call;

pub use credentials::StsToken;
pub use driver_io::{Input, Output};
pub use event::{Event, Succeeded, TokenExpiry};
pub use file_record::FileRecord;
pub use identity::FileIdentity;
pub use ids::{FileId, KvId, TurnId, VodCallId};
pub use info::{FRACTION_UNFINISHED_MAX, FileInfo, Progress};
pub use list::Queue;
pub use lookup::{CheckpointLookup, Stored, StoredUpload};
pub use new_file::{EDGE_BYTES, Edges, NAME_BYTES_MAX, NewFile};
pub use options::{
    CHECKPOINT_LIFE_DEFAULT, Options, OptionsInput, PARALLEL_FILES_MAX, REGION_DEFAULT,
    RETRY_COUNT_DEFAULT, RETRY_DURATION_DEFAULT, TIMEOUT_DEFAULT, retry_policy, timeout,
    vod_endpoint,
};
pub use state::{FileState, QueueState, UploadingPhase};
