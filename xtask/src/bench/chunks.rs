//! `bench chunks`: small chunks through the worker and through a tus server in front of S3.
//!
//! A browser behind a proxy with a body limit sends 3 MiB at a time. OSS accepts such parts. S3
//! accepts none below 5 MiB, so a server in front of it writes each chunk twice and reads it back.

use super::benchmark::Benchmark;
use super::load::{RequestPattern, Workload};
use super::measurement::{Measurement, Threshold};
use super::peer::PeerKind;
use crate::report::mebibytes;

/// The benchmark.
pub(super) static CHUNKS: Benchmark = Benchmark {
    name: "chunks",
    default_size_mib: 384,
    workloads: &[
        Workload { name: "1 upload", uploads: 1, pattern: RequestPattern::Chunks },
        Workload { name: "4 uploads at once", uploads: 4, pattern: RequestPattern::Chunks },
    ],
    columns: &[
        ("CPU s/GB", |it| format!("{:.2}", it.cpu_seconds_per_gb())),
        ("MB/s", |it| format!("{:.0}", it.megabytes_per_second())),
        ("process peak", |it| mebibytes(it.rss_peak_bytes)),
        ("bytes to store", |it| format!("{:.3} ×", it.store_ratio())),
        ("requests/chunk", |it| it.per_chunk(it.store.chunk_requests())),
        ("part", |it| it.per_chunk(it.store.part)),
        ("list", |it| it.per_chunk(it.store.list)),
        ("head", |it| it.per_chunk(it.store.head)),
        ("get", |it| it.per_chunk(it.store.get)),
        ("put", |it| it.per_chunk(it.store.put)),
        ("delete", |it| it.per_chunk(it.store.delete)),
        ("create and complete/upload", |it| format!("{:.2}", it.per_upload(it.store.other))),
    ],
    thresholds,
    peer_name: "@tus/server, @tus/s3-store",
    peer: PeerKind::TusServer,
};

fn thresholds(it: &Measurement) -> Vec<Threshold> {
    let ratio = it.store_ratio();
    let requests = it.store.chunk_requests() as f64 / it.chunks as f64;
    let reads = it.store.read_requests();
    let other = it.per_upload(it.store.other);
    let is_enough = it.chunks >= CHUNKS_PER_UPLOAD_MIN * it.uploads;
    let too_few = if is_enough { "" } else { ", too few chunks to measure" };
    vec![
        Threshold {
            name: format!("bytes to the store at most {STORE_RATIO_MAX} × the body"),
            found: format!("{ratio:.4}"),
            kept: ratio <= STORE_RATIO_MAX,
        },
        Threshold {
            name: format!("at most {REQUESTS_PER_CHUNK_MAX} store requests per chunk"),
            found: format!("{requests:.3}{too_few}"),
            kept: requests <= REQUESTS_PER_CHUNK_MAX || !is_enough,
        },
        Threshold {
            name: "no list, head or get requests".to_owned(),
            found: reads.to_string(),
            kept: reads == 0,
        },
        Threshold {
            name: format!(
                "at most {OTHER_PER_UPLOAD_MAX} requests to create and complete an upload"
            ),
            found: format!("{other:.2}"),
            kept: other <= OTHER_PER_UPLOAD_MAX,
        },
    ]
}

/// 1, except for rounding.
const STORE_RATIO_MAX: f64 = 1.005;

/// A chunk is a part. The last one may be split into several.
const REQUESTS_PER_CHUNK_MAX: f64 = 1.1;

/// With fewer chunks, the last one decides.
const CHUNKS_PER_UPLOAD_MIN: u64 = 20;

/// CreateUploadVideo, InitiateMultipartUpload and CompleteMultipartUpload.
const OTHER_PER_UPLOAD_MAX: f64 = 3.0;

#[cfg(test)]
mod tests {
    use super::super::measurement::missed;
    use super::*;

    #[test]
    fn each_threshold_is_missed_separately() {
        let missed = |change: fn(&mut Measurement)| missed(thresholds, change);
        assert_eq!(missed(|_| ()), [false; 4]);
        assert_eq!(missed(|it| it.store.written_bytes += 3_100_000), [true, false, false, false]);
        assert_eq!(missed(|it| it.store.put += 19), [false, true, false, false]);
        assert_eq!(missed(|it| it.store.list += 1), [false, false, true, false]);
        assert_eq!(missed(|it| it.store.head += 1), [false, false, true, false]);
        assert_eq!(missed(|it| it.store.get += 1), [false, false, true, false]);
        assert_eq!(missed(|it| it.store.other += 1), [false, false, false, true]);
    }
}
