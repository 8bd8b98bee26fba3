//! The ports: everything that the relay needs from its host.
//!
//! An adapter implements the traits on the APIs of one host. The host may drop the instance at any
//! `await` on a port; the operation may or may not take effect after that.
//!
//! Implementations must not log stored values, request headers, URLs or bodies: they contain
//! credentials.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use futures::channel::mpsc;
use futures::future::LocalBoxFuture;
use vod_uploader::oss;
use vod_uploader::units::UnixMillis;
use vod_uploader::{Error, ErrorKind};

/// The ports of one host.
#[derive(Clone)]
pub struct Ports {
    /// The storage of records.
    pub key_value: Rc<dyn KeyValue>,
    /// The client for OSS and VOD.
    pub http: Rc<dyn HttpClient>,
    /// The time.
    pub clock: Rc<dyn Clock>,
    /// Randomness.
    pub random: Rc<dyn Random>,
    /// Tasks that outlive a request.
    pub spawn: Rc<dyn Spawn>,
    /// The log of the operator.
    pub log: Rc<dyn Log>,
}

/// The key-value store that all instances share.
///
/// A read returns the value of the last write that completed before it, or that of a write that is
/// in progress. A write that failed, or whose future was dropped, may take effect at any later
/// time.
pub trait KeyValue {
    /// The value of `key`, or `None` if the key does not exist.
    fn get<'a>(
        &'a self,
        key: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, KeyValueError>>;

    /// Stores `value` under `key`, durably before the future resolves.
    fn set<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
    ) -> LocalBoxFuture<'a, Result<(), KeyValueError>>;

    /// Deletes `key`. A key that does not exist is not an error.
    fn delete<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Result<(), KeyValueError>>;
}

/// One operation on a key-value store, with what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyValueCall {
    /// See [`KeyValue::get`].
    Get(String),
    /// See [`KeyValue::set`].
    Set(String, Vec<u8>),
    /// See [`KeyValue::delete`].
    Delete(String),
}

impl KeyValueCall {
    /// Performs the operation. The value is `None` unless it is a read of an existing key.
    ///
    /// # Errors
    /// Returns those of the operation.
    pub async fn perform(self, kv: Rc<dyn KeyValue>) -> Result<Option<Vec<u8>>, KeyValueError> {
        match self {
            Self::Get(key) => kv.get(&key).await,
            Self::Set(key, value) => kv.set(&key, &value).await.map(|()| None),
            Self::Delete(key) => kv.delete(&key).await.map(|()| None),
        }
    }
}

/// A key-value operation that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyValueError {
    /// The host's error message.
    pub message: String,
    /// Whether the same operation may succeed later.
    pub is_retryable: bool,
}

impl From<KeyValueError> for Error {
    fn from(error: KeyValueError) -> Self {
        let kind = match error.is_retryable {
            true => ErrorKind::KeyValueUnavailable,
            false => ErrorKind::Misconfigured,
        };
        Self::new(kind, error.message)
    }
}

/// Outbound HTTP.
pub trait HttpClient {
    /// Sends `request` with `body` and reads the response, of at most `response_bytes_max` bytes.
    ///
    /// The future resolves as soon as the response is complete, even if the body is not. Dropping
    /// it aborts the request.
    ///
    /// # Errors
    /// Returns [`SendError`] if no response was received, or if it is too large or was interrupted.
    fn send(
        &self,
        request: oss::Request,
        body: SendBody,
        response_bytes_max: usize,
    ) -> LocalBoxFuture<'static, Result<oss::HttpResponse, SendError>>;
}

/// The body of an outbound request.
#[derive(Debug)]
pub enum SendBody {
    /// The body of the [`oss::Request`] itself, which may be empty.
    Inline,
    /// A filled part buffer, which the relay retains for another attempt.
    Buffered(Rc<Vec<u8>>),
    /// Chunks that are produced while the request is sent.
    Streamed(mpsc::Receiver<Vec<u8>>),
}

/// Why no response was received. Does not contain the URL, which may be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The host does not allow the address.
    HostDenied,
    /// The connection failed: nothing was sent.
    NotConnected(String),
    /// The connection was interrupted: the request may have been processed.
    Interrupted(String),
}

impl SendError {
    /// An error of `kind`, or [`ErrorKind::Misconfigured`] for an address that is not allowed.
    #[must_use]
    pub fn into_error(self, kind: ErrorKind) -> Error {
        let kind = match self {
            Self::HostDenied => ErrorKind::Misconfigured,
            Self::NotConnected(_) | Self::Interrupted(_) => kind,
        };
        Error::new(kind, self.to_string())
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostDenied => {
                f.write_str("the host does not allow this address: see allowed_outbound_hosts")
            }
            Self::NotConnected(text) | Self::Interrupted(text) => f.write_str(text),
        }
    }
}

/// Time.
pub trait Clock {
    /// The current time. It may go back.
    fn now(&self) -> UnixMillis;

    /// Resolves after `duration` on a clock that does not go back.
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()>;
}

/// Cryptographically secure randomness, for IDs that must be unguessable and nonces that must be
/// unique.
pub trait Random {
    /// 64 random bits.
    fn bits64(&self) -> u64;
}

impl dyn Random {
    /// 128 random bits.
    #[must_use]
    pub fn bits128(&self) -> u128 {
        (u128::from(self.bits64()) << 64) | u128::from(self.bits64())
    }

    /// A multiple of 8 random bytes.
    #[must_use]
    pub fn bytes<const LEN: usize>(&self) -> [u8; LEN] {
        const { assert!(LEN.is_multiple_of(8)) };
        let mut bytes = [0; LEN];
        for chunk in bytes.chunks_exact_mut(8) {
            chunk.copy_from_slice(&self.bits64().to_le_bytes());
        }
        bytes
    }
}

/// Runs work that outlives the request that starts it.
pub trait Spawn {
    /// Runs `task` to its end, also after the response has been sent, as long as the instance
    /// exists.
    fn spawn(&self, task: LocalBoxFuture<'static, ()>);
}

/// The log of the operator.
pub trait Log {
    /// Writes one line about a problem that an operator must solve. It contains no secret.
    fn warn(&self, line: &str);
}

/// The body of an inbound request.
pub trait Body {
    /// Reads once into the spare capacity of `buffer`, waiting for at least one byte. If `cancel`
    /// resolves before that, returns the buffer with the bytes that have arrived, if any.
    fn read<'a>(
        &'a mut self,
        buffer: Vec<u8>,
        cancel: LocalBoxFuture<'a, ()>,
    ) -> LocalBoxFuture<'a, (Vec<u8>, BodyStatus)>;
}

/// The status of a body after a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyStatus {
    /// More bytes may follow.
    Open,
    /// The read was canceled.
    Canceled,
    /// The body is complete; these are its trailers.
    Complete(Vec<(String, String)>),
    /// The connection closed before the end of the body.
    Interrupted,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_key_value_error_that_may_pass_is_reported_as_temporary() {
        let kind = |is_retryable| {
            Error::from(KeyValueError { message: String::new(), is_retryable }).kind()
        };
        assert_eq!(kind(true), ErrorKind::KeyValueUnavailable);
        assert_eq!(kind(false), ErrorKind::Misconfigured);
    }
}
