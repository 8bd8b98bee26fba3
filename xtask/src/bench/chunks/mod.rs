//! `bench chunks`: small chunks through the worker and through a tus server in front of S3.
//!
//! A client that sends 3 MiB at a time is what a browser behind a proxy with a body limit is. S3
//! takes no part below 5 MiB, so a server in front of it writes such chunks twice and reads them
//! back; OSS takes them as they are.

mod cost;
mod peer;
mod results;
mod s3_store;
mod store_requests;
mod worker;

use std::fs;
use std::io::Read as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Instant;

use self::cost::Cost;
use self::peer::{Install, Peer};
use self::results::Row;
use self::store_requests::StoreRequests;
use self::worker::Workers;
use super::Options;
use super::load::{self, CHUNK_BYTES, Load, Shape};
use super::process::Usage;
use crate::components::{self, Component};
use crate::data_folder;
use crate::failure::Failure;
use crate::random::SeededBytes;
use crate::report;
use crate::workspace::Workspace;

/// A tus server with a store behind it that counts.
trait Relay {
    /// The id of the server's process.
    fn process(&self) -> u32;

    /// Where it listens. Its uploads are at `/v1/files`.
    fn address(&self) -> Result<SocketAddr, Failure>;

    /// What reached the store so far.
    fn store_requests(&self) -> Result<StoreRequests, Failure>;

    /// Lets the store count from zero.
    fn forget_store_requests(&self) -> Result<(), Failure>;
}

/// Measures all loads, prints the table and says which bars the worker keeps.
///
/// # Errors
/// Something cannot be started, an upload fails, or the JSON file cannot be written.
pub(super) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let data = data_folder::open_empty(&options.data.join("bench"))?;
    let workspace = Workspace::find()?;
    let built = components::build(&workspace, &[Component::Edge])?;
    let workers = Workers::begin(&built, &data)?;
    let install = Install::find(&workspace.root, &data)?;
    let mut block = vec![0; BLOCK_BYTES];
    // Reading from it cannot fail.
    let _ = SeededBytes::new(0).read_exact(&mut block);

    let mut rows = Vec::new();
    for load in LOADS {
        report::progress(&format!("measuring {}", load.name));
        // Each load has servers of its own, so that none shows the peak of the load before it.
        let worker = measure(&workers.start()?, load, options.size_bytes, &block)?;
        let peer = install
            .as_ref()
            .map(|install| measure(&Peer::start(install)?, load, options.size_bytes, &block))
            .transpose()?;
        rows.push(Row { load: load.name, worker, peer });
    }
    results::print_table(&rows);
    let kept = results::print_bars(&rows);
    if let Some(path) = &options.json {
        results::write_json(path, &rows)?;
    }
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Sends `size_bytes` through `relay`, after a little that nobody measures, so that everything is
/// loaded.
fn measure(relay: &dyn Relay, load: Load, size_bytes: u64, block: &[u8]) -> Result<Cost, Failure> {
    let address = relay.address()?;
    let send = |load: Load, size_bytes| {
        load.send(size_bytes, block, &|upload, length_bytes, block| {
            load::to_worker(address, load.shape, (upload, length_bytes, block))
        })
    };
    send(LOADS[0], WARM_UP_BYTES)?;
    relay.forget_store_requests()?;
    let process = relay.process();
    begin_rss_peak(process)?;
    let before = Usage::of(process)?;
    let begin = Instant::now();
    send(load, size_bytes)?;
    let elapsed = begin.elapsed();
    let after = Usage::of(process)?;
    let share_bytes = size_bytes / load.uploads;
    Ok(Cost {
        body_bytes: share_bytes * load.uploads,
        chunks: share_bytes.div_ceil(CHUNK_BYTES) * load.uploads,
        uploads: load.uploads,
        elapsed,
        cpu_seconds: after.cpu_seconds - before.cpu_seconds,
        rss_peak_bytes: after.rss_peak_bytes,
        store: relay.store_requests()?,
    })
}

/// Makes the present resident set the highest: proc(5), `/proc/pid/clear_refs`. What starting and
/// compiling took is not what a load takes.
fn begin_rss_peak(process: u32) -> Result<(), Failure> {
    let path = format!("/proc/{process}/clear_refs");
    fs::write(&path, "5").map_err(|cause| Failure::new(format!("{path}: {cause}")))
}

/// What is measured.
const LOADS: [Load; 2] = [
    Load { name: "1 upload", uploads: 1, shape: Shape::Chunks },
    Load { name: "4 uploads at once", uploads: 4, shape: Shape::Chunks },
];

/// Large enough that writing it is cheap, small enough to stay in the processor's cache.
const BLOCK_BYTES: usize = 1024 * 1024;

/// A few chunks.
const WARM_UP_BYTES: u64 = 8 * 1024 * 1024;
