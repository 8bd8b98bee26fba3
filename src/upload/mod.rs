//! One upload: the bytes of a source become an object on the store, part by part, across requests,
//! crashes and lost responses.
//!
//! # The loop
//!
//! A [`Session`] is one writer's session with an upload. It performs no I/O, reads no clock and
//! generates no randomness; its driver does, by this contract:
//!
//! 1. Call [`Session::new`], then **drain**: call [`Session::poll`] until it returns `None`, and
//!    start each [`Output`] without waiting for its result.
//! 2. If [`Session::pending_fill`] returns a [`FillRequest`] and no other fill is open, start to
//!    fill a buffer from the source. If it is to be streamed, pass [`Input::StreamOpened`] first,
//!    and stream its bytes into the request of the [`Output::Send`] with this fill.
//! 3. Wait for whichever comes first: the result of an output, the end of the fill, or
//!    [`Session::next_wakeup`].
//! 4. Pass it to [`Session::handle`] with the current instant, and continue with 1.
//! 5. Stop a fill that [`Session::pending_fill`] no longer returns; its result is ignored.
//! 6. [`Event::SessionEnded`] is the last output: the session accepts no input after it. Drop all
//!    buffers and all outstanding results; writes and deletions that were started continue.
//!
//! # What is acknowledged
//!
//! A byte is acknowledged ([`Event::Durable`]) if all of this holds:
//!
//! - It is in a part that the store has confirmed, or in the stored tail.
//! - The checkpoint that records this is written.
//! - After that, no other writer has competed for the next epoch, and the lease is not that of a
//!   later writer.
//!
//! An acknowledged offset never decreases, except by [`Event::RestartSource`], which is reported
//! only to a driver that allows it. No byte of an atomic request ([`ReceiveOptions::atomic`]) is
//! acknowledged or recorded before the request has ended normally.
//!
//! # Concatenation
//!
//! [`Purpose::Concatenate`] creates an object from other objects, most of whose bytes are copied on
//! the store. The driver reads the remaining bytes: its source consists of all ranges in
//! [`ranges_to_read`], one after the other, from the offset of [`Event::Receiving`].
//!
//! # State machines
//!
//! A session consists of state machines. Each owns its state and returns to the session what
//! follows from a result; the session applies the transition.
//!
//! | state machine | subject |
//! |---|---|
//! | `Opening` | what to do, given the purpose and the last checkpoint |
//! | `AcquireLease` | the lease, the last checkpoint and its tail; an [`election`] for each epoch |
//! | `RecordedParts` | the ETags of earlier parts, compared with the store's list |
//! | `Pipeline` | the bytes, from the `Transfer` to the `CheckpointWriter` |
//! | `Transfer` | from the `Source` by `Fills` to `Parts`, or by a `Concatenation` |
//! | `CheckpointWriter` | the next checkpoint, and its acknowledgment |
//! | `SessionIo` | operations in progress and outputs |
//! | `KvCalls` | key-value operations and their repetition |
//! | `StoreCalls` | signed requests, retries and deadlines; the `CredentialState` |
//! | `Completion` | the object's completion, reconciliation and abort |
//! | `Ending` | the error and the outcome |

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
mod expiry_index;
mod fills;
mod ids;
mod input;
mod kv_calls;
mod lease;
mod media_record;
mod opening;
mod operation;
mod options;
mod output;
mod parts;
mod pipeline;
mod plan;
pub(crate) mod record;
mod recorded_parts;
mod records;
mod retry;
mod search;
mod session;
mod session_io;
mod source;
pub mod state;
mod store_calls;
mod store_owner;
mod transfer;
mod upload_record;

pub use checkpoint::{
    Checkpoint, CompletedObject, EtagPage, EtagPageRef, FinishedPart, Tail, UploadPhase,
};
pub use concat_plan::{ConcatSource, ReadRange, ranges_to_read};
pub use expiry_index::{BucketProgress, BucketWidth, ExpiryBucket, ExpiryCursor, ExpiryEntry};
pub use ids::{CallId, FillId, KvId};
pub use input::{Input, SourceStatus};
pub use lease::{EpochMark, Lease, WriterEpoch};
pub use media_record::MediaRecord;
pub use options::{LeaseAcquisition, Purpose, ReceiveOptions, SessionOptions};
pub use output::{Event, FillRequest, Output, SessionOutcome, Value};
pub use plan::{PARALLEL_MAX, Plan};
pub use record::VERSION as RECORD_VERSION;
pub use records::{RecordDeletion, RecordWrite, UploadId};
pub use retry::{Attempts, Jitter, RetryPolicy};
pub use search::CheckpointSearch;
pub use session::Session;
pub use store_calls::COMPLETE_TIMEOUT_FACTOR;
pub use store_owner::StoreOwner;
pub use upload_record::{Target, UploadKind, UploadRecord};
