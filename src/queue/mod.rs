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
mod credentials;
mod entropy;
mod entry;
mod event;
mod file;
mod file_record;
mod identity;
mod info;
mod job;
mod list;
mod lookup;
mod options;
mod shared;
mod start;
pub mod state;
mod turn;
mod turn_end;
mod vod_call;

pub use credentials::StsToken;
pub use event::{Event, Succeeded, TokenExpiry};
pub use file::{NAME_BYTES_MAX, NewFile};
pub use file_record::FileRecord;
pub use identity::{EDGE_BYTES, Edges, FileIdentity};
pub use info::{FRACTION_UNFINISHED_MAX, FileInfo, Progress};
pub use list::Queue;
pub use lookup::{CheckpointLookup, Stored, StoredUpload};
pub use options::{
    CHECKPOINT_LIFE_DEFAULT, Options, OptionsInput, PARALLEL_FILES_MAX, REGION_DEFAULT,
    RETRY_COUNT_DEFAULT, RETRY_DURATION_DEFAULT, TIMEOUT_DEFAULT, retry_policy, timeout,
    vod_endpoint,
};
pub use state::{FileState, QueueState, UploadingPhase};

use crate::error::Result;
use crate::oss::{Reply, Request};
use crate::units::ByteCount;
use crate::upload;

/// Names a file of one queue; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u64);

/// Names one turn at a file's upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TurnId(pub u64);

/// Names one operation of the queue itself on the key-value store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KvId(pub u64);

/// Names one request to VOD.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VodCallId(pub u64);

/// What a queue wants done.
#[derive(Debug)]
pub enum Output {
    /// Read a key.
    KvGet {
        /// To be named in [`Input::Kv`].
        id: KvId,
        /// The key.
        key: String,
    },
    /// Write a key, durably.
    KvSet {
        /// To be named in [`Input::Kv`].
        id: KvId,
        /// The key.
        key: String,
        /// The value.
        value: Vec<u8>,
    },
    /// Delete a key.
    KvDelete {
        /// To be named in [`Input::Kv`].
        id: KvId,
        /// The key.
        key: String,
    },
    /// Send a signed request to VOD.
    CallVod {
        /// To be named in [`Input::VodReplied`].
        id: VodCallId,
        /// The request. Its Debug output is redacted.
        request: Box<Request>,
    },
    /// Cut a request to VOD off.
    CancelVod {
        /// Which one.
        id: VodCallId,
    },
    /// A turn begins: it may want bytes.
    TurnBegun {
        /// Which one.
        turn: TurnId,
        /// Whose.
        file: FileId,
        /// The file's size, where it is known.
        size: Option<ByteCount>,
    },
    /// What the turn's session wants done. After its [`upload::Event::Ended`] the turn is over.
    Turn {
        /// Which turn.
        turn: TurnId,
        /// What it wants.
        output: upload::Output,
    },
    /// The turn is over at once: its requests are cut off; writes that were begun go on.
    TurnDropped {
        /// Which one.
        turn: TurnId,
    },
}

/// What the driver tells a queue.
#[derive(Debug)]
pub enum Input {
    /// Time has passed: [`Queue::next_wakeup`] is due.
    Tick,
    /// A key-value operation has ended; a read gives the value, or `None` where there is none.
    Kv {
        /// Which one.
        id: KvId,
        /// The value read, or the error's text.
        result: Result<Option<Vec<u8>>, String>,
    },
    /// VOD has answered, or could not be asked.
    VodReplied {
        /// Which request.
        id: VodCallId,
        /// The reply, or why there is none: [`ErrorKind::VodUnavailable`](crate::ErrorKind) is
        /// tried again, another kind is not.
        result: Result<Reply>,
    },
    /// What a turn's session is told.
    Turn {
        /// Which turn.
        turn: TurnId,
        /// What it is told.
        input: upload::Input,
    },
    /// What was supplied for a file of known size has ended before the file's end: the open fill
    /// waits for more.
    SourceEnded {
        /// Which turn.
        turn: TurnId,
        /// At which offset.
        offset: ByteCount,
    },
    /// What was supplied broke off, by its supplier's own word.
    SourceBroken {
        /// Which turn.
        turn: TurnId,
        /// Why, in the supplier's words.
        reason: String,
    },
}
