//! What both benchmarks do: send workloads through the worker and through a peer, and compare.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use super::load::{CHUNK_BYTES, Workload};
use super::measurement::{Measurement, Threshold};
use super::process::Usage;
use super::report::{self, Column, Row};
use super::target::{BenchTarget, FindPeer};
use super::temporary_files::Watch;
use super::worker::Workers;
use crate::command_error::CommandError;
use crate::components::{self, Component};
use crate::data_dir;
use crate::random::SeededBytes;
use crate::report::progress;
use crate::workspace::Workspace;

/// A benchmark of the worker.
pub(super) struct Benchmark {
    pub(super) name: &'static str,
    /// What each workload sends in all.
    pub(super) default_size_mib: u64,
    pub(super) workloads: &'static [Workload],
    pub(super) columns: &'static [Column],
    /// What the worker has to keep under each workload.
    pub(super) thresholds: fn(&Measurement) -> Vec<Threshold>,
    /// What the table calls the peer.
    pub(super) peer_name: &'static str,
    /// Finds the peer on this machine. `None`, with the reason on the terminal, if there is none.
    pub(super) find_peer: FindPeer,
}

impl Benchmark {
    /// Sends `size_bytes` under each workload, prints the table and which thresholds the worker
    /// keeps, and writes the numbers to `json`.
    pub(super) fn run(
        &self,
        size_bytes: u64,
        data: &Path,
        json: Option<&Path>,
    ) -> Result<ExitCode, CommandError> {
        let data = data_dir::open_empty(&data.join("bench"))?;
        let workspace = Workspace::find()?;
        let built = components::build(&workspace, &[Component::Edge])?;
        let workers = Workers::start_store(&built, &data)?;
        let peer = (self.find_peer)(&workspace.root, &data_dir::open(&data.join("peer"))?)?;
        let mut block = vec![0; BLOCK_BYTES];
        // Reading from it cannot fail.
        let _ = SeededBytes::new(0).read_exact(&mut block);

        let mut rows = Vec::new();
        for workload in self.workloads {
            progress(&format!("measuring {}", workload.name));
            let measure = |target: &dyn BenchTarget| measure(target, *workload, size_bytes, &block);
            // Each workload has new servers: none of them gives memory back, so that on a shared
            // one a workload would show the peak of the one before it.
            let worker = measure(&workers.start()?)?;
            let peer = match &peer {
                Some(peer) => Some(measure(&*peer.start()?)?),
                None => None,
            };
            rows.push(Row { name: workload.name, worker, peer });
        }
        report::print_table(self.columns, self.peer_name, &rows);
        let kept = report::print_thresholds(self.thresholds, &rows);
        if let Some(path) = json {
            report::write_json(path, &rows)?;
        }
        Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Sends `size_bytes` through `target`, after one small upload that loads everything.
fn measure(
    target: &dyn BenchTarget,
    workload: Workload,
    size_bytes: u64,
    block: &[u8],
) -> Result<Measurement, CommandError> {
    target.send(Workload { uploads: 1, ..workload }, WARM_UP_BYTES, block)?;
    target.reset_counts()?;
    let process = target.process();
    reset_peak_rss(process)?;
    let watch = target.watched_directory().map(|directory| Watch::start(directory, process));
    let before = Usage::read(process)?;
    let start = Instant::now();
    let sent = target.send(workload, size_bytes, block);
    let elapsed = start.elapsed();
    let after = Usage::read(process)?;
    let temporary_bytes = watch.map(Watch::finish);
    sent?;
    let upload_bytes = size_bytes / workload.uploads;
    Ok(Measurement {
        body_bytes: upload_bytes * workload.uploads,
        chunks: upload_bytes.div_ceil(CHUNK_BYTES) * workload.uploads,
        uploads: workload.uploads,
        elapsed,
        cpu_seconds: after.cpu_seconds - before.cpu_seconds,
        rss_peak_bytes: after.rss_peak_bytes,
        store: target.store_requests()?,
        component_memory_peak_bytes: target.component_memory_peak_bytes()?,
        temporary_bytes,
    })
}

/// Makes the current resident set the highest: proc(5), `/proc/pid/clear_refs`. What starting and
/// compiling took is not what a workload takes.
fn reset_peak_rss(process: u32) -> Result<(), CommandError> {
    let path = format!("/proc/{process}/clear_refs");
    fs::write(&path, "5").map_err(|cause| CommandError::new(format!("{path}: {cause}")))
}

/// Large enough that writing it is cheap, small enough to stay in the processor's cache.
const BLOCK_BYTES: usize = 1024 * 1024;

/// A few chunks.
const WARM_UP_BYTES: u64 = 8 * 1024 * 1024;
