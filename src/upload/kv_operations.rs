//! The key-value operations of a session that are in progress, and what waits for each.

use std::collections::BTreeMap;

use super::ids::KvId;
use super::output::{Output, Value};

/// A key-value operation whose result is waited for.
#[derive(Debug)]
pub(super) enum KvRequest {
    /// Reads a key.
    Get(String),
    /// Writes a key.
    Set(String, Value),
}

/// The part of a session that an operation's result goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KvWaiter {
    AcquireLease,
    RecordedParts,
    CheckpointWriter,
}

/// The operations in progress.
#[derive(Debug, Default)]
pub(super) struct KvOperations {
    next_id: u32,
    pending: BTreeMap<KvId, KvWaiter>,
}

impl KvOperations {
    /// Returns the output that starts `request` for `waiter`.
    pub(super) fn start(&mut self, waiter: KvWaiter, request: KvRequest) -> Output {
        let id = KvId(self.next_id);
        self.next_id += 1;
        self.pending.insert(id, waiter);
        match request {
            KvRequest::Get(key) => Output::KvGet { id, key },
            KvRequest::Set(key, value) => Output::KvSet { id, key, value },
        }
    }

    pub(super) fn is_pending(&self, id: KvId) -> bool {
        self.pending.contains_key(&id)
    }

    /// Returns what waits for an operation that has ended.
    pub(super) fn finish(&mut self, id: KvId) -> Option<KvWaiter> {
        self.pending.remove(&id)
    }
}
