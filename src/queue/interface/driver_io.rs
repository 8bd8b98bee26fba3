//! What a queue requests from its driver, and what the driver reports to it.

use super::ids::{FileId, KvId, SessionId, VodCallId};
use crate::error::Result;
use crate::oss::{HttpResponse, Request};
use crate::units::ByteCount;
use crate::upload;

/// A request of a queue to its driver.
#[derive(Debug)]
pub enum Output {
    /// Read a key.
    KvGet {
        /// Returned in [`Input::Kv`].
        id: KvId,
        /// The key.
        key: String,
    },
    /// Write a key durably.
    KvSet {
        /// Returned in [`Input::Kv`].
        id: KvId,
        /// The key.
        key: String,
        /// The value.
        value: Vec<u8>,
    },
    /// Delete a key.
    KvDelete {
        /// Returned in [`Input::Kv`].
        id: KvId,
        /// The key.
        key: String,
    },
    /// Send a signed request to VOD.
    CallVod {
        /// Returned in [`Input::VodResponse`].
        id: VodCallId,
        /// The request. Its Debug output is redacted.
        request: Box<Request>,
    },
    /// Abort a request to VOD.
    CancelVod {
        /// The request.
        id: VodCallId,
    },
    /// An upload session has started. It may request bytes.
    SessionStarted {
        /// The session.
        session: SessionId,
        /// The file that it uploads.
        file: FileId,
        /// Size of the file, if known.
        size: Option<ByteCount>,
    },
    /// An output of a session. [`upload::Event::SessionEnded`] is its last one.
    Session {
        /// The session.
        session: SessionId,
        /// The output.
        output: upload::Output,
    },
    /// The session is discarded: abort its requests; key-value writes in progress continue.
    SessionDropped {
        /// The session.
        session: SessionId,
    },
}

/// A report of the driver to a queue.
#[derive(Debug)]
pub enum Input {
    /// Time has passed: [`Queue::next_wakeup`](crate::Queue::next_wakeup) is due.
    Tick,
    /// A key-value operation has completed.
    Kv {
        /// The operation.
        id: KvId,
        /// The value read (`None` if the key does not exist), or the error:
        /// [`ErrorKind::KeyValueUnavailable`](crate::ErrorKind::KeyValueUnavailable) if the same
        /// operation may succeed later.
        result: Result<Option<Vec<u8>>>,
    },
    /// A request to VOD has completed.
    VodResponse {
        /// The request.
        id: VodCallId,
        /// The response, or why there is none. Only
        /// [`ErrorKind::VodUnavailable`](crate::ErrorKind::VodUnavailable) is retried.
        result: Result<HttpResponse>,
    },
    /// An input of a session.
    Session {
        /// The session.
        session: SessionId,
        /// The input.
        input: upload::Input,
    },
    /// The supplied bytes of a file of known size ended before the end of the file. The open fill
    /// waits for more.
    SourceEnded {
        /// The session.
        session: SessionId,
        /// Offset at which the supplied bytes ended.
        offset: ByteCount,
    },
    /// The supplier reported that its source was interrupted.
    SourceInterrupted {
        /// The session.
        session: SessionId,
        /// The reason, as reported by the supplier.
        reason: String,
    },
}
