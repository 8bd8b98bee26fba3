//! The counters of the host, for tests and benchmarks: `GET /_host/stats`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

/// A counter that can be reset.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds `amount`.
    pub(crate) fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Relaxed)
    }

    fn reset(&self) {
        self.0.store(0, Relaxed);
    }
}

/// All counters of the process.
#[derive(Default)]
pub(crate) struct Stats {
    /// Requests sent to a component.
    pub(crate) requests: Counter,
    /// Key-value reads: `get`, `exists` and `get-keys`.
    pub(crate) kv_reads: Counter,
    /// Successful key-value `set` calls.
    pub(crate) kv_writes: Counter,
    /// Key-value `delete` calls.
    pub(crate) kv_deletes: Counter,
    /// Bytes of the stored values.
    pub(crate) kv_bytes_written: Counter,
    /// Outbound requests that were allowed.
    pub(crate) outbound_requests: Counter,
    /// Bytes of outbound request bodies.
    pub(crate) outbound_bytes_sent: Counter,
    instances_started: Counter,
    instances: Mutex<Instances>,
    cpu_at_reset_nanos: AtomicU64,
}

/// The linear memory of the live instances.
#[derive(Default)]
struct Instances {
    memory_bytes: BTreeMap<u64, u64>,
    total_peak_bytes: u64,
    one_peak_bytes: u64,
}

/// The response of `GET /_host/stats`.
#[derive(Debug, Serialize)]
pub(crate) struct Snapshot {
    instances_started: u64,
    instances_live: u64,
    /// The peak of the total linear memory of all live instances.
    component_memory_peak_bytes: u64,
    component_memory_live_bytes: u64,
    /// The peak of the linear memory of a single instance.
    instance_memory_peak_bytes: u64,
    requests: u64,
    kv_reads: u64,
    kv_writes: u64,
    kv_deletes: u64,
    kv_bytes_written: u64,
    outbound_requests: u64,
    outbound_bytes_sent: u64,
    /// User and system time of this process since its start or the last reset.
    cpu_seconds: f64,
    /// The peak of the resident set, if the system reports it (Linux).
    process_rss_peak_bytes: Option<u64>,
}

impl Stats {
    /// Records the start of an instance.
    pub(crate) fn instance_started(&self, instance: u64) {
        self.instances_started.add(1);
        self.lock().memory_bytes.insert(instance, 0);
    }

    /// Records the current linear memory of an instance.
    pub(crate) fn instance_memory(&self, instance: u64, bytes: u64) {
        let mut instances = self.lock();
        instances.memory_bytes.insert(instance, bytes);
        instances.raise_peaks();
    }

    /// Records the end of an instance.
    pub(crate) fn instance_ended(&self, instance: u64) {
        self.lock().memory_bytes.remove(&instance);
    }

    /// The number of live instances.
    pub(crate) fn instances_live(&self) -> usize {
        self.lock().memory_bytes.len()
    }

    /// The current counters.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let instances = self.lock();
        let cpu_nanos = cpu_nanos().saturating_sub(self.cpu_at_reset_nanos.load(Relaxed));
        Snapshot {
            instances_started: self.instances_started.read(),
            instances_live: instances.memory_bytes.len() as u64,
            component_memory_peak_bytes: instances.total_peak_bytes,
            component_memory_live_bytes: instances.memory_bytes.values().sum(),
            instance_memory_peak_bytes: instances.one_peak_bytes,
            requests: self.requests.read(),
            kv_reads: self.kv_reads.read(),
            kv_writes: self.kv_writes.read(),
            kv_deletes: self.kv_deletes.read(),
            kv_bytes_written: self.kv_bytes_written.read(),
            outbound_requests: self.outbound_requests.read(),
            outbound_bytes_sent: self.outbound_bytes_sent.read(),
            cpu_seconds: cpu_nanos as f64 / 1e9,
            process_rss_peak_bytes: rss_peak_bytes(),
        }
    }

    /// Resets counters to zero and peaks to the current values.
    pub(crate) fn reset(&self) {
        let counters = [
            &self.requests,
            &self.kv_reads,
            &self.kv_writes,
            &self.kv_deletes,
            &self.kv_bytes_written,
            &self.outbound_requests,
            &self.outbound_bytes_sent,
            &self.instances_started,
        ];
        counters.into_iter().for_each(Counter::reset);
        let mut instances = self.lock();
        instances.total_peak_bytes = 0;
        instances.one_peak_bytes = 0;
        instances.raise_peaks();
        self.cpu_at_reset_nanos.store(cpu_nanos(), Relaxed);
        reset_rss_peak();
    }

    fn lock(&self) -> MutexGuard<'_, Instances> {
        // Each update leaves the table consistent, so a poisoned lock is usable.
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Instances {
    fn raise_peaks(&mut self) {
        let total = self.memory_bytes.values().sum();
        let one = self.memory_bytes.values().copied().max().unwrap_or(0);
        self.total_peak_bytes = self.total_peak_bytes.max(total);
        self.one_peak_bytes = self.one_peak_bytes.max(one);
    }
}

fn cpu_nanos() -> u64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(spent.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(spent.tv_nsec).unwrap_or(0)
}

fn rss_peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

fn reset_rss_peak() {
    // 5 resets the peak, proc_pid_clear_refs(5). The file exists only on Linux.
    if let Err(cause) = std::fs::write("/proc/self/clear_refs", "5") {
        tracing::debug!(%cause, "the peak of the resident set cannot be reset here");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_peaks_cover_the_sum_and_the_largest_instance_and_restart_at_a_reset() {
        let stats = Stats::default();
        stats.instance_started(1);
        stats.instance_started(2);
        stats.instance_memory(1, 300);
        stats.instance_memory(2, 500);
        stats.instance_ended(2);
        let before = stats.snapshot();
        assert_eq!((before.instances_started, before.instances_live), (2, 1));
        assert_eq!(before.component_memory_peak_bytes, 800);
        assert_eq!(before.instance_memory_peak_bytes, 500);
        assert_eq!(before.component_memory_live_bytes, 300);

        stats.reset();
        let after = stats.snapshot();
        assert_eq!((after.instances_started, after.instances_live), (0, 1));
        assert_eq!(after.component_memory_peak_bytes, 300);
        assert_eq!(after.instance_memory_peak_bytes, 300);
    }

    #[test]
    fn processor_time_is_measured_from_the_reset() {
        let stats = Stats::default();
        let total = stats.snapshot().cpu_seconds;
        assert!(total > 0.0);
        stats.reset();
        assert!(stats.snapshot().cpu_seconds < total + 1.0);
    }
}
