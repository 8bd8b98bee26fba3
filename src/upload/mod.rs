//! One upload: the bytes of a source become an object on the store, part by part, across requests,
//! crashes and lost responses.
//!
//! # The loop
//!
//! A [`Session`] is one writer's turn at an upload. It reads no clock, rolls no dice and does no
//! I/O; its driver does, by this contract:
//!
//! 1. [`Session::new`], then **drain**: call [`Session::poll`] until it returns `None`, and begin
//!    each [`Output`] without waiting for it.
//! 2. If [`Session::wants`] returns a [`Want`] and no other fill is open, begin to fill a buffer
//!    from the source. A streamed want is announced with [`Input::StreamOpened`] first, and its
//!    bytes go straight into the request that [`Output::Send`] then names.
//! 3. Wait for whichever comes first: an answer to an output, the end of the fill, or
//!    [`Session::next_wakeup`].
//! 4. [`Session::handle`] it with the present instant, and go to 1.
//! 5. Stop a fill that [`Session::wants`] no longer names; its end is taken for nothing.
//! 6. An [`Event::Ended`] is the last output: the session takes nothing after it. Every buffer and
//!    every answer still to come can be dropped; writes and deletions that were begun go on.
//!
//! # What is acknowledged
//!
//! A byte is acknowledged ([`Event::Durable`]) when it is in a part that the store has confirmed,
//! or in the stored tail, *and* the checkpoint that says so is written, *and* the lease read after
//! that still names this writer. An acknowledged offset never goes back, but for
//! [`Event::Rewind`], which only a driver sees that has asked for it.
//!
//! Of an atomic request ([`Receive::atomic`]) nothing is acknowledged, nor noted as the upload's,
//! before the request has ended as it should.
//!
//! # Joins
//!
//! A [`Purpose::Join`] makes its object of other objects, most of whose bytes are copied on the
//! store. The driver reads the rest of them: one source of all [`reads`] from the offset of
//! [`Event::Ready`] on, one after the other, of which the wants are filled like any other.

mod acquire_lease;
mod checkpoint;
mod checkpoint_writer;
mod completion;
mod concat_plan;
mod concat_session;
mod credential_state;
pub mod election;
mod ending;
mod errors;
mod fills;
mod ids;
mod input;
mod lease;
mod operation;
mod options;
mod output;
mod output_queue;
mod parts;
mod plan;
pub(crate) mod record;
mod recorded_parts;
mod records;
mod retry;
mod search;
mod session;
mod source;
pub mod state;
mod store_calls;
mod transfer;
mod upload_record;

pub use checkpoint::{
    Checkpoint, EtagPage, FinishedObject, FinishedPart, PAGE_NUMBERS, PageRef, Phase, Tail,
};
pub use concat_plan::{JoinSource, Piece, ReadRange, pieces, reads};
pub use ids::{CallId, FillId, KvId};
pub use input::{Input, SourceEnd};
pub use lease::{Lease, Turn};
pub use options::{Claim, Purpose, Receive, SessionOptions};
pub use output::{Event, Outcome, Output, Value, Want};
pub use plan::{NextPart, PARALLEL_MAX, Plan};
pub use record::{RecordKind, VERSION as RECORD_VERSION};
pub use records::{RecordDeletion, RecordWrite, UploadKey};
pub use retry::{Attempts, Jitter, RetryPolicy};
pub use search::CheckpointSearch;
pub use session::Session;
pub use store_calls::COMPLETE_TIMEOUT_FACTOR;
pub use upload_record::{Role, Target, UploadRecord};
