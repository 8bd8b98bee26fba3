//! What the driver passes to a session.

use super::ids::{CallId, FillId, KvId};
use crate::crc64::Crc64;
use crate::credential::UploadCredential;
use crate::error::{Error, Result};
use crate::oss::HttpResponse;
use crate::units::ByteCount;

/// An event that the driver passes to [`Session::handle`](super::Session::handle).
#[derive(Debug)]
pub enum Input {
    /// Time has passed: [`Session::next_wakeup`](super::Session::next_wakeup) is due.
    Tick,
    /// A key-value operation has completed.
    Kv {
        /// The operation.
        id: KvId,
        /// The value read (`None` if the key is absent), or the error:
        /// [`ErrorKind::KeyValueUnavailable`](crate::ErrorKind::KeyValueUnavailable) if the same
        /// operation may succeed later.
        result: Result<Option<Vec<u8>>>,
    },
    /// The store has responded to a call, or the connection failed.
    StoreResponse {
        /// The call.
        call: CallId,
        /// The response, or the text of the transport error.
        result: Result<HttpResponse, String>,
    },
    /// The result of [`Output::RefreshCredential`](super::Output::RefreshCredential), or a new
    /// credential that was not requested.
    Credential(Result<UploadCredential>),
    /// The owner of the session cancels it: its calls are aborted, confirmed parts are recorded,
    /// and the session fails with this error. Ignored in a terminal state.
    Cancel(Error),
    /// The driver is about to stream a requested fill.
    StreamOpened {
        /// The fill.
        fill: FillId,
    },
    /// A fill has ended: its buffer is full, or the source has ended.
    Filled {
        /// The fill.
        fill: FillId,
        /// Number of its bytes, including the tail of
        /// [`Event::Receiving`](super::Event::Receiving).
        len: ByteCount,
        /// CRC of its bytes.
        crc64: Crc64,
        /// The state of the source.
        end: SourceStatus,
    },
}

/// The state of the source after a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceStatus {
    /// The buffer is full; more bytes may follow.
    More,
    /// The request's bytes have ended normally.
    Eof,
    /// The client disconnected, or its request was interrupted.
    Interrupted,
    /// The client sent more bytes than it declared.
    TooLong,
    /// The bytes do not match the client's checksum. An atomic request is rejected; any other is
    /// treated as interrupted.
    ChecksumMismatch,
    /// Another request stopped this one: the bytes received so far are kept.
    StopRequested,
}
