//! The uploads, in memory.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};

/// One upload of either protocol.
#[derive(Debug, Default)]
pub(crate) struct Upload {
    pub(crate) bytes: Vec<u8>,
    pub(crate) length: Option<usize>,
    pub(crate) is_complete: bool,
    /// The number of requests, without the creation.
    pub(crate) requests: usize,
    /// Incremented by each request that takes over.
    pub(crate) epoch: u64,
    /// The connection of the writer.
    pub(crate) writer: Option<TcpStream>,
    pub(crate) is_gone: bool,
    pub(crate) is_invalid: bool,
    /// Whether a request was interrupted for another one.
    pub(crate) was_interrupted: bool,
    /// Whether all further appends are rejected, for faults.
    pub(crate) is_stuck: bool,
    pub(crate) metadata: Option<String>,
    pub(crate) concat: Option<String>,
    /// The parts of a final upload.
    pub(crate) parts: Vec<String>,
    pub(crate) repr_digest: Option<String>,
    pub(crate) wants_digest: bool,
}

impl Upload {
    /// Ends the active request, if any. A spared one keeps its connection.
    pub(crate) fn interrupt(&mut self, is_spared: bool) {
        self.epoch += 1;
        self.was_interrupted |= self.writer.is_some();
        if let Some(writer) = self.writer.take().filter(|_| !is_spared) {
            // Fails if the connection is already closed.
            let _ = writer.shutdown(Shutdown::Both);
        }
    }

    pub(crate) fn offset(&self) -> usize {
        self.bytes.len()
    }
}

/// All uploads by ID.
pub(crate) type Uploads = HashMap<String, Upload>;

/// The bytes of a final upload; `None` until all parts are complete.
pub(crate) fn concatenated(uploads: &Uploads, parts: &[String]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for id in parts {
        let part = uploads.get(id)?;
        if part.length != Some(part.offset()) {
            return None;
        }
        bytes.extend(&part.bytes);
    }
    Some(bytes)
}
