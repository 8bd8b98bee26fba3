//! What one row of the table is made of.

use std::time::Duration;

use serde_json::{Value, json};

/// What one load cost the worker.
#[derive(Clone, Debug, Default)]
pub(super) struct Measurement {
    /// Bytes of the bodies that clients sent.
    pub(super) body_bytes: u64,
    pub(super) uploads: u64,
    pub(super) elapsed: Duration,
    /// User and system time of the host's process.
    pub(super) cpu_seconds: f64,
    /// Requests of every kind that reached the store and VOD.
    pub(super) store_requests: u64,
    /// Bytes of the bodies that reached the store.
    pub(super) store_bytes: u64,
    /// The most linear memory of all instances together.
    pub(super) component_memory_peak_bytes: u64,
    /// The highest resident set of the host's process.
    pub(super) rss_peak_bytes: u64,
    /// The most bytes that were on disk beside the key-value store.
    pub(super) temporary_bytes: u64,
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
        self.store_bytes as f64 / self.body_bytes as f64
    }

    /// Requests for each upload.
    pub(super) fn requests_per_upload(&self) -> f64 {
        self.store_requests as f64 / self.uploads as f64
    }

    /// The bars of the project, each with whether this load keeps it.
    pub(super) fn bars(&self) -> [Bar; 3] {
        let cpu = self.cpu_seconds_per_gb();
        let ratio = self.store_ratio();
        [
            Bar {
                name: format!("CPU at most {CPU_SECONDS_PER_GB_MAX:.1} s/GB"),
                found: format!("{cpu:.2}"),
                kept: cpu <= CPU_SECONDS_PER_GB_MAX,
            },
            Bar {
                name: "bytes to the store 1.00 × the body".to_owned(),
                found: format!("{ratio:.4}"),
                kept: (ratio - 1.0).abs() < STORE_RATIO_TOLERANCE,
            },
            Bar {
                name: "no temporary disk".to_owned(),
                found: format!("{} bytes", self.temporary_bytes),
                kept: self.temporary_bytes == 0,
            },
        ]
    }

    /// The numbers with their units in the names.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "body_bytes": self.body_bytes,
            "uploads": self.uploads,
            "elapsed_seconds": self.elapsed.as_secs_f64(),
            "cpu_seconds": self.cpu_seconds,
            "cpu_seconds_per_gb": self.cpu_seconds_per_gb(),
            "megabytes_per_second": self.megabytes_per_second(),
            "store_requests": self.store_requests,
            "store_bytes": self.store_bytes,
            "component_memory_peak_bytes": self.component_memory_peak_bytes,
            "process_rss_peak_bytes": self.rss_peak_bytes,
            "temporary_bytes": self.temporary_bytes,
        })
    }
}

/// A limit, and what was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) found: String,
    pub(super) kept: bool,
}

/// With CRC-64 on.
const CPU_SECONDS_PER_GB_MAX: f64 = 2.0;

/// What rounds to 1.00.
const STORE_RATIO_TOLERANCE: f64 = 0.005;

#[cfg(test)]
mod tests {
    use super::*;

    fn measurement() -> Measurement {
        Measurement {
            body_bytes: 500_000_000,
            uploads: 8,
            elapsed: Duration::from_secs(2),
            cpu_seconds: 0.9,
            store_requests: 100,
            store_bytes: 500_000_000,
            ..Measurement::default()
        }
    }

    #[test]
    fn numbers_are_related_to_what_was_sent() {
        let measurement = measurement();
        assert!((measurement.cpu_seconds_per_gb() - 1.8).abs() < 1e-9);
        assert!((measurement.megabytes_per_second() - 250.0).abs() < 1e-9);
        assert!((measurement.requests_per_upload() - 12.5).abs() < 1e-9);
        assert!(measurement.bars().iter().all(|bar| bar.kept));
    }

    #[test]
    fn each_bar_is_missed_by_itself() {
        let missed = |change: fn(&mut Measurement)| {
            let mut changed = measurement();
            change(&mut changed);
            changed.bars().map(|bar| bar.kept)
        };
        assert_eq!(missed(|it| it.cpu_seconds = 1.01), [false, true, true]);
        assert_eq!(missed(|it| it.store_bytes += 5_000_000), [true, false, true]);
        assert_eq!(missed(|it| it.store_bytes -= 5_000_000), [true, false, true]);
        assert_eq!(missed(|it| it.temporary_bytes = 1), [true, true, false]);
    }
}
