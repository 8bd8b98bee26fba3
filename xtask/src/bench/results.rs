//! How the numbers are shown.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::load::Load;
use super::measurement::Measurement;
use crate::failure::Failure;
use crate::report::{self, Table, mebibytes};

/// What one load cost, and what it costs nginx.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) load: Load,
    pub(super) relay: Measurement,
    pub(super) nginx: Option<Measurement>,
}

/// Prints a line for each load and one for nginx below it.
pub(super) fn print_table(rows: &[Row]) {
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
                &format!("{:.2} ×", nginx.store_ratio()),
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
pub(super) fn print_bars(rows: &[Row]) -> bool {
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

/// Writes all numbers to a file.
///
/// # Errors
/// It cannot be written.
pub(super) fn write_json(path: &Path, rows: &[Row]) -> Result<(), Failure> {
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
