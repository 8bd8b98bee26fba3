//! Counts of requests and body bytes, by operation.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// The requests for one operation since the last reset.
#[derive(Debug, Clone, Default, Serialize)]
pub struct OperationCount {
    /// Requests with a complete head.
    pub requests: u64,
    /// Received bytes of request bodies, including failed requests.
    pub bytes: u64,
    /// Requests with a status of 400 or above, or without a response.
    pub errors: u64,
    /// Requests by part number.
    pub by_part: BTreeMap<u16, u64>,
    /// Responses by status; 0 means that the connection ended without a response.
    pub by_status: BTreeMap<u16, u64>,
    /// Requests in progress.
    pub in_flight: u64,
    /// The maximum of concurrent requests.
    pub in_flight_peak: u64,
}

/// The counts of all operations.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    by_operation: Arc<Mutex<BTreeMap<String, OperationCount>>>,
}

impl Counters {
    /// Counts a new request, whose body bytes are in `received`. The outcome is counted when the
    /// returned value is dropped.
    pub(crate) fn start(
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

    /// The current counts. The bytes of a request are added when it ends.
    pub(crate) fn snapshot(&self) -> BTreeMap<String, OperationCount> {
        lock(&self.by_operation).clone()
    }

    /// Resets all counts except for requests in progress.
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
    /// Sets the status of the response.
    pub(crate) fn set_status(&mut self, status: u16) {
        self.status = status;
    }

    /// The body bytes received so far.
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
    fn a_request_without_a_response_counts_as_an_error() {
        let counters = Counters::default();
        let mut complete = counters.start("UploadPart", Some(3), Arc::default());
        let incomplete = counters.start("UploadPart", Some(3), Arc::default());
        complete.set_status(200);
        drop(complete);
        drop(incomplete);
        let count = counters.snapshot().remove("UploadPart").unwrap_or_default();
        assert_eq!((count.requests, count.errors, count.in_flight_peak), (2, 1, 2));
        assert_eq!(count.by_part, BTreeMap::from([(3, 2)]));
        assert_eq!(count.by_status, BTreeMap::from([(0, 1), (200, 1)]));
    }

    #[test]
    fn a_reset_keeps_only_requests_in_progress() {
        let counters = Counters::default();
        let open = counters.start("UploadPart", None, Arc::default());
        drop(counters.start("ListParts", None, Arc::default()));
        counters.reset();
        drop(open);
        let counts = counters.snapshot();
        assert_eq!(counts.len(), 1);
        assert_eq!(counts["UploadPart"].requests, 0);
        assert_eq!(counts["UploadPart"].in_flight, 0);
    }
}
