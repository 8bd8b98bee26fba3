//! What a process uses, as proc(5) reports it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::command_error::CommandError;

/// What a process has used so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usage {
    /// User and system time.
    pub(super) cpu_seconds: f64,
    /// The peak of the resident set since [`reset_peak_rss`].
    pub(super) rss_peak_bytes: u64,
}

impl Usage {
    /// Reads the usage of a running process.
    pub(super) fn read(process: u32) -> Result<Self, CommandError> {
        let read = |name: &str| fs::read_to_string(format!("/proc/{process}/{name}"));
        let ticks = read("stat").ok().and_then(|stat| cpu_ticks(&stat));
        let rss = read("status").ok().and_then(|status| rss_peak_bytes(&status));
        let (Some(ticks), Some(rss_peak_bytes)) = (ticks, rss) else {
            let message = format!("/proc/{process} cannot be read; the process may have exited");
            return Err(CommandError::new(message));
        };
        let per_second = rustix::param::clock_ticks_per_second();
        Ok(Self { cpu_seconds: ticks as f64 / per_second as f64, rss_peak_bytes })
    }
}

/// Makes the current resident set the peak, so that startup and compilation are not counted.
pub(super) fn reset_peak_rss(process: u32) -> Result<(), CommandError> {
    let path = format!("/proc/{process}/clear_refs");
    fs::write(&path, "5").map_err(|cause| CommandError::new(format!("{path}: {cause}")))
}

/// User and system time of `/proc/PID/stat`, in clock ticks.
fn cpu_ticks(stat: &str) -> Option<u64> {
    // The name of the program is the second field, in parentheses, and may contain anything.
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut fields = after_name.split(' ').skip(FIELDS_BEFORE_UTIME);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

fn rss_peak_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// Samples the bytes of request bodies on disk: the files in a host's data directory, which
/// contains its temporary directory, and the unlinked files that its process has open.
#[derive(Debug)]
pub(super) struct DiskWatch {
    state: Arc<(AtomicBool, AtomicU64)>,
    thread: JoinHandle<()>,
}

impl DiskWatch {
    /// Starts sampling.
    pub(super) fn start(data: &Path, process: u32) -> Self {
        let state = Arc::new((AtomicBool::new(false), AtomicU64::new(0)));
        let (shared, data) = (Arc::clone(&state), data.to_owned());
        let thread = thread::spawn(move || {
            let (finished, peak_bytes) = &*shared;
            loop {
                let is_last = finished.load(Ordering::Relaxed);
                let bytes = bytes_below(&data) + unlinked_bytes(process);
                peak_bytes.fetch_max(bytes, Ordering::Relaxed);
                if is_last {
                    return;
                }
                thread::sleep(SAMPLE_INTERVAL);
            }
        });
        Self { state, thread }
    }

    /// The peak of all samples.
    pub(super) fn finish(self) -> u64 {
        self.state.0.store(true, Ordering::Relaxed);
        // The thread does not panic.
        drop(self.thread.join());
        self.state.1.load(Ordering::Relaxed)
    }
}

/// Bytes of all files in the directory, except the host's own.
fn bytes_below(directory: &Path) -> u64 {
    let mut bytes = 0;
    let mut directories: Vec<PathBuf> = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let own = OWN_FILES.iter().any(|own| name.to_string_lossy().starts_with(own));
            match entry.metadata() {
                Ok(metadata) if !own && metadata.is_dir() => directories.push(entry.path()),
                Ok(metadata) if !own => bytes += metadata.len(),
                // The host's own, or deleted since the directory was read.
                _ => {}
            }
        }
    }
    bytes
}

fn unlinked_bytes(process: u32) -> u64 {
    let open = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    open.map(|entry| entry.path())
        .filter(|path| {
            let target = fs::read_link(path).unwrap_or_default();
            let target = target.to_string_lossy();
            // An anonymous file in memory is not on disk.
            target.ends_with(" (deleted)") && !target.starts_with("/memfd:")
        })
        .filter_map(|path| fs::metadata(path).ok())
        .map(|metadata| metadata.len())
        .sum()
}

/// utime is field 14, and field 3 is the first after the name.
const FIELDS_BEFORE_UTIME: usize = 11;

/// Prefixes of the names of the host's own files and directories: the key-value store, the compiled
/// component, the seal key.
const OWN_FILES: &[&str] = &["key-value.sqlite", "compiled", "seal.key"];

const SAMPLE_INTERVAL: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn usage_is_parsed_from_proc() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194560 900 0 3 0 250 75 0 0 20 0 5 0 99 1 2 3\n";
        assert_eq!(cpu_ticks(stat), Some(325));
        assert_eq!(rss_peak_bytes("VmPeak:\t 9 kB\nVmHWM:\t    2048 kB\n"), Some(2_097_152));
        assert!(Usage::read(std::process::id()).unwrap().rss_peak_bytes > 0);
    }

    #[test]
    fn files_of_bodies_count_even_if_they_are_unlinked() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("key-value.sqlite-wal"), [0; 1_000]).unwrap();
        fs::create_dir(path("tmp")).unwrap();
        fs::write(path("tmp/part"), [0; 34]).unwrap();
        let before = unlinked_bytes(std::process::id());
        let open = fs::File::open(path("tmp/part")).unwrap();
        assert_eq!(DiskWatch::start(directory.path(), u32::MAX).finish(), 34);
        fs::remove_file(path("tmp/part")).unwrap();
        assert_eq!(unlinked_bytes(std::process::id()) - before, 34);
        drop(open);
    }
}
