//! The state that all clients share: the worker's address, the time, and the expected state.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use vod_uploader_wire::{Client, Exchange};

use crate::expected_state::ExpectedState;

/// The shared context of one run.
pub(crate) struct ChaosContext {
    /// The acknowledgments that the clients received.
    pub(crate) expected: ExpectedState,
    /// The number of events of each kind.
    pub(crate) counts: Counts,
    client: Mutex<Client>,
    started: Instant,
    end_after: Duration,
    deadline: Duration,
    ended: AtomicU64,
    failures: Mutex<Vec<String>>,
    log: Mutex<Vec<(u64, String)>>,
    stalled: Mutex<Vec<(Exchange, Instant)>>,
}

/// Event counters.
#[derive(Default)]
pub(crate) struct Counts {
    /// Files that were acknowledged as complete.
    pub(crate) stored: AtomicU64,
    /// Append requests.
    pub(crate) requests: AtomicU64,
    /// Append requests without a response that the client did not interrupt itself.
    pub(crate) without_response: AtomicU64,
    /// Responses that asked to retry later.
    pub(crate) rejected: AtomicU64,
    /// Requests that their client interrupted.
    pub(crate) interrupted: AtomicU64,
    /// Clients that stalled within a request, and continued over another connection.
    pub(crate) stalled: AtomicU64,
    /// Offset queries during a request that continued.
    pub(crate) offset_queries: AtomicU64,
    /// Concurrent requests for the same bytes.
    pub(crate) duplicates: AtomicU64,
    /// Uploads that were paused during a request.
    pub(crate) paused: AtomicU64,
    /// Uploads that were deleted during a request.
    pub(crate) deleted: AtomicU64,
    /// Requests whose bytes did not match their checksum.
    pub(crate) corrupted: AtomicU64,
}

impl ChaosContext {
    pub(crate) fn new(client: Client, end_after: Duration, deadline: Duration) -> Self {
        Self {
            expected: ExpectedState::default(),
            counts: Counts::default(),
            client: Mutex::new(client),
            started: Instant::now(),
            end_after,
            deadline,
            ended: AtomicU64::new(0),
            failures: Mutex::default(),
            log: Mutex::default(),
            stalled: Mutex::default(),
        }
    }

    /// A client of the worker at its current address.
    pub(crate) fn http(&self) -> Client {
        lock(&self.client).clone()
    }

    /// Sets the client for the new address of the worker.
    pub(crate) fn set_client(&self, client: Client) {
        *lock(&self.client) = client;
    }

    /// Returns true while faults are scheduled.
    pub(crate) fn has_faults(&self) -> bool {
        self.elapsed() < self.end_after
    }

    /// Returns true after the deadline.
    pub(crate) fn is_late(&self) -> bool {
        self.elapsed() > self.deadline
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn client_ended(&self) {
        self.ended.fetch_add(1, Relaxed);
    }

    pub(crate) fn clients_ended(&self) -> u64 {
        self.ended.load(Relaxed)
    }

    /// Adds a stalled request.
    pub(crate) fn leave_stalled(&self, request: Exchange, since: Instant) {
        lock(&self.stalled).push((request, since));
    }

    /// Removes and returns the stalled requests.
    pub(crate) fn stalled(&self) -> Vec<(Exchange, Instant)> {
        std::mem::take(&mut *lock(&self.stalled))
    }

    /// Records an event of a client.
    pub(crate) fn log_event(&self, client: u64, what: &str) {
        let at = self.elapsed().as_secs_f64();
        lock(&self.log).push((client, format!("{at:7.3} s client {client}: {what}")));
    }

    /// Records a failure of a client with its last events.
    pub(crate) fn record_failure(&self, client: u64, what: &str) {
        let log = lock(&self.log);
        let mine = log.iter().rev().filter(|(of, _)| *of == client).take(REPORTED_EVENTS);
        let mut log_event: Vec<_> = mine.map(|(_, note)| note.as_str()).collect();
        log_event.reverse();
        lock(&self.failures).push(format!("client {client}: {what}\n{}", log_event.join("\n")));
    }

    /// All events in order.
    pub(crate) fn log(&self) -> String {
        let log_event: Vec<_> = lock(&self.log).iter().map(|(_, note)| note.clone()).collect();
        log_event.join("\n")
    }

    pub(crate) fn failures(&self) -> Vec<String> {
        lock(&self.failures).clone()
    }
}

impl Counts {
    /// Each count with its name.
    pub(crate) fn named(&self) -> [(&'static str, u64); 11] {
        [
            ("stored", &self.stored),
            ("requests", &self.requests),
            ("unanswered", &self.without_response),
            ("refused", &self.rejected),
            ("cut", &self.interrupted),
            ("stalled", &self.stalled),
            ("asked", &self.offset_queries),
            ("rivals", &self.duplicates),
            ("paused", &self.paused),
            ("deleted", &self.deleted),
            ("falsified", &self.corrupted),
        ]
        .map(|(name, count)| (name, count.load(Relaxed)))
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.named().map(|(name, count)| format!("{count} {name}"));
        f.write_str(&named.join(", "))
    }
}

/// The number of events in the report of a failure.
const REPORTED_EVENTS: usize = 40;

/// Increments a counter.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

/// Ignores poisoning: the run has failed then anyway.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
