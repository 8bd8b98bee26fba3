//! The key-value operations of one session: those in progress, and those that wait to be repeated.

use std::collections::BTreeMap;

use super::errors::misuse;
use super::ids::KvId;
use super::output::{Output, Value};
use super::retry::{Attempts, Jitter, RetryPolicy};
use crate::error::{Error, ErrorKind, Result};
use crate::units::UnixMillis;

/// A key-value operation whose result is awaited.
#[derive(Clone, Debug)]
pub(super) enum KvRequest {
    /// Reads a key.
    Get(String),
    /// Writes a key. A write that failed may take effect at any later time, so it must not be
    /// repeated if another value may follow.
    Set(String, Value),
    /// Writes a key that has no other value, or whose earlier values do no harm, so the write is
    /// repeated if it fails.
    SetRepeatedly(String, Value),
}

/// The state machine that accepts the result of a key-value operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KvWaiter {
    Opening,
    Lease,
    RecordedParts,
    CheckpointWriter,
}

/// The key-value operations of one session.
#[derive(Debug)]
pub(super) struct KvCalls {
    policy: RetryPolicy,
    jitter: Jitter,
    next_id: u32,
    pending: BTreeMap<KvId, Pending>,
    /// Operations to be started at an instant.
    waiting: Vec<(UnixMillis, KvWaiter, KvRequest)>,
    /// The failures since the last successful write.
    failures: Option<Attempts>,
}

#[derive(Debug)]
struct Pending {
    waiter: KvWaiter,
    /// The operation, if it is repeated after a failure.
    repeated: Option<KvRequest>,
    is_write: bool,
}

impl KvCalls {
    pub(super) const fn new(policy: RetryPolicy, jitter: Jitter) -> Self {
        Self {
            policy,
            jitter,
            next_id: 0,
            pending: BTreeMap::new(),
            waiting: Vec::new(),
            failures: None,
        }
    }

    /// Starts an operation for `waiter`.
    pub(super) fn start(
        &mut self,
        waiter: KvWaiter,
        request: KvRequest,
        outputs: &mut impl Extend<Output>,
    ) {
        let id = KvId(self.next_id);
        self.next_id += 1;
        let is_write = !matches!(request, KvRequest::Get(_));
        let repeated = matches!(request, KvRequest::SetRepeatedly(..)).then(|| request.clone());
        self.pending.insert(id, Pending { waiter, repeated, is_write });
        outputs.extend([match request {
            KvRequest::Get(key) => Output::KvGet { id, key },
            KvRequest::Set(key, value) | KvRequest::SetRepeatedly(key, value) => {
                Output::KvSet { id, key, value }
            }
        }]);
    }

    /// Starts an operation at the instant `at`.
    pub(super) fn start_at(&mut self, at: UnixMillis, waiter: KvWaiter, request: KvRequest) {
        self.waiting.push((at, waiter, request));
    }

    /// Starts the operations that are due.
    pub(super) fn start_due(&mut self, now: UnixMillis, outputs: &mut impl Extend<Output>) {
        let due: Vec<_> = self.waiting.extract_if(.., |(at, ..)| *at <= now).collect();
        for (_, waiter, request) in due {
            self.start(waiter, request, outputs);
        }
    }

    /// Returns when the next operation is due.
    pub(super) fn next_wakeup(&self) -> Option<UnixMillis> {
        self.waiting.iter().map(|(at, ..)| *at).min()
    }

    /// Checks that an operation is in progress.
    pub(super) fn check(&self, id: KvId) -> Result<()> {
        if self.pending.contains_key(&id) {
            return Ok(());
        }
        Err(misuse("no such key-value operation is in progress"))
    }

    /// Ends an operation. Returns the state machine that accepts its result, and the result, unless
    /// it is repeated.
    pub(super) fn end(
        &mut self,
        now: UnixMillis,
        id: KvId,
        result: Result<Option<Vec<u8>>>,
    ) -> Option<(KvWaiter, Result<Option<Vec<u8>>>)> {
        let Pending { waiter, repeated, is_write } = self.pending.remove(&id)?;
        let result = result.map_err(|error| error.with_context("key-value store"));
        match (&result, repeated) {
            (Ok(_), _) if is_write => self.failures = None,
            (Err(error), Some(request)) if may_succeed_later(error) => {
                if let Some(at) = self.retry_at(now) {
                    self.start_at(at, waiter, request);
                    return None;
                }
            }
            _ => {}
        }
        Some((waiter, result))
    }

    /// Returns when to try again after a write failed at `now`; `None` if the budget is exhausted.
    pub(super) fn retry_at(&mut self, now: UnixMillis) -> Option<UnixMillis> {
        let failures = self.failures.get_or_insert(Attempts::first(now));
        failures.next(&self.policy, now, None, &mut self.jitter)
    }

