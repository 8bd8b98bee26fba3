//! The requests and events of a session.

use super::checkpoint::CompletedObject;
use super::ids::{CallId, FillId, KvId};
use crate::error::Error;
use crate::oss::Request;
use crate::units::ByteCount;

/// A request of a session to its driver.
#[derive(Debug)]
pub enum Output {
    /// Read a key.
    KvGet {
        /// To be repeated in [`Input::Kv`](super::Input::Kv).
        id: KvId,
        /// The key.
        key: String,
    },
    /// Write a key durably.
    KvSet {
        /// To be repeated in [`Input::Kv`](super::Input::Kv).
        id: KvId,
        /// The key.
        key: String,
        /// The value.
        value: Value,
    },
    /// Delete a key. The session does not wait for the result.
    KvDelete {
        /// The key.
        key: String,
    },
    /// Send a signed request to the store.
    Send {
        /// To be repeated in [`Input::StoreResponse`](super::Input::StoreResponse).
        call: CallId,
        /// The request. Its Debug output is redacted.
        request: Box<Request>,
        /// The buffer with the bytes of its body, if it has one.
        fill: Option<FillId>,
    },
    /// Abort a request. A response that has already arrived is ignored.
    Cancel {
        /// The call.
        call: CallId,
    },
    /// Obtain a new credential for this upload's media ID, and pass it in
    /// [`Input::Credential`](super::Input::Credential).
    RefreshCredential,
    /// An event, for the driver and its user.
    Event(Event),
}

/// The value of a key-value write.
#[derive(Clone, Debug)]
pub enum Value {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The first `len` bytes of a filled buffer.
    Fill {
        /// The buffer.
        fill: FillId,
        /// Number of its bytes.
        len: ByteCount,
    },
}

/// An event of a session.
#[derive(Debug)]
pub enum Event {
    /// The session now accepts bytes. Reported once, if its purpose is to append.
    Receiving {
        /// Offset of the first byte that the client sends.
        offset: ByteCount,
        /// Bytes before that offset that are not in a part yet: the first fill starts with them.
        tail: Vec<u8>,
    },
    /// Every byte before this offset is acknowledged.
    Durable(ByteCount),
    /// A buffer is no longer needed.
    BufferReleased(FillId),
    /// The source must be read again from its start, without a tail: the store no longer has the
    /// upload, and no byte is acknowledged. Reported at most once, and only if
    /// [`SessionOptions::replayable`](super::SessionOptions::replayable) is set. An open fill is
    /// ignored.
    RestartSource,
    /// The session has ended.
    SessionEnded(SessionOutcome),
}

/// The outcome of a session.
#[derive(Clone, Debug, PartialEq)]
pub enum SessionOutcome {
    /// The object is complete, and its size and CRC-64 match.
    Completed(CompletedObject),
    /// Another request can continue the upload.
    Suspended {
        /// The acknowledged offset.
        durable: ByteCount,
        /// Why bytes of this request were rejected, if any were.
        rejection: Option<Error>,
    },
    /// The upload was aborted.
    Aborted,
    /// The upload cannot be continued.
    Lost(Error),
    /// This session failed; another one can continue the upload.
    Failed {
        /// The cause.
        error: Error,
        /// The acknowledged offset.
        durable: ByteCount,
    },
}
/// A buffer of bytes that a session requests from the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FillRequest {
    /// To be repeated in [`Input::Filled`](super::Input::Filled).
    pub fill: FillId,
    /// Size of the part to fill, including the tail of [`Event::Receiving`].
    pub size: ByteCount,
    /// Whether the bytes are streamed to the store instead of buffered: see
    /// [`Input::StreamOpened`](super::Input::StreamOpened).
    pub streamed: bool,
}
