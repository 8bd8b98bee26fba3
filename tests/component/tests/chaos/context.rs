//! What all clients share: the client of the worker, the time, and the expected state.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use vod_uploader_wire::{Client, Exchange};

use crate::expected_state::ExpectedState;

/// The surroundings of one run.
pub(crate) struct ChaosContext {
    /// The acknowledgments that the clients received.
    pub(crate) expected: ExpectedState,
    /// What happened.
    pub(crate) counts: Counts,
    door: Mutex<Client>,
    begun: Instant,
    end_after: Duration,
    deadline: Duration,
    ended: AtomicU64,
    failures: Mutex<Vec<String>>,
    log: Mutex<Vec<(u64, String)>>,
    stalled: Mutex<Vec<(Exchange, Instant)>>,
}

/// How often what happened.
#[derive(Default)]
pub(crate) struct Counts {
    /// Files that a client was told to be whole.
    pub(crate) stored: AtomicU64,
    /// Requests that brought bytes.
    pub(crate) requests: AtomicU64,
    /// Of these, the ones without an answer that the client did not break off itself.
    pub(crate) unanswered: AtomicU64,
    /// Answers that asked to try again later.
    pub(crate) refused: AtomicU64,
    /// Requests that their client broke off.
    pub(crate) cut: AtomicU64,
    /// Clients that stalled within a request, and continued over another connection.
    pub(crate) stalled: AtomicU64,
    /// Questions for the offset within a request that went on.
    pub(crate) asked: AtomicU64,
    /// Requests for the same bytes at the same time.
    pub(crate) rivals: AtomicU64,
    /// Uploads that were paused within a request.
    pub(crate) paused: AtomicU64,
    /// Uploads that were deleted within a request.
    pub(crate) deleted: AtomicU64,
    /// Requests whose bytes were not those of their checksum.
    pub(crate) falsified: AtomicU64,
}

impl ChaosContext {
    pub(crate) fn new(client: Client, end_after: Duration, deadline: Duration) -> Self {
        Self {
            expected: ExpectedState::default(),
            counts: Counts::default(),
            door: Mutex::new(client),
            begun: Instant::now(),
            end_after,
            deadline,
            ended: AtomicU64::new(0),
            failures: Mutex::default(),
            log: Mutex::default(),
            stalled: Mutex::default(),
        }
    }

    /// A client of the worker, wherever it listens now.
    pub(crate) fn http(&self) -> Client {
        lock(&self.door).clone()
    }

    /// The worker listens elsewhere from now on.
    pub(crate) fn has_moved(&self, client: Client) {
        *lock(&self.door) = client;
    }

    /// Whether clients still have faults.
    pub(crate) fn has_faults(&self) -> bool {
        self.elapsed() < self.end_after
    }

    /// Whether everybody should have ended.
    pub(crate) fn is_late(&self) -> bool {
        self.elapsed() > self.deadline
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    pub(crate) fn client_ended(&self) {
        self.ended.fetch_add(1, Relaxed);
    }

    pub(crate) fn clients_ended(&self) -> u64 {
        self.ended.load(Relaxed)
    }

    /// A client lets a request be in which it said nothing more since then.
    pub(crate) fn leave_stalled(&self, request: Exchange, since: Instant) {
        lock(&self.stalled).push((request, since));
    }

    /// The requests that were left so.
    pub(crate) fn stalled(&self) -> Vec<(Exchange, Instant)> {
        std::mem::take(&mut *lock(&self.stalled))
    }

    /// A client notes what happens to it.
    pub(crate) fn notes(&self, client: u64, what: &str) {
        let at = self.elapsed().as_secs_f64();
        lock(&self.log).push((client, format!("{at:7.3} s client {client}: {what}")));
    }

    /// A client fails: what happened to it last is told with it.
    pub(crate) fn fails(&self, client: u64, what: &str) {
        let log = lock(&self.log);
        let mine = log.iter().rev().filter(|(of, _)| *of == client).take(TOLD_NOTES);
        let mut notes: Vec<_> = mine.map(|(_, note)| note.as_str()).collect();
        notes.reverse();
        lock(&self.failures).push(format!("client {client}: {what}\n{}", notes.join("\n")));
    }

    /// Everything that happened, in its order.
    pub(crate) fn log(&self) -> String {
        let notes: Vec<_> = lock(&self.log).iter().map(|(_, note)| note.clone()).collect();
        notes.join("\n")
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
            ("unanswered", &self.unanswered),
            ("refused", &self.refused),
            ("cut", &self.cut),
            ("stalled", &self.stalled),
            ("asked", &self.asked),
            ("rivals", &self.rivals),
            ("paused", &self.paused),
            ("deleted", &self.deleted),
            ("falsified", &self.falsified),
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

/// How many of a client's notes are told with its failure.
const TOLD_NOTES: usize = 40;

/// Counts one more.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

/// What a panicking thread holds is still readable: the run has failed then anyway.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
