//! The cost of one workload.

use std::time::Duration;

use serde_json::{Value, json};

/// The cost of one workload.
#[derive(Clone, Debug)]
pub(super) struct Measurement {
    /// Bytes of all request bodies.
    pub(super) body_bytes: u64,
    /// The number of requests that these bodies need in chunks of 3 MiB.
    pub(super) chunks: u64,
    pub(super) uploads: u64,
    pub(super) elapsed: Duration,
    /// User and system time of the server's process.
    pub(super) cpu_seconds: f64,
    /// The highest resident set of the server's process.
    pub(super) rss_peak_bytes: u64,
    pub(super) store: StoreRequests,
    /// The largest linear memory of all instances together; `None` if there are no components.
    pub(super) component_memory_peak_bytes: Option<u64>,
    /// The most bytes on disk outside the key-value store; `None` if they are not sampled.
    pub(super) temporary_bytes: Option<u64>,
}

/// A limit, and the measured value.
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

    /// Millions of bytes per second.
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

/// Requests to a store, by kind, and the bytes it received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StoreRequests {
    pub(super) part: u64,
    pub(super) list: u64,
    pub(super) head: u64,
    pub(super) get: u64,
    pub(super) put: u64,
    pub(super) delete: u64,
    /// The requests that create and complete an upload, including those to VOD.
    pub(super) other: u64,
    /// Bytes of parts and objects.
    pub(super) written_bytes: u64,
}

impl StoreRequests {
    /// Reads the counts of the sandbox, or of `tests/bench_servers/store.mjs`.
    pub(super) fn from_json(requests: &Value) -> Self {
        let mut counted = Self::default();
        for (operation, count) in requests["operations"].as_object().into_iter().flatten() {
            let number = |name: &str| count[name].as_u64().unwrap_or_default();
            let kind = match operation.as_str() {
                "UploadPart" | "UploadPartCopy" => &mut counted.part,
                "ListParts" | "ListMultipartUploads" | "ListObjects" => &mut counted.list,
                "HeadObject" => &mut counted.head,
                "GetObject" => &mut counted.get,
                "PutObject" => &mut counted.put,
                "DeleteObject" => &mut counted.delete,
                _ => &mut counted.other,
            };
            *kind += number("requests");
            if matches!(operation.as_str(), "UploadPart" | "PutObject") {
                counted.written_bytes += number("bytes");
            }
        }
        counted
    }

    /// Requests of all kinds.
    pub(super) fn all(&self) -> u64 {
        self.chunk_requests() + self.other
    }

    /// Requests of all kinds except [`Self::other`], whose number does not depend on the size.
    pub(super) fn chunk_requests(&self) -> u64 {
        self.part + self.read_requests() + self.put + self.delete
    }

    /// Requests for information that a server could have stored.
    pub(super) fn read_requests(&self) -> u64 {
        self.list + self.head + self.get
    }

    /// The requests by kind.
    pub(super) fn to_json(self) -> Value {
        json!({
            "part": self.part,
            "list": self.list,
            "head": self.head,
            "get": self.get,
            "put": self.put,
            "delete": self.delete,
            "other": self.other,
        })
    }
}

/// A measurement that meets every threshold.
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

/// Whether each threshold is missed after a change of [`measured`].
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
    fn costs_are_relative_to_the_bytes_sent() {
        let measured = measured();
        assert!((measured.cpu_seconds_per_gb() - 1.5).abs() < 1e-9);
        assert!((measured.megabytes_per_second() - 200.0).abs() < 1e-9);
        assert!((measured.store_ratio() - 1.0).abs() < 1e-9);
        assert!((measured.per_upload(measured.store.all()) - 104.0).abs() < 1e-9);
        assert_eq!(measured.per_chunk(202), "1.01");
    }

    #[test]
    fn operations_of_the_store_are_counted_by_kind() {
        let counted = StoreRequests::from_json(&json!({ "operations": {
            "CreateUploadVideo": { "requests": 1, "bytes": 200 },
            "UploadPart": { "requests": 8, "bytes": 1_000 },
            "ListParts": { "requests": 3, "bytes": 0 },
            "PutObject": { "requests": 5, "bytes": 20 },
            "CompleteMultipartUpload": { "requests": 1, "bytes": 4_000 },
        }}));
        let expected = StoreRequests {
            part: 8,
            list: 3,
            put: 5,
            other: 2,
            written_bytes: 1_020,
            ..StoreRequests::default()
        };
        assert_eq!(counted, expected);
    }
}
