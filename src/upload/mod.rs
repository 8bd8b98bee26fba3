//! One upload: a source of bytes becomes an object on the store, part by part, across requests,
//! crashes and lost answers.
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

mod calls;
mod checkpoint;
mod claim;
pub mod election;
mod fill;
mod finish;
mod join;
mod joining;
mod kv_step;
mod lease;
mod operation;
mod plan;
pub(crate) mod record;
mod records;
mod refresh;
mod retry;
mod save;
mod search;
mod send;
mod session;
pub mod state;
mod transfer;
mod upload_record;
mod verify;

use std::time::Duration;

pub use calls::COMPLETE_TIMEOUT_FACTOR;
pub use checkpoint::{
    Checkpoint, EtagPage, FinishedObject, FinishedPart, PAGE_NUMBERS, PageRef, Phase, Tail,
};
pub use join::{JoinSource, Piece, ReadRange, pieces, reads};
pub use lease::{Lease, Turn};
pub use plan::{NextPart, PARALLEL_MAX, Plan};
pub use record::{RecordKind, VERSION as RECORD_VERSION};
pub use records::{RecordDeletion, RecordWrite, UploadKey};
pub use retry::{Attempts, Jitter, RetryPolicy};
pub use search::CheckpointSearch;
pub use session::Session;
pub use upload_record::{Role, Target, UploadRecord};

use crate::crc64::Crc64;
use crate::credential::UploadCredential;
use crate::error::{Error, Result};
use crate::oss::{Reply, Request};
use crate::units::ByteCount;

/// Names one call to the store within a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u32);

/// Names one operation on the key-value store within a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KvId(pub u32);

/// Names one buffer that the driver fills from the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FillId(pub u32);

/// What a session is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Take the bytes of one request.
    Receive(Receive),
    /// Take bytes from wherever the upload is to the source's end: for a source that can be read
    /// from any offset.
    Continue,
    /// Make the object of other objects on the store, which are copied there. Only their bytes that
    /// [`reads`] names come from the driver, in that order.
    Join {
        /// The objects, in the order of their bytes: each at most 5 GiB.
        sources: Vec<JoinSource>,
    },
    /// Take no bytes: find out how an interrupted Complete ended, and finish it.
    Settle,
    /// Take no bytes and call nobody: make the last checkpoint this writer's own, so that no stale
    /// writer can change it any more.
    Fence,
    /// Drop the parts and end the upload.
    Abort,
}

/// One request that brings bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receive {
    /// Where the request's bytes start; must be the upload's durable offset.
    pub offset: ByteCount,
    /// How many bytes the request brings, where that is known.
    pub request_len: Option<ByteCount>,
    /// For a source of unknown length: whether the request's end is the source's end. A request
    /// without bytes then completes the upload as it is.
    pub end_completes: bool,
    /// The length of the whole file, where the client declares it with this request. It is noted
    /// before anything of the request is acknowledged and can never change: another one, or one
    /// below the durable offset, is [`LengthInconsistent`](crate::ErrorKind::LengthInconsistent).
    /// Zero makes an empty object.
    pub length: Option<ByteCount>,
    /// Whether nothing of the request counts unless its bytes end as they should
    /// ([`SourceEnd::Ended`]): for a request whose checksum is known only at its end. Its parts go
    /// to the store as they come, and enter the checkpoint after that.
    pub atomic: bool,
    /// Whether the file is not whole after this request even where all of its bytes are there: a
    /// client may say so with a request of its own.
    pub stays_open: bool,
}

/// How a session begins.
#[derive(Clone, Debug)]
pub enum Claim {
    /// The upload has just been created by the same driver: nobody else can know of it.
    Created,
    /// The upload exists: take it over from whoever wrote to it last.
    TakeOver,
    /// As [`Claim::TakeOver`], by a driver that has just searched for the last checkpoint: the
    /// session does not look for it again before it takes the upload over, only after.
    TakeOverFrom(Box<CheckpointSearch>),
}

/// What a session may use.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// Size of a part, where the length does not ask for larger ones.
    pub part_size: ByteCount,
    /// Parts in flight at once.
    pub parallel: u8,
    /// The retry budget of each call.
    pub retry: RetryPolicy,
    /// How long the store may take to answer a call, once it has the body.
    pub request_timeout: Duration,
    /// A random id for this writer.
    pub writer: u64,
    /// Seed of the delays between attempts.
    pub seed: u64,
    /// The credential, where one is at hand.
    pub credential: Option<UploadCredential>,
    /// Whether [`Output::RefreshCredential`] can be answered with a new one.
    pub can_refresh: bool,
    /// Whether the source can be read again from its start, should the store forget the upload.
    pub replayable: bool,
}

