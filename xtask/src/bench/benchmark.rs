//! The common part of both benchmarks: sends workloads through the worker and a peer, and compares.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use super::load::{CHUNK_BYTES, Workload};
use super::measurement::{Measurement, Threshold};
use super::peer::{Peer, PeerKind};
use super::report::{self, Column, Row};
use super::target::{Target, Workers};
use super::usage::{DiskWatch, Usage, reset_peak_rss};
use crate::command_error::CommandError;
use crate::components::{self, Component};
use crate::data_dir;
use crate::report::progress;
use crate::workspace::Workspace;

/// A benchmark of the worker.
pub(super) struct Benchmark {
    pub(super) name: &'static str,
    /// What each workload sends in total.
    pub(super) default_size_mib: u64,
    pub(super) workloads: &'static [Workload],
    pub(super) columns: &'static [Column],
    /// The thresholds of the worker for each workload.
    pub(super) thresholds: fn(&Measurement) -> Vec<Threshold>,
    /// The peer in the table.
    pub(super) peer_name: &'static str,
    pub(super) peer: PeerKind,
}

impl Benchmark {
    /// Sends `size_bytes` in each workload, prints the table and whether the worker meets its
    /// thresholds, and writes the numbers to `json`. With a `baseline`, the peer is the worker in
    /// that file, and each number is the median of several runs that alternate.
    pub(super) fn run(
        &self,
        size_bytes: u64,
        data: &Path,
        json: Option<&Path>,
        baseline: Option<&Path>,
    ) -> Result<ExitCode, CommandError> {
        let data = data_dir::open_empty(&data.join("bench"))?;
        let workspace = Workspace::find()?;
        let built = components::build(&workspace, &[Component::Edge])?;
        let workers = Workers::new(&built, &data)?;
        let peer_data = data_dir::open(&data.join("peer"))?;
        let other = baseline.map(|worker| built.with_worker(worker, &peer_data)).transpose()?;
        let (peer_name, runs, peer) = match &other {
            Some(built) => {
                let peer = Opponent::Baseline(Workers::new(built, &peer_data)?);
                ("the baseline", BASELINE_RUNS, Some(peer))
            }
            None => {
                let peer = Peer::find(self.peer, &workspace.root, peer_data)?;
                (self.peer_name, 1, peer.map(Opponent::Peer))
            }
        };
        let mut block = vec![0; BLOCK_BYTES];
        fastrand::Rng::with_seed(0).fill(&mut block);

        let mut rows = Vec::new();
        for workload in self.workloads {
            progress(&format!("measuring {}", workload.name));
            let measure = |target: Target<'_>| measure(&target, *workload, size_bytes, &block);
            // Each workload gets new servers, because a server does not return memory: a shared one
            // would show the peak of an earlier workload.
            let (mut of_worker, mut of_peer) = (Vec::new(), Vec::new());
            for _ in 0..runs {
                of_worker.push(measure(workers.start()?)?);
                if let Some(peer) = &peer {
                    of_peer.push(measure(peer.start()?)?);
                }
            }
            let Some(worker) = median(of_worker) else { continue };
            rows.push(Row { name: workload.name, worker, peer: median(of_peer) });
        }
        report::print_table(self.columns, peer_name, &rows);
        let kept = report::print_thresholds(self.thresholds, &rows);
        if let Some(path) = json {
            report::write_json(path, &rows)?;
        }
        Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// What the worker is compared with.
enum Opponent<'a> {
    Peer(Peer),
    Baseline(Workers<'a>),
}

impl Opponent<'_> {
    fn start(&self) -> Result<Target<'_>, CommandError> {
        match self {
            Self::Peer(peer) => peer.start(),
            Self::Baseline(workers) => workers.start(),
        }
    }
}

/// The measurement with the median of the CPU time.
fn median(mut runs: Vec<Measurement>) -> Option<Measurement> {
    runs.sort_by(|one, other| one.cpu_seconds.total_cmp(&other.cpu_seconds));
    let middle = runs.len() / 2;
    (middle < runs.len()).then(|| runs.swap_remove(middle))
}

/// Sends `size_bytes` through `target`, after one small upload that warms everything up.
fn measure(
    target: &Target<'_>,
    workload: Workload,
    size_bytes: u64,
    block: &[u8],
) -> Result<Measurement, CommandError> {
    target.send(Workload { uploads: 1, ..workload }, WARM_UP_BYTES, block)?;
    target.reset_counts()?;
    let process = target.server.child.id();
    reset_peak_rss(process)?;
    let watch = target.host_data.map(|directory| DiskWatch::start(directory, process));
    let before = Usage::read(process)?;
    let start = Instant::now();
    let sent = target.send(workload, size_bytes, block);
    let elapsed = start.elapsed();
    let after = Usage::read(process)?;
    let temporary_bytes = watch.map(DiskWatch::finish);
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

/// The runs of a comparison with a baseline.
const BASELINE_RUNS: usize = 3;

/// Large enough for few writes, small enough for the processor's cache.
const BLOCK_BYTES: usize = 1024 * 1024;

/// A few chunks.
const WARM_UP_BYTES: u64 = 8 * 1024 * 1024;
