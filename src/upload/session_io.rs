//! The operations that a session has started, and the outputs that the driver has not polled yet.

use std::collections::{BTreeMap, VecDeque};

use super::errors::misuse;
use super::ids::{CallId, FillId, KvId};
use super::operation::Operation;
use super::output::{Event, Output, Value};
use super::store_calls::{CompletedCall, StoreCalls};
use crate::crc64::Crc64;
use crate::credential::UploadCredential;
use crate::error::Result;
use crate::oss::HttpResponse;
use crate::units::UnixMillis;

/// A key-value operation whose result is awaited.
#[derive(Debug)]
pub(super) enum KvRequest {
    /// Reads a key.
    Get(String),
    /// Writes a key.
    Set(String, Value),
}

/// The state machine that accepts the result of a key-value operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KvWaiter {
    Opening,
    RecordedParts,
    CheckpointWriter,
}

/// The operations in progress and the outputs of a session, in the order in which they were added.
#[derive(Debug)]
pub(super) struct SessionIo {
    now: UnixMillis,
    calls: StoreCalls,
    outputs: VecDeque<Output>,
    next_kv_id: u32,
    pending_kv: BTreeMap<KvId, KvWaiter>,
}

impl SessionIo {
    pub(super) const fn new(calls: StoreCalls, now: UnixMillis) -> Self {
        Self { now, calls, outputs: VecDeque::new(), next_kv_id: 0, pending_kv: BTreeMap::new() }
    }

    pub(super) fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(super) const fn now(&self) -> UnixMillis {
        self.now
    }

    /// Advances the time. A clock that steps back is treated as stopped.
    pub(super) fn advance_clock(&mut self, now: UnixMillis) {
        self.now = self.now.max(now);
    }

    pub(super) const fn calls(&self) -> &StoreCalls {
        &self.calls
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

    /// Checks that a key-value operation is in progress.
    pub(super) fn check_kv(&self, id: KvId) -> Result<()> {
        if self.pending_kv.contains_key(&id) {
            return Ok(());
        }
        Err(misuse("no such key-value operation is in progress"))
    }

    /// Ends a key-value operation. Returns the state machine that accepts its result, and the
    /// result.
    pub(super) fn end_kv(
        &mut self,
        id: KvId,
        result: Result<Option<Vec<u8>>>,
    ) -> Option<(KvWaiter, Result<Option<Vec<u8>>>)> {
        let result = result.map_err(|error| error.with_context("key-value store"));
        self.pending_kv.remove(&id).map(|waiter| (waiter, result))
    }

    /// Deletes keys, without waiting for the results.
    pub(super) fn delete(&mut self, keys: Vec<String>) {
        self.outputs.extend(keys.into_iter().map(|key| Output::KvDelete { key }));
    }

    pub(super) fn report(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Reports that buffers are no longer needed.
    pub(super) fn release(&mut self, fills: impl IntoIterator<Item = FillId>) {
        let events = fills.into_iter().map(Event::BufferReleased);
        self.outputs.extend(events.map(Output::Event));
    }

    /// Adds a call to the store, which the next [`Self::send_due`] sends.
    pub(super) fn send(&mut self, operation: Operation) {
        self.calls.start(self.now, operation);
    }

    /// Sends the calls that are due. See [`StoreCalls::send_due`].
    pub(super) fn send_due(&mut self) -> Result<()> {
        self.calls.send_due(self.now, &mut self.outputs)
    }

    /// Aborts calls whose deadline has passed. See [`StoreCalls::time_out`].
    pub(super) fn time_out(&mut self) -> Option<CompletedCall> {
        self.calls.time_out(self.now, &mut self.outputs)
    }

    /// Drops all calls; those that were sent are aborted.
    pub(super) fn cancel_calls(&mut self) {
        self.cancel_calls_except(|_| false);
    }

    /// Drops all calls except those to `keep`.
    pub(super) fn cancel_calls_except(&mut self, keep: impl Fn(&Operation) -> bool) {
        self.calls.cancel_all_except(keep, &mut self.outputs);
    }

    /// Accepts the result of a call. See [`StoreCalls::on_response`].
    pub(super) fn on_response(
        &mut self,
        call: CallId,
        result: Result<HttpResponse, String>,
    ) -> Option<CompletedCall> {
        self.calls.on_response(self.now, call, result)
    }

    /// Accepts a credential. See [`StoreCalls::credential_arrived`].
    pub(super) fn credential_arrived(&mut self, result: Result<UploadCredential>) -> Result<()> {
        self.calls.credential_arrived(result)
    }

    /// Records the CRC of a streamed part. See [`StoreCalls::body_sent`].
    pub(super) fn body_sent(&mut self, fill: FillId, crc64: Crc64) {
        self.calls.body_sent(self.now, fill, crc64);
    }
}