/// What the driver tells a session.
#[derive(Debug)]
pub enum Input {
    /// Time has passed: [`Session::next_wakeup`] is due.
    Tick,
    /// A key-value operation has ended; a read gives the value, or `None` where there is none.
    Kv {
        /// Which one.
        id: KvId,
        /// The value read, or the error's text.
        result: Result<Option<Vec<u8>>, String>,
    },
    /// A call was answered, or its connection failed with this text.
    Replied {
        /// Which one.
        call: CallId,
        /// The reply, or what the transport said.
        result: Result<Reply, String>,
    },
    /// The answer to [`Output::RefreshCredential`]; or a new credential that nobody asked for.
    Credential(Result<UploadCredential>),
    /// The session's owner gives it up: calls are cut off, what was confirmed is noted, and then
    /// the session ends as failed with this error. An end that is reached already stands.
    GiveUp(Error),
    /// A streamed want is about to be filled.
    StreamOpened {
        /// Which one.
        fill: FillId,
    },
    /// A fill has ended: with the buffer full, or with the source.
    Filled {
        /// Which one.
        fill: FillId,
        /// How many bytes it has, those that [`Event::Ready`] brought included.
        len: ByteCount,
        /// Their CRC.
        crc64: Crc64,
        /// Whether the source goes on.
        end: SourceEnd,
    },
}

/// How the source stands after a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceEnd {
    /// The buffer is full; there may be more.
    More,
    /// The request's bytes have ended as they should.
    Ended,
    /// The client went away, or its request broke off.
    Cut,
    /// The client sent more than the declared length.
    Overrun,
    /// The bytes are not those that the client's checksum names. Only an atomic request is refused
    /// for it; any other is taken for one that broke off.
    Mismatched,
    /// Somebody else asked this request to end: what it has brought so far is kept.
    Stopped,
}

/// What a session wants done.
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
        value: Value,
    },
    /// Delete a key; the answer is not waited for.
    KvDelete {
        /// The key.
        key: String,
    },
    /// Send a signed request to the store.
    Send {
        /// To be named in [`Input::Replied`].
        call: CallId,
        /// The request. Its Debug output is redacted.
        request: Box<Request>,
        /// Where the bytes of its body are.
        fill: Option<FillId>,
    },
    /// Cut a request off; it is not to be answered. An answer that is already on its way is
    /// ignored.
    Cancel {
        /// Which one.
        call: CallId,
    },
    /// Get a new credential for this upload's media id: [`Input::Credential`].
    RefreshCredential,
    /// Something the driver's user may want to know.
    Event(Event),
}

/// The value of a key-value write.
#[derive(Debug)]
pub enum Value {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The first `len` bytes of a filled buffer.
    Fill {
        /// Which buffer.
        fill: FillId,
        /// How many of its bytes.
        len: ByteCount,
    },
}

/// What a session reports.
#[derive(Debug)]
pub enum Event {
    /// The session takes bytes from here on: once, where its purpose is to receive.
    Ready {
        /// The offset from which the client continues.
        offset: ByteCount,
        /// Bytes before that offset that no part has yet: the first fill begins with them.
        tail: Vec<u8>,
    },
    /// Everything before this offset is acknowledged.
    Durable(ByteCount),
    /// A buffer is no longer needed.
    Released(FillId),
    /// The source has to be read again from its start, without a tail: the store has forgotten
    /// the upload, and nothing is acknowledged any more. At most once, and only where
    /// [`SessionOptions::replayable`] says that this is possible. A fill that is open is dropped.
    Rewind,
    /// The session is over.
    Ended(Outcome),
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The object is whole.
    Completed(FinishedObject),
    /// The upload goes on with another request.
    Suspended {
        /// From which offset.
        durable: ByteCount,
        /// Why bytes of this request were not taken, where some were not.
        refused: Option<Error>,
    },
    /// The upload was given up.
    Aborted,
    /// The upload cannot be continued.
    Lost(Error),
    /// This session could not go on; the upload can, from its durable offset.
    Failed {
        /// Why.
        error: Error,
        /// From which offset the upload can go on.
        durable: ByteCount,
    },
}

/// A buffer's worth of bytes that a session wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// To be named in [`Input::Filled`].
    pub fill: FillId,
    /// The size of the part to fill, the tail of [`Event::Ready`] included.
    pub size: ByteCount,
    /// True where the bytes go straight into a request: see [`Input::StreamOpened`].
    pub streamed: bool,
}
