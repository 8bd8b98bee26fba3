//! The outputs that the driver has not polled yet, and the key-value operations in progress.

use std::collections::{BTreeMap, VecDeque};

use super::ids::KvId;
use super::output::{Event, Output, Value};

/// A key-value operation whose result is awaited.
#[derive(Debug)]
pub(super) enum KvRequest {
    /// Reads a key.
    Get(String),
    /// Writes a key.
    Set(String, Value),
}

/// The machine that accepts the result of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KvWaiter {
    AcquireLease,
    RecordedParts,
    CheckpointWriter,
}

/// A session's outputs, in the order in which they were added.
#[derive(Debug, Default)]
pub(super) struct OutputQueue {
    outputs: VecDeque<Output>,
    next_kv_id: u32,
    pending_kv: BTreeMap<KvId, KvWaiter>,
}

impl OutputQueue {
    pub(super) fn pop(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Starts a key-value operation for `waiter`.
    pub(super) fn start_kv(&mut self, waiter: KvWaiter, request: KvRequest) {
        let id = KvId(self.next_kv_id);
        self.next_kv_id += 1;
        self.pending_kv.insert(id, waiter);
        self.outputs.push_back(match request {
            KvRequest::Get(key) => Output::KvGet { id, key },
            KvRequest::Set(key, value) => Output::KvSet { id, key, value },
        });
    }

    pub(super) fn is_kv_pending(&self, id: KvId) -> bool {
        self.pending_kv.contains_key(&id)
    }

    /// Ends a key-value operation, and returns the machine that accepts its result.
    pub(super) fn end_kv(&mut self, id: KvId) -> Option<KvWaiter> {
        self.pending_kv.remove(&id)
    }

    /// Deletes keys, without waiting for the results.
    pub(super) fn delete(&mut self, keys: Vec<String>) {
        self.extend(keys.into_iter().map(|key| Output::KvDelete { key }));
    }

    pub(super) fn report(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}

impl Extend<Output> for OutputQueue {
    fn extend<T: IntoIterator<Item = Output>>(&mut self, outputs: T) {
        self.outputs.extend(outputs);
    }
}
