//! `bench relay`: bodies through the worker into a store that discards them.

use std::fs;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use serde_json::{Value, json};

use super::Options;
use super::load::{self, LOADS, Load};
use super::measurement::Measurement;
use super::nginx::{self, Nginx};
use super::process::Usage;
use super::temporary_files::Watch;
use crate::components::{self, Built};
use crate::data_folder;
use crate::failure::Failure;
use crate::http::Http;
use crate::random::SeededBytes;
use crate::report::{self, Table, mebibytes};
use crate::server::{self, Bodies, HostSetup, Log, Server};
use crate::workspace::Workspace;

/// Measures all loads, prints the table and says which bars are kept.
///
/// # Errors
/// Something cannot be started, an upload fails, or the JSON file cannot be written.
pub(super) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let data = data_folder::open_empty(&options.data.join("bench"))?;
    let built = components::build(&Workspace::find()?)?;
    let bench = Bench::begin(&built, &data)?;
    let nginx = start_nginx(&data)?;
    let mut block = vec![0; BLOCK_BYTES];
    // Reading from it cannot fail.
    let _ = SeededBytes::new(0).read_exact(&mut block);

    bench.warm_up(&block)?;
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
    print_table(&rows);
    let kept = print_bars(&rows);
    if let Some(path) = &options.json {
        write_json(path, &rows)?;
    }
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What one load cost, and what it costs nginx.
struct Row {
    load: Load,
    relay: Measurement,
    nginx: Option<Measurement>,
}

/// A sandbox and a host that are measured.
struct Bench {
    sandbox: Server,
    host: Server,
    host_data: PathBuf,
    http: Http,
}

impl Bench {
    fn begin(built: &Built, data: &Path) -> Result<Self, Failure> {
        let sandbox_data = data_folder::open(&data.join("sandbox"))?;
        let sandbox_log = data.join("sandbox.log");
        let log = Log::File(&sandbox_log);
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let sandbox =
            server::start_sandbox(built, any_port, &sandbox_data, Bodies::Discard, log)?;
        let host_data = data_folder::open(&data.join("host"))?;
        let setup = HostSetup {
            listen: any_port,
            data: &host_data,
            sandbox_origin: &sandbox.origin,
            allow_outbound: &[],
            log: Log::File(&data.join("host.log")),
        };
        let host = server::start_devhost(built, &setup)?;
        Ok(Self { sandbox, host, host_data, http: Http::new() })
    }

    /// One upload that nobody measures, so that everything is loaded.
    fn warm_up(&self, block: &[u8]) -> Result<(), Failure> {
        self.send(LOADS[0], WARM_UP_BYTES, block)
    }

    fn measure(&self, load: Load, size_bytes: u64, block: &[u8]) -> Result<Measurement, Failure> {
        self.http.post(&format!("{}/_host/stats/reset", self.host.origin))?;
        self.http.post(&format!("{}/_sandbox/requests/reset", self.sandbox.origin))?;
        let process = self.host.child.id();
        let watch = Watch::begin(&self.host_data, process);
        let before = Usage::of(process)?;
        let begin = Instant::now();
        let sent = self.send(load, size_bytes, block);
        let elapsed = begin.elapsed();
        let after = Usage::of(process)?;
        let temporary_bytes = watch.finish();
        sent?;
        let stats = self.http.get_json(&format!("{}/_host/stats", self.host.origin))?;
        let requests =
            self.http.get_json(&format!("{}/_sandbox/requests", self.sandbox.origin))?;
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

    fn send(&self, load: Load, size_bytes: u64, block: &[u8]) -> Result<(), Failure> {
        let worker = self.host.address()?;
        load.send(size_bytes, block, &|upload, length_bytes, block| {
            load::to_worker(&self.http, worker, load.shape, (upload, length_bytes, block))
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
        rss_peak_bytes: after.rss_peak_bytes,
        ..Measurement::default()
    })
}

fn print_table(rows: &[Row]) {
    let mut table = Table::default();
    table.row([
        "",
        "CPU s/GB",
        "MB/s",
        "requests/upload",
        "bytes to store",
        "component peak",
        "process peak",
        "temporary disk",
        "CPU × nginx",
    ]);
    for row in rows {
        let relay = &row.relay;
        let ratio = row.nginx.as_ref().map(|nginx| {
            format!("{:.1} ×", relay.cpu_seconds_per_gb() / nginx.cpu_seconds_per_gb())
        });
        table.row([
            row.load.name,
            &format!("{:.2}", relay.cpu_seconds_per_gb()),
            &format!("{:.0}", relay.megabytes_per_second()),
            &format!("{:.1}", relay.requests_per_upload()),
            &format!("{:.2} ×", relay.store_ratio()),
            &mebibytes(relay.component_memory_peak_bytes),
            &mebibytes(relay.rss_peak_bytes),
            &mebibytes(relay.temporary_bytes),
            ratio.as_deref().unwrap_or("-"),
        ]);
        if let Some(nginx) = &row.nginx {
            table.row([
                "  nginx, unbuffered",
                &format!("{:.2}", nginx.cpu_seconds_per_gb()),
                &format!("{:.0}", nginx.megabytes_per_second()),
                "",
                "",
                "",
                &mebibytes(nginx.rss_peak_bytes),
                "",
                "",
            ]);
        }
    }
    table.lines().iter().for_each(|line| report::line(line));
}

/// Prints each bar of each load and returns whether all are kept.
fn print_bars(rows: &[Row]) -> bool {
    report::line("");
    let mut all_kept = true;
    for row in rows {
        for bar in row.relay.bars() {
            all_kept &= bar.kept;
            let verdict = if bar.kept { "pass" } else { "FAIL" };
            report::line(&format!("{verdict}  {}: {}: {}", row.load.name, bar.name, bar.found));
        }
    }
    all_kept
}

fn write_json(path: &Path, rows: &[Row]) -> Result<(), Failure> {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({
                "load": row.load.name,
                "relay": row.relay.to_json(),
                "nginx": row.nginx.as_ref().map(|nginx| json!({
                    "cpu_seconds_per_gb": nginx.cpu_seconds_per_gb(),
                    "megabytes_per_second": nginx.megabytes_per_second(),
                    "process_rss_peak_bytes": nginx.rss_peak_bytes,
                })),
            })
        })
        .collect();
    fs::write(path, format!("{:#}\n", Value::from(rows)))
        .map_err(|cause| Failure::new(format!("{}: cannot be written ({cause})", path.display())))
}

/// Large enough that writing it is cheap, small enough to stay in the processor's cache.
const BLOCK_BYTES: usize = 1024 * 1024;

const WARM_UP_BYTES: u64 = 8 * 1024 * 1024;

#[cfg(test)]
mod tests {
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
