//! The body of a request: counted as it arrives, cut or corrupted when a fault says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// Why a body did not arrive whole.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// The client closed or broke the connection before the body was complete.
    Interrupted,
    /// The fault `reset-mid-body` fell due: enough of the body has been read.
    CutShort,
    /// The body is longer than the operation takes.
    TooLarge,
}

/// A request body that reports every byte it hands out.
#[derive(Debug)]
pub(crate) struct RequestBody {
    incoming: Incoming,
    received: Arc<AtomicU64>,
    read_bytes: u64,
    cut_after_bytes: Option<u64>,
    flip_first_byte: bool,
}

impl RequestBody {
    /// Wraps what hyper received; `received` is raised by every byte that is read.
    pub(crate) fn new(incoming: Incoming, received: Arc<AtomicU64>) -> Self {
        Self { incoming, received, read_bytes: 0, cut_after_bytes: None, flip_first_byte: false }
    }

    /// Makes reading fail with [`BodyError::CutShort`] once `bytes` have been read.
    pub(crate) fn cut_after(&mut self, bytes: u64) {
        self.cut_after_bytes = Some(bytes);
    }

    /// Inverts the first byte of the body, as a broken disk or network would.
    pub(crate) fn corrupt(&mut self) {
        self.flip_first_byte = true;
    }

    /// The next bytes, or `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            if self.cut_after_bytes.is_some_and(|cut| self.read_bytes >= cut) {
                return Err(BodyError::CutShort);
            }
            let Some(frame) = self.incoming.frame().await else {
                return Ok(None);
            };
            let frame = frame.map_err(|_interrupted| BodyError::Interrupted)?;
            let Ok(mut bytes) = frame.into_data() else {
                continue; // trailers carry nothing that OSS defines
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

    /// Reads to the end and forgets the bytes.
    pub(crate) async fn drain(&mut self) -> Result<(), BodyError> {
        while self.next().await?.is_some() {}
        Ok(())
    }

    /// The whole body, at most `limit_bytes` long.
    pub(crate) async fn collect(&mut self, limit_bytes: usize) -> Result<Vec<u8>, BodyError> {
        let mut whole = Vec::new();
        while let Some(bytes) = self.next().await? {
            if whole.len() + bytes.len() > limit_bytes {
                return Err(BodyError::TooLarge);
            }
            whole.extend_from_slice(&bytes);
        }
        Ok(whole)
    }
}
