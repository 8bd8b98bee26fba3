//! The uploads, in memory.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};

/// One upload of either protocol.
#[derive(Debug, Default)]
pub(crate) struct Upload {
    pub(crate) bytes: Vec<u8>,
    pub(crate) length: Option<usize>,
    pub(crate) is_complete: bool,
    /// Requests to it, its creation aside.
    pub(crate) requests: usize,
    /// Who may write: each request that takes over raises it.
    pub(crate) epoch: u64,
    /// The connection of who writes.
    pub(crate) writer: Option<TcpStream>,
    pub(crate) is_gone: bool,
    pub(crate) is_invalid: bool,
    /// Whether a request had to be ended for another one.
    pub(crate) was_interrupted: bool,
    /// What refuses all appends from now on, for faults.
    pub(crate) is_stuck: bool,
    pub(crate) metadata: Option<String>,
    pub(crate) concat: Option<String>,
    /// What a final upload consists of.
    pub(crate) parts: Vec<String>,
    pub(crate) repr_digest: Option<String>,
    pub(crate) wants_digest: bool,
}

impl Upload {
    /// Ends the request that is writing, if one is. A spared one keeps its connection.
    pub(crate) fn interrupt(&mut self, is_spared: bool) {
        self.epoch += 1;
        self.was_interrupted |= self.writer.is_some();
        if let Some(writer) = self.writer.take().filter(|_| !is_spared) {
            // It may have ended by itself.
            let _ = writer.shutdown(Shutdown::Both);
        }
    }

    pub(crate) fn offset(&self) -> usize {
        self.bytes.len()
    }
}

/// All uploads by id.
pub(crate) type Uploads = HashMap<String, Upload>;

/// The bytes of a final upload, once all of its parts are there.
pub(crate) fn joined(uploads: &Uploads, parts: &[String]) -> Option<Vec<u8>> {
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
