//! The parameters of a session.

use std::time::Duration;

use super::concat_plan::ConcatSource;
use super::retry::RetryPolicy;
use super::search::CheckpointSearch;
use crate::credential::UploadCredential;
use crate::units::ByteCount;

/// The purpose of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Append the bytes of one request.
    Receive(ReceiveOptions),
    /// Append bytes from the durable offset to the source's end. The source can be read from any
    /// offset.
    Continue,
    /// Concatenate objects by copying them on the store. The driver supplies only the bytes in
    /// [`ranges_to_read`](super::ranges_to_read), in that order.
    Concatenate {
        /// The objects, in the order of their bytes: each at most 5 GiB.
        sources: Vec<ConcatSource>,
    },
    /// Append nothing: determine the result of an interrupted CompleteMultipartUpload, and complete
    /// the upload.
    Reconcile,
    /// Append nothing and send nothing to the store: adopt the last checkpoint, so that no stale
    /// writer can change it.
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
    /// Whether the end of the request is the end of a source of unknown length. A request without
    /// bytes then completes the upload.
    pub complete_at_end: bool,
    /// Length of the file, if the client declares it with this request. It is stored before any
    /// byte of the request is acknowledged and cannot change: a different length, or one below the
    /// durable offset, is [`LengthInconsistent`](crate::ErrorKind::LengthInconsistent). Zero
    /// creates an empty object.
    pub length: Option<ByteCount>,
    /// Whether the request's bytes are accepted only if it ends normally
    /// ([`SourceStatus::Eof`](super::SourceStatus::Eof)), because its checksum is known only at its
    /// end. Its parts are sent as they arrive, and added to the checkpoint at the end.
    pub atomic: bool,
    /// Whether the file remains incomplete after this request, even if all of its bytes are stored:
    /// a later request may declare it complete.
    pub keep_open: bool,
}

/// How a session acquires the upload's lease.
#[derive(Clone, Debug)]
pub enum LeaseAcquisition {
    /// The driver has just created the upload: no other writer can exist.
    New,
    /// Take over the upload from its last writer.
    TakeOver,
    /// As [`LeaseAcquisition::TakeOver`], with the driver's recent search for the last checkpoint:
    /// the session searches again only after it has acquired the lease.
    TakeOverFrom(Box<CheckpointSearch>),
}

/// The options of a session.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// Part size: 100 KiB to 5 GiB; larger if the file's length requires it.
    pub part_size: ByteCount,
    /// Maximum number of parts in flight: 1 to 32.
    pub parallel: u8,
    /// The retry budget of each call.
    pub retry: RetryPolicy,
    /// Maximum time until the store responds, after it has received the request body.
    pub request_timeout: Duration,
    /// A random ID of this writer.
    pub writer: u64,
    /// Seed of the delays between attempts.
    pub seed: u64,
    /// The credential, if available.
    pub credential: Option<UploadCredential>,
    /// Whether [`Output::RefreshCredential`](super::Output::RefreshCredential) can yield a new
    /// credential.
    pub can_refresh: bool,
    /// Whether the source can be read again from its start if the store no longer has the upload.
    pub replayable: bool,
}
