//! Watches for request bodies that are written to disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Measures, until it is finished, the files in a host's data directory, which contains its
/// temporary directory, and the unlinked files that its process has open.
#[derive(Debug)]
pub(super) struct Watch {
    shared: Arc<WatchState>,
    thread: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct WatchState {
    finished: AtomicBool,
    peak_bytes: AtomicU64,
}

impl Watch {
    /// Starts measuring.
    pub(super) fn start(data: &Path, process: u32) -> Self {
        let shared = Arc::new(WatchState::default());
        let (of_thread, data) = (Arc::clone(&shared), data.to_owned());
        let thread = thread::spawn(move || {
            loop {
                let finished = of_thread.finished.load(Ordering::Relaxed);
                let bytes = bytes_below(&data) + bytes_without_name(process);
                of_thread.peak_bytes.fetch_max(bytes, Ordering::Relaxed);
                if finished {
                    return;
                }
                thread::sleep(INTERVAL);
            }
        });
        Self { shared, thread }
    }

    /// The most bytes that were there at once.
    pub(super) fn finish(self) -> u64 {
        self.shared.finished.store(true, Ordering::Relaxed);
        // Nothing in the thread panics; if it did, what it saw before still counts.
        drop(self.thread.join());
        self.shared.peak_bytes.load(Ordering::Relaxed)
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
                Ok(_) if own => {}
                Ok(metadata) if metadata.is_dir() => directories.push(entry.path()),
                Ok(metadata) => bytes += metadata.len(),
                // The file was deleted.
                Err(_) => {}
            }
        }
    }
    bytes
}

fn bytes_without_name(process: u32) -> u64 {
    let open = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    open.map(|entry| entry.path())
        .filter(|path| {
            let target = fs::read_link(path).unwrap_or_default();
            let target = target.to_string_lossy();
            // An anonymous file in memory is none on disk.
            target.ends_with(" (deleted)") && !target.starts_with("/memfd:")
        })
        .filter_map(|path| fs::metadata(path).ok())
        .map(|metadata| metadata.len())
        .sum()
}

/// How the names of the host's own files and directories begin: the key-value store, the compiled
/// component, the key that seals.
const OWN_FILES: &[&str] = &["key-value.sqlite", "compiled", "seal.key"];

const INTERVAL: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn every_file_counts_but_the_hosts_own() {
        let directory = tempfile::tempdir().unwrap();
        for (name, length) in [("key-value.sqlite-wal", 1_000), ("spool", 30)] {
            fs::write(directory.path().join(name), vec![0; length]).unwrap();
        }
        fs::create_dir(directory.path().join("tmp")).unwrap();
        fs::write(directory.path().join("tmp/part"), [0; 4]).unwrap();
        assert_eq!(bytes_below(directory.path()), 34);
        assert_eq!(Watch::start(directory.path(), NO_PROCESS).finish(), 34);
    }

    #[test]
    fn a_file_that_a_process_unlinked_but_has_open_counts() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("spool");
        fs::write(&file, [0; 30]).unwrap();
        // It says when it is ready, and ends with its standard input.
        let mut shell = Command::new("sh")
            .args(["-c", "exec 3<\"$1\"; rm \"$1\"; echo ready; read end", "sh"])
            .arg(&file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let bytes = bytes_without_name(shell.id());
        drop(shell.stdin.take());
        shell.wait().unwrap();
        assert_eq!((line.as_str(), bytes), ("ready\n", 30));
    }

    /// Above every process id that Linux gives.
    const NO_PROCESS: u32 = u32::MAX;
}