    /// Returns a new random ID.
    pub(super) const fn new_id(&mut self) -> u64 {
        self.jitter.next_bits()
    }

    /// Whether an operation for `waiter` is in progress or due later.
    pub(super) fn is_busy(&self, waiter: KvWaiter) -> bool {
        self.pending.values().any(|pending| pending.waiter == waiter)
            || self.waiting.iter().any(|(_, waiting, _)| *waiting == waiter)
    }
}

/// Whether a key-value operation that failed with `error` may succeed later.
pub(super) fn may_succeed_later(error: &Error) -> bool {
    error.kind() == ErrorKind::KeyValueUnavailable
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000);

    fn calls() -> KvCalls {
        KvCalls::new(RetryPolicy::default(), Jitter::seeded(1))
    }

    fn unavailable() -> Result<Option<Vec<u8>>> {
        Err(Error::new(ErrorKind::KeyValueUnavailable, "down"))
    }

    fn write() -> KvRequest {
        KvRequest::SetRepeatedly("k".into(), Value::Bytes(vec![1]))
    }

    #[test]
    fn a_repeated_write_is_started_again_until_the_budget_is_exhausted() {
        let (mut calls, mut outputs, mut now) = (calls(), Vec::new(), NOW);
        calls.start(KvWaiter::Lease, write(), &mut outputs);
        let mut attempts = 0;
        let result = loop {
            attempts += 1;
            let Some(Output::KvSet { id, .. }) = outputs.pop() else { panic!("no write") };
            if let Some((_, result)) = calls.end(now, id, unavailable()) {
                break result;
            }
            assert!(calls.is_busy(KvWaiter::Lease));
            now = calls.next_wakeup().unwrap();
            calls.start_due(now, &mut outputs);
        };
        assert_eq!(attempts, RetryPolicy::default().attempts_max);
        assert!(result.is_err() && !calls.is_busy(KvWaiter::Lease));
    }

    #[test]
    fn other_writes_and_permanent_failures_are_not_repeated() {
        let mut outputs = Vec::new();
        let mut calls = calls();
        let once = KvRequest::Set("k".into(), Value::Bytes(vec![1]));
        calls.start(KvWaiter::Opening, once, &mut outputs);
        assert!(calls.end(NOW, KvId(0), unavailable()).is_some());
        calls.start(KvWaiter::Opening, write(), &mut outputs);
        let permanent = Err(Error::new(ErrorKind::Misconfigured, "denied"));
        assert!(calls.end(NOW, KvId(1), permanent).is_some());
        assert_eq!(calls.next_wakeup(), None);
    }

    #[test]
    fn a_successful_write_renews_the_budget() {
        let (mut calls, mut outputs) = (calls(), Vec::new());
        for _ in 0..2 * RetryPolicy::default().attempts_max {
            assert!(calls.retry_at(NOW).is_some());
            calls.start(KvWaiter::Opening, write(), &mut outputs);
            let Some(Output::KvSet { id, .. }) = outputs.pop() else { panic!("no write") };
            calls.end(NOW, id, Ok(None)).unwrap().1.unwrap();
        }
    }

    #[test]
    fn a_successful_read_does_not_renew_the_budget_of_writes() {
        let (mut calls, mut outputs) = (calls(), Vec::new());
        let mut attempts = 1;
        while calls.retry_at(NOW).is_some() {
            calls.start(KvWaiter::Opening, KvRequest::Get("k".into()), &mut outputs);
            let Some(Output::KvGet { id, .. }) = outputs.pop() else { panic!("no read") };
            calls.end(NOW, id, Ok(None)).unwrap().1.unwrap();
            attempts += 1;
            assert!(attempts < 100, "the budget is never exhausted");
        }
        assert_eq!(attempts, RetryPolicy::default().attempts_max);
    }

    #[test]
    fn a_waiter_is_busy_with_its_own_operations_only() {
        let mut calls = calls();
        calls.start(KvWaiter::Lease, write(), &mut Vec::new());
        assert!(calls.is_busy(KvWaiter::Lease) && !calls.is_busy(KvWaiter::Opening));
        calls.start_at(NOW, KvWaiter::RecordedParts, write());
        assert!(calls.is_busy(KvWaiter::RecordedParts) && !calls.is_busy(KvWaiter::Opening));
    }

    #[test]
    fn every_new_id_is_another_one() {
        let mut calls = calls();
        let (first, second) = (calls.new_id(), calls.new_id());
        assert!(first != second && ![0, 1].contains(&first), "{first} {second}");
    }
}
