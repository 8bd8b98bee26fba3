//! What one workload cost a server.

use std::time::Duration;

use serde_json::{Value, json};

use super::store_requests::StoreRequests;

/// What one workload cost.
#[derive(Clone, Debug)]
pub(super) struct Measurement {
    /// Bytes of the bodies that clients sent.
    pub(super) body_bytes: u64,
    /// The requests that they would need with chunks of 3 MiB.
    pub(super) chunks: u64,
    pub(super) uploads: u64,
    pub(super) elapsed: Duration,
    /// User and system time of the server's process.
    pub(super) cpu_seconds: f64,
    /// The highest resident set of the server's process.
    pub(super) rss_peak_bytes: u64,
    pub(super) store: StoreRequests,
    /// The most linear memory of all instances together; `None` if the server runs no components.
    pub(super) component_memory_peak_bytes: Option<u64>,
    /// The most bytes that were on disk beside the key-value store; `None` if that is not watched.
    pub(super) temporary_bytes: Option<u64>,
}

/// A limit, and what was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Threshold {
    pub(super) name: String,
    pub(super) found: String,
    pub(super) kept: bool,
}

impl Measurement {
    /// CPU seconds for each 10⁹ bytes.
    pub(super) fn cpu_seconds_per_gb(&self) -> f64 {
        self.cpu_seconds / (self.body_bytes as f64 / 1e9)
    }

    /// Millions of bytes a second.
    pub(super) fn megabytes_per_second(&self) -> f64 {
        self.body_bytes as f64 / 1e6 / self.elapsed.as_secs_f64()
    }

    /// Bytes to the store for each byte of a body.
    pub(super) fn store_ratio(&self) -> f64 {
        self.store.written_bytes as f64 / self.body_bytes as f64
    }

    /// A number of requests for each upload.
    pub(super) fn per_upload(&self, requests: u64) -> f64 {
        requests as f64 / self.uploads as f64
    }

    /// A number of requests for each chunk, with two decimals.
    pub(super) fn per_chunk(&self, requests: u64) -> String {
        format!("{:.2}", requests as f64 / self.chunks as f64)
    }

    /// The numbers with their units in the names.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "body_bytes": self.body_bytes,
            "chunks": self.chunks,
            "uploads": self.uploads,
            "elapsed_seconds": self.elapsed.as_secs_f64(),
            "cpu_seconds": self.cpu_seconds,
            "cpu_seconds_per_gb": self.cpu_seconds_per_gb(),
            "megabytes_per_second": self.megabytes_per_second(),
            "process_rss_peak_bytes": self.rss_peak_bytes,
            "component_memory_peak_bytes": self.component_memory_peak_bytes,
            "temporary_bytes": self.temporary_bytes,
            "store_bytes": self.store.written_bytes,
            "store_requests": self.store.to_json(),
        })
    }
}

/// What keeps every threshold.
#[cfg(test)]
pub(super) fn measured() -> Measurement {
    Measurement {
        body_bytes: 600_000_000,
        chunks: 200,
        uploads: 2,
        elapsed: Duration::from_secs(3),
        cpu_seconds: 0.9,
        rss_peak_bytes: 1,
        store: StoreRequests {
            part: 202,
            other: 6,
            written_bytes: 600_000_000,
            ..StoreRequests::default()
        },
        component_memory_peak_bytes: None,
        temporary_bytes: None,
    }
}

/// Which of the thresholds are missed after a change of what keeps them all.
#[cfg(test)]
pub(super) fn missed(
    thresholds: fn(&Measurement) -> Vec<Threshold>,
    change: impl Fn(&mut Measurement),
) -> Vec<bool> {
    let mut changed = measured();
    change(&mut changed);
    thresholds(&changed).iter().map(|threshold| !threshold.kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_related_to_what_was_sent() {
        let measured = measured();
        assert!((measured.cpu_seconds_per_gb() - 1.5).abs() < 1e-9);
        assert!((measured.megabytes_per_second() - 200.0).abs() < 1e-9);
        assert!((measured.store_ratio() - 1.0).abs() < 1e-9);
        assert!((measured.per_upload(measured.store.all()) - 104.0).abs() < 1e-9);
        assert_eq!(measured.per_chunk(202), "1.01");
    }
}
