//! Request bodies: counted while they are read; a fault can truncate or corrupt them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// An error of reading a body.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// The client closed the connection before the body was complete.
    Interrupted,
    /// The limit of [`RequestBody::truncate_after`] was reached.
    Truncated,
    /// The body exceeds the limit of the operation.
    TooLarge,
}

/// A request body that counts the bytes read.
#[derive(Debug)]
pub(crate) struct RequestBody {
    incoming: Incoming,
    received: Arc<AtomicU64>,
    read_bytes: u64,
    truncate_after_bytes: Option<u64>,
    flip_first_byte: bool,
}

impl RequestBody {
    /// Wraps a body of hyper and adds the number of bytes read to `received`.
    pub(crate) fn new(incoming: Incoming, received: Arc<AtomicU64>) -> Self {
        Self {
            incoming,
            received,
            read_bytes: 0,
            truncate_after_bytes: None,
            flip_first_byte: false,
        }
    }

    /// Makes reading fail with [`BodyError::Truncated`] once `bytes` have been read.
    pub(crate) fn truncate_after(&mut self, bytes: u64) {
        self.truncate_after_bytes = Some(bytes);
    }

    /// Inverts the first byte of the body, to simulate corruption.
    pub(crate) fn corrupt(&mut self) {
        self.flip_first_byte = true;
    }

    /// The next bytes; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            if self.truncate_after_bytes.is_some_and(|limit| self.read_bytes >= limit) {
                return Err(BodyError::Truncated);
            }
            let Some(frame) = self.incoming.frame().await else {
                return Ok(None);
            };
            let frame = frame.map_err(|_interrupted| BodyError::Interrupted)?;
            let Ok(mut bytes) = frame.into_data() else {
                continue; // OSS defines no trailers
            };
            if bytes.is_empty() {
                continue;
            }
            let length = bytes.len() as u64;
            self.read_bytes += length;
            self.received.fetch_add(length, Ordering::Relaxed);
            if std::mem::take(&mut self.flip_first_byte) {
                let mut flipped = bytes.to_vec();
                flipped[0] ^= 0xFF;
                bytes = flipped.into();
            }
            return Ok(Some(bytes));
        }
    }

    /// Reads to the end and discards the bytes.
    pub(crate) async fn drain(&mut self) -> Result<(), BodyError> {
        while self.next().await?.is_some() {}
        Ok(())
    }

    /// Reads the entire body, up to `limit_bytes`.
    pub(crate) async fn collect(&mut self, limit_bytes: usize) -> Result<Vec<u8>, BodyError> {
        let mut body = Vec::new();
        while let Some(bytes) = self.next().await? {
            if body.len() + bytes.len() > limit_bytes {
                return Err(BodyError::TooLarge);
            }
            body.extend_from_slice(&bytes);
        }
        Ok(body)
    }
}
