//! What a load cost a server.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::measurement::Bar;
use super::store_requests::StoreRequests;

/// What one load cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// Bytes of the bodies that clients sent.
    pub(super) body_bytes: u64,
    /// The PATCH requests they came in.
    pub(super) chunks: u64,
    pub(super) uploads: u64,
    pub(super) elapsed: Duration,
    /// User and system time of the server's process.
    pub(super) cpu_seconds: f64,
    /// The highest resident set of the server's process.
    pub(super) rss_peak_bytes: u64,
    pub(super) store: StoreRequests,
}

impl Cost {
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

    /// A count of requests, for each chunk.
    pub(super) fn per_chunk(&self, requests: u64) -> f64 {
        requests as f64 / self.chunks as f64
    }

    /// What begins and ends an upload, for each.
    pub(super) fn other_per_upload(&self) -> f64 {
        self.store.other as f64 / self.uploads as f64
    }

    /// The bars of the project, each with whether this load keeps it.
    pub(super) fn bars(&self) -> [Bar; 4] {
        let ratio = self.store_ratio();
        let requests = self.per_chunk(self.store.of_chunks());
        let questions = self.store.questions();
        let other = self.other_per_upload();
        let tells = self.chunks >= CHUNKS_PER_UPLOAD_MIN * self.uploads;
        let too_few = if tells { "" } else { ", of too few chunks to tell" };
        [
            Bar {
                name: format!("bytes to the store at most {STORE_RATIO_MAX} × the body"),
                found: format!("{ratio:.4}"),
                kept: ratio <= STORE_RATIO_MAX,
            },
            Bar {
                name: format!("at most {REQUESTS_PER_CHUNK_MAX} store requests a chunk"),
                found: format!("{requests:.3}{too_few}"),
                kept: requests <= REQUESTS_PER_CHUNK_MAX || !tells,
            },
            Bar {
                name: "no list, head or get requests".to_owned(),
                found: questions.to_string(),
                kept: questions == 0,
            },
            Bar {
                name: format!("at most {OTHER_PER_UPLOAD_MAX} requests to begin and end an upload"),
                found: format!("{other:.2}"),
                kept: other <= OTHER_PER_UPLOAD_MAX,
            },
        ]
    }

    /// The numbers with their units in the names.
    pub(super) fn to_json(self) -> Value {
        json!({
            "body_bytes": self.body_bytes,
            "chunks": self.chunks,
            "uploads": self.uploads,
            "elapsed_seconds": self.elapsed.as_secs_f64(),
            "cpu_seconds": self.cpu_seconds,
            "cpu_seconds_per_gb": self.cpu_seconds_per_gb(),
            "megabytes_per_second": self.megabytes_per_second(),
            "process_rss_peak_bytes": self.rss_peak_bytes,
            "store_bytes": self.store.written_bytes,
            "store_requests": {
                "part": self.store.part,
                "list": self.store.list,
                "head": self.store.head,
                "get": self.store.get,
                "put": self.store.put,
                "delete": self.store.delete,
                "other": self.store.other,
            },
        })
    }
}

/// What is not the body's own bytes has to be rounding.
const STORE_RATIO_MAX: f64 = 1.005;

/// A chunk is a part. What is left is for the last one, which may go as several.
const REQUESTS_PER_CHUNK_MAX: f64 = 1.1;

/// Below this, the last chunk alone decides.
const CHUNKS_PER_UPLOAD_MIN: u64 = 20;

/// CreateUploadVideo, InitiateMultipartUpload and CompleteMultipartUpload.
const OTHER_PER_UPLOAD_MAX: f64 = 3.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn cost() -> Cost {
        Cost {
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
        }
    }

    #[test]
    fn numbers_are_related_to_what_was_sent() {
        let cost = cost();
        assert!((cost.cpu_seconds_per_gb() - 1.5).abs() < 1e-9);
        assert!((cost.megabytes_per_second() - 200.0).abs() < 1e-9);
        assert!((cost.per_chunk(202) - 1.01).abs() < 1e-9);
        assert!(cost.bars().iter().all(|bar| bar.kept));
    }

    #[test]
    fn each_bar_is_missed_by_itself() {
        let missed = |change: fn(&mut StoreRequests)| {
            let mut changed = cost();
            change(&mut changed.store);
            changed.bars().map(|bar| bar.kept)
        };
        assert_eq!(missed(|it| it.written_bytes += 3_100_000), [false, true, true, true]);
        assert_eq!(missed(|it| it.put += 19), [true, false, true, true]);
        assert_eq!(missed(|it| it.list += 1), [true, true, false, true]);
        assert_eq!(missed(|it| it.head += 1), [true, true, false, true]);
        assert_eq!(missed(|it| it.get += 1), [true, true, false, true]);
        assert_eq!(missed(|it| it.other += 1), [true, true, true, false]);
    }

    #[test]
    fn a_few_chunks_do_not_tell_what_one_costs() {
        let cost_of = |chunks, part| {
            let store = StoreRequests { part, ..cost().store };
            Cost { chunks, store, ..cost() }.bars()[1].kept
        };
        assert!(!cost_of(40, 45), "20 chunks an upload tell");
        assert!(cost_of(38, 43), "19 do not");
    }
}
