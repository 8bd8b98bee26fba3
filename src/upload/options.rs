//! What a session is created with.

use std::time::Duration;

use super::concat_plan::ConcatSource;
use super::retry::RetryPolicy;
use super::search::CheckpointSearch;
use crate::credential::UploadCredential;
use crate::units::ByteCount;

/// What a session is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Append the bytes of one request.
    Receive(ReceiveOptions),
    /// Append bytes from the durable offset to the source's end. The source can be read from any
    /// offset.
    Continue,
    /// Concatenate objects, whose bytes are copied on the store. The driver supplies only the bytes
    /// in [`reads`](super::ranges_to_read), in that order.
    Concatenate {
        /// The objects, in the order of their bytes: each at most 5 GiB.
        sources: Vec<ConcatSource>,
    },
    /// Append nothing: find out how an interrupted CompleteMultipartUpload ended, and complete the
    /// upload.
    Reconcile,
    /// Append nothing and send nothing to the store: make the last checkpoint this writer's own, so
    /// that no stale writer can change it.
    Fence,
    /// Abort the multipart upload and end the upload.
    Abort,
}

/// One request that appends bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiveOptions {
    /// Offset of the request's first byte; must be the upload's durable offset.
    pub offset: ByteCount,
    /// Length of the request body, if known.
    pub request_bytes: Option<ByteCount>,
    /// For a source of unknown length: whether the request's end is the source's end. A request
    /// without bytes then completes the upload as it is.
    pub complete_at_end: bool,
    /// The file's length, if the client declares it with this request. It is stored before any byte
    /// of the request is acknowledged and can never change: a different one, or one below the
    /// durable offset, is [`LengthInconsistent`](crate::ErrorKind::LengthInconsistent). Zero makes
    /// an empty object.
    pub length: Option<ByteCount>,
    /// Whether the request's bytes count only if it ends normally
    /// ([`SourceStatus::Eof`](super::SourceStatus::Eof)): for a request whose checksum is known
    /// only at its end. Its parts are sent to the store as they arrive, and enter the checkpoint
    /// after that.
    pub atomic: bool,
    /// Whether the file stays incomplete after this request even if all of its bytes are stored: a
    /// later request may declare it complete.
    pub keep_open: bool,
}

/// How a session acquires the upload's lease.
#[derive(Clone, Debug)]
pub enum LeaseAcquisition {
    /// The same driver has just created the upload: no other writer can exist.
    New,
    /// The upload exists: take it over from its last writer.
    TakeOver,
    /// As [`LeaseAcquisition::TakeOver`], by a driver that has just searched for the last
    /// checkpoint: the session searches again only after it has acquired the lease.
    TakeOverFrom(Box<CheckpointSearch>),
}

/// What a session may use.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// Size of a part, unless the file's length requires larger ones.
    pub part_size: ByteCount,
    /// Maximum number of parts in flight.
    pub parallel: u8,
    /// The retry budget of each call.
    pub retry: RetryPolicy,
    /// How long the store may take to respond, once it has the request body.
    pub request_timeout: Duration,
    /// A random id of this writer.
    pub writer: u64,
    /// Seed of the delays between attempts.
    pub seed: u64,
    /// The credential, if one is available.
    pub credential: Option<UploadCredential>,
    /// Whether [`Output::RefreshCredential`](super::Output::RefreshCredential) can yield a new
    /// credential.
    pub can_refresh: bool,
    /// Whether the source can be read again from its start if the store no longer has the upload.
    pub replayable: bool,
}
