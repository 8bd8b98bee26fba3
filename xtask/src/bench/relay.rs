//! `bench relay`: bodies through the worker into a store that discards them.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use serde_json::Value;
use vod_uploader_wire::Client;

use super::Options;
use super::load::{self, LOADS, Load};
use super::measurement::Measurement;
use super::nginx::{self, Nginx};
use super::process::Usage;
use super::results::{self, Row};
use super::temporary_files::Watch;
use crate::components::{self, Built, Component};
use crate::data_folder;
use crate::failure::Failure;
use crate::ports::ANY_PORT;
use crate::random::SeededBytes;
use crate::report;
use crate::server::{self, Bodies, HostSetup, Log, Server};
use crate::workspace::Workspace;

/// Measures all loads, prints the table and says which bars are kept.
///
/// # Errors
/// Something cannot be started, an upload fails, or the JSON file cannot be written.
pub(super) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let data = data_folder::open_empty(&options.data.join("bench"))?;
    let built = components::build(&Workspace::find()?, &[Component::Edge])?;
    let bench = Bench::begin(&built, &data)?;
    let nginx = start_nginx(&data)?;
    let mut block = vec![0; BLOCK_BYTES];
    // Reading from it cannot fail.
    let _ = SeededBytes::new(0).read_exact(&mut block);

    let mut rows = Vec::new();
    for load in LOADS {
        report::progress(&format!("measuring {}", load.name));
        let relay = bench.measure(load, options.size_bytes, &block)?;
        let nginx = nginx
            .as_ref()
            .map(|nginx| measure_nginx(nginx, load, options.size_bytes, &block))
            .transpose()?;
        rows.push(Row { load, relay, nginx });
    }
    results::print_table(&rows);
    let kept = results::print_bars(&rows);
    if let Some(path) = &options.json {
        results::write_json(path, &rows)?;
    }
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the loads have in common.
struct Bench<'a> {
    built: &'a Built,
    sandbox: Server,
    host_data: PathBuf,
    host_log: PathBuf,
}

impl<'a> Bench<'a> {
    fn begin(built: &'a Built, data: &Path) -> Result<Self, Failure> {
        let sandbox_data = data_folder::open(&data.join("sandbox"))?;
        let sandbox_log = data.join("sandbox.log");
        let log = Log::File(&sandbox_log);
        Ok(Self {
            built,
            sandbox: server::start_sandbox(built, ANY_PORT, &sandbox_data, Bodies::Discard, log)?,
            host_data: data_folder::open(&data.join("host"))?,
            host_log: data.join("host.log"),
        })
    }

    /// Measures a load on a host of its own: an instance never gives memory back, so that on a
    /// shared one a load would show the peak of the load before it.
    fn measure(&self, load: Load, size_bytes: u64, block: &[u8]) -> Result<Measurement, Failure> {
        let host = self.start_host()?;
        self.send(&host, LOADS[0], WARM_UP_BYTES, block)?;
        let counters = Client::new(&host.origin);
        let store_counters = Client::new(&self.sandbox.origin);
        counters.post("/_host/stats/reset")?;
        store_counters.post("/_sandbox/requests/reset")?;
        let process = host.child.id();
        let watch = Watch::begin(&self.host_data, process);
        let before = Usage::of(process)?;
        let begin = Instant::now();
        let sent = self.send(&host, load, size_bytes, block);
        let elapsed = begin.elapsed();
        let after = Usage::of(process)?;
        let temporary_bytes = watch.finish();
        sent?;
        let stats = counters.get_json("/_host/stats")?;
        let requests = store_counters.get_json("/_sandbox/requests")?;
        Ok(Measurement {
            body_bytes: size_bytes,
            uploads: load.uploads,
            elapsed,
            cpu_seconds: after.cpu_seconds - before.cpu_seconds,
            store_requests: sum_of_operations(&requests, "requests", |_| true),
            store_bytes: sum_of_operations(&requests, "bytes", |operation| {
                matches!(operation, "UploadPart" | "PutObject")
            }),
            component_memory_peak_bytes: stats["component_memory_peak_bytes"]
                .as_u64()
                .unwrap_or_default(),
            rss_peak_bytes: after.rss_peak_bytes,
            temporary_bytes,
        })
    }

    fn start_host(&self) -> Result<Server, Failure> {
        let setup = HostSetup {
            listen: ANY_PORT,
            data: &self.host_data,
            sandbox_origin: &self.sandbox.origin,
            allow_outbound: &[],
            log: Log::File(&self.host_log),
        };
        server::start_devhost(self.built, &setup)
    }

    fn send(
        &self,
        host: &Server,
        load: Load,
        size_bytes: u64,
        block: &[u8],
    ) -> Result<(), Failure> {
        let worker = host.address()?;
        load.send(size_bytes, block, &|upload, length_bytes, block| {
            load::to_worker(worker, load.shape, (upload, length_bytes, block))
        })
    }
}

/// Adds up a number of the sandbox's counts over the operations that `counts` accepts.
fn sum_of_operations(requests: &Value, number: &str, counts: fn(&str) -> bool) -> u64 {
    let operations = requests["operations"].as_object();
    let operations = operations.into_iter().flatten().filter(|(name, _)| counts(name));
    operations.filter_map(|(_, count)| count[number].as_u64()).sum()
}

fn start_nginx(data: &Path) -> Result<Option<Nginx>, Failure> {
    let Some(program) = nginx::installed() else {
        report::progress("no nginx to compare with: on Debian, `apt-get install nginx-light`");
        return Ok(None);
    };
    Nginx::start(program, &data_folder::open(&data.join("nginx"))?).map(Some)
}

fn measure_nginx(
    nginx: &Nginx,
    load: Load,
    size_bytes: u64,
    block: &[u8],
) -> Result<Measurement, Failure> {
    let before = Usage::of(nginx.child.id())?;
    let received_before = nginx.sink.received_bytes();
    let begin = Instant::now();
    load.send(size_bytes, block, &|upload, length_bytes, block| {
        load::to_nginx(nginx.address, load.shape, (upload, length_bytes, block))
    })?;
    let elapsed = begin.elapsed();
    let after = Usage::of(nginx.child.id())?;
    Ok(Measurement {
        body_bytes: size_bytes,
        uploads: load.uploads,
        elapsed,
        cpu_seconds: after.cpu_seconds - before.cpu_seconds,
        store_bytes: nginx.sink.received_bytes() - received_before,
        rss_peak_bytes: after.rss_peak_bytes,
        ..Measurement::default()
    })
}

/// Large enough that writing it is cheap, small enough to stay in the processor's cache.
const BLOCK_BYTES: usize = 1024 * 1024;

/// One upload that nobody measures, so that everything is loaded.
const WARM_UP_BYTES: u64 = 8 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn counts_of_the_sandbox_are_added_up_over_operations() {
        let requests = json!({ "operations": {
            "UploadPart": { "requests": 64, "bytes": 1_000 },
            "PutObject": { "requests": 1, "bytes": 20 },
            "CompleteMultipartUpload": { "requests": 1, "bytes": 4_000 },
        }});
        assert_eq!(sum_of_operations(&requests, "requests", |_| true), 66);
        let bytes = sum_of_operations(&requests, "bytes", |name| name != "CompleteMultipartUpload");
        assert_eq!(bytes, 1_020);
        assert_eq!(sum_of_operations(&json!({}), "requests", |_| true), 0);
    }
}
