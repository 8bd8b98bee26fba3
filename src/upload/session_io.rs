//! The operations that a session has started, and the outputs that the driver has not polled yet.

use std::collections::VecDeque;

use super::ids::{CallId, FillId, KvId};
use super::kv_calls::{KvCalls, KvRequest, KvWaiter};
use super::operation::Operation;
use super::output::{Event, Output};
use super::store_calls::{CompletedCall, StoreCalls};
use crate::crc64::Crc64;
use crate::credential::UploadCredential;
use crate::error::Result;
use crate::oss::HttpResponse;
use crate::units::UnixMillis;

/// The operations in progress and the outputs of a session, in the order in which they were added.
#[derive(Debug)]
pub(super) struct SessionIo {
    now: UnixMillis,
    calls: StoreCalls,
    outputs: VecDeque<Output>,
    kv: KvCalls,
}

impl SessionIo {
    pub(super) const fn new(calls: StoreCalls, kv: KvCalls, now: UnixMillis) -> Self {
        Self { now, calls, outputs: VecDeque::new(), kv }
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

    /// Returns when something is due.
    pub(super) fn next_wakeup(&self) -> Option<UnixMillis> {
        self.calls.next_wakeup().into_iter().chain(self.kv.next_wakeup()).min()
    }

    /// Starts a key-value operation for `waiter`.
    pub(super) fn start_kv(&mut self, waiter: KvWaiter, request: KvRequest) {
        self.kv.start(waiter, request, &mut self.outputs);
    }

    pub(super) const fn kv(&self) -> &KvCalls {
        &self.kv
    }

    pub(super) const fn kv_mut(&mut self) -> &mut KvCalls {
        &mut self.kv
    }

    /// Ends a key-value operation. See [`KvCalls::end`].
    pub(super) fn end_kv(
        &mut self,
        id: KvId,
        result: Result<Option<Vec<u8>>>,
    ) -> Option<(KvWaiter, Result<Option<Vec<u8>>>)> {
        self.kv.end(self.now, id, result)
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

    /// Starts what is due. See [`KvCalls::start_due`] and [`StoreCalls::send_due`].
    pub(super) fn send_due(&mut self) -> Result<()> {
        self.kv.start_due(self.now, &mut self.outputs);
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
