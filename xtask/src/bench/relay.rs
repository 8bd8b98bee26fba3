//! `bench relay`: bodies through the worker into a store that discards them, compared with nginx,
//! which relays them unbuffered.

use super::benchmark::Benchmark;
use super::load::WORKLOADS;
use super::measurement::{Measurement, Threshold};
use super::peer::PeerKind;
use crate::report::mebibytes;

/// The benchmark.
pub(super) static RELAY: Benchmark = Benchmark {
    name: "relay",
    default_size_mib: 512,
    workloads: &WORKLOADS,
    columns: &[
        ("CPU s/GB", |it| format!("{:.2}", it.cpu_seconds_per_gb())),
        ("MB/s", |it| format!("{:.0}", it.megabytes_per_second())),
        ("requests/upload", |it| format!("{:.1}", it.per_upload(it.store.all()))),
        ("bytes to store", |it| format!("{:.2} ×", it.store_ratio())),
        ("component peak", |it| it.component_memory_peak_bytes.map_or(String::new(), mebibytes)),
        ("process peak", |it| mebibytes(it.rss_peak_bytes)),
        ("temporary disk", |it| it.temporary_bytes.map_or(String::new(), mebibytes)),
    ],
    thresholds,
    peer_name: "nginx, unbuffered",
    peer: PeerKind::Nginx,
};

fn thresholds(it: &Measurement) -> Vec<Threshold> {
    let (cpu, ratio) = (it.cpu_seconds_per_gb(), it.store_ratio());
    let temporary_bytes = it.temporary_bytes.unwrap_or_default();
    vec![
        Threshold {
            name: format!("CPU at most {CPU_SECONDS_PER_GB_MAX:.1} s/GB"),
            found: format!("{cpu:.2}"),
            kept: cpu <= CPU_SECONDS_PER_GB_MAX,
        },
        Threshold {
            name: "bytes to the store 1.00 × the body".to_owned(),
            found: format!("{ratio:.4}"),
            kept: (ratio - 1.0).abs() < STORE_RATIO_TOLERANCE,
        },
        Threshold {
            name: "no temporary disk".to_owned(),
            found: format!("{temporary_bytes} bytes"),
            kept: temporary_bytes == 0,
        },
    ]
}

/// With CRC-64 on.
const CPU_SECONDS_PER_GB_MAX: f64 = 2.0;

/// The ratio rounds to 1.00.
const STORE_RATIO_TOLERANCE: f64 = 0.005;

#[cfg(test)]
mod tests {
    use super::super::measurement::missed;
    use super::*;

    #[test]
    fn each_threshold_is_missed_separately() {
        let missed = |change: fn(&mut Measurement)| missed(thresholds, change);
        assert_eq!(missed(|_| ()), [false, false, false]);
        assert_eq!(missed(|it| it.cpu_seconds = 1.21), [true, false, false]);
        assert_eq!(missed(|it| it.store.written_bytes += 6_000_000), [false, true, false]);
        assert_eq!(missed(|it| it.store.written_bytes -= 6_000_000), [false, true, false]);
        assert_eq!(missed(|it| it.temporary_bytes = Some(1)), [false, false, true]);
    }
}
