//! Counts of requests and body bytes, by operation.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// What one operation was asked for since the last reset.
#[derive(Debug, Clone, Default, Serialize)]
pub struct OperationCount {
    /// Requests whose head arrived.
    pub requests: u64,
    /// Bytes of request bodies that arrived, also of requests that failed.
    pub bytes: u64,
    /// Requests that got a status of 400 or above, or no reply.
    pub errors: u64,
    /// Requests by part number.
    pub by_part: BTreeMap<u16, u64>,
    /// Replies by status; 0 stands for a connection that ended without a reply.
    pub by_status: BTreeMap<u16, u64>,
    /// Requests under way now.
    pub in_flight: u64,
    /// The most requests that were under way at once.
    pub in_flight_peak: u64,
}

/// The counts of all operations.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    by_operation: Arc<Mutex<BTreeMap<String, OperationCount>>>,
}

impl Counters {
    /// Counts a request that begins, whose body bytes `received` counts. Its end is counted when
    /// the returned value is dropped.
    pub(crate) fn begin(
        &self,
        operation: &str,
        part: Option<u16>,
        received: Arc<AtomicU64>,
    ) -> CountedRequest {
        let mut counts = lock(&self.by_operation);
        let count = counts.entry(operation.to_owned()).or_default();
        count.requests += 1;
        count.in_flight += 1;
        count.in_flight_peak = count.in_flight_peak.max(count.in_flight);
        if let Some(part) = part {
            *count.by_part.entry(part).or_default() += 1;
        }
        CountedRequest {
            by_operation: Arc::clone(&self.by_operation),
            operation: operation.to_owned(),
            received,
            status: 0,
        }
    }

    /// The counts so far. Bytes of a request are added when it ends.
    pub(crate) fn snapshot(&self) -> BTreeMap<String, OperationCount> {
        lock(&self.by_operation).clone()
    }

    /// Forgets all counts but the requests under way.
    pub(crate) fn reset(&self) {
        let mut counts = lock(&self.by_operation);
        counts.retain(|_, count| count.in_flight > 0);
        for count in counts.values_mut() {
            *count = OperationCount {
                in_flight: count.in_flight,
                in_flight_peak: count.in_flight,
                ..OperationCount::default()
            };
        }
    }
}

/// A request that is being counted.
#[derive(Debug)]
pub(crate) struct CountedRequest {
    by_operation: Arc<Mutex<BTreeMap<String, OperationCount>>>,
    operation: String,
    received: Arc<AtomicU64>,
    status: u16,
}

impl CountedRequest {
    /// Notes the status of the reply.
    pub(crate) fn answered(&mut self, status: u16) {
        self.status = status;
    }

    /// Body bytes that arrived so far.
    pub(crate) fn received_bytes(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

impl Drop for CountedRequest {
    fn drop(&mut self) {
        let mut counts = lock(&self.by_operation);
        let count = counts.entry(self.operation.clone()).or_default();
        count.in_flight = count.in_flight.saturating_sub(1);
        count.bytes += self.received_bytes();
        count.errors += u64::from(self.status == 0 || self.status >= 400);
        *count.by_status.entry(self.status).or_default() += 1;
    }
}

fn lock(
    counts: &Mutex<BTreeMap<String, OperationCount>>,
) -> MutexGuard<'_, BTreeMap<String, OperationCount>> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_without_a_reply_counts_as_an_error() {
        let counters = Counters::default();
        let mut answered = counters.begin("UploadPart", Some(3), Arc::default());
        let unanswered = counters.begin("UploadPart", Some(3), Arc::default());
        answered.answered(200);
        drop(answered);
        drop(unanswered);
        let count = counters.snapshot().remove("UploadPart").unwrap_or_default();
        assert_eq!((count.requests, count.errors, count.in_flight_peak), (2, 1, 2));
        assert_eq!(count.by_part, BTreeMap::from([(3, 2)]));
        assert_eq!(count.by_status, BTreeMap::from([(0, 1), (200, 1)]));
    }

    #[test]
    fn a_reset_keeps_only_what_is_under_way() {
        let counters = Counters::default();
        let open = counters.begin("UploadPart", None, Arc::default());
        drop(counters.begin("ListParts", None, Arc::default()));
        counters.reset();
        drop(open);
        let counts = counters.snapshot();
        assert_eq!(counts.len(), 1);
        assert_eq!(counts["UploadPart"].requests, 0);
        assert_eq!(counts["UploadPart"].in_flight, 0);
    }
}
