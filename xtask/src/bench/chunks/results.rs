//! How the numbers are shown.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::cost::Cost;
use crate::failure::Failure;
use crate::report::{self, Table, mebibytes};

/// What one load cost the worker, and what it costs the peer.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) load: &'static str,
    pub(super) worker: Cost,
    pub(super) peer: Option<Cost>,
}

/// Prints a line for each load and one for the peer below it.
pub(super) fn print_table(rows: &[Row]) {
    let mut table = Table::default();
    table.row([
        "3 MiB chunks",
        "CPU s/GB",
        "MB/s",
        "process peak",
        "bytes to store",
        "requests/chunk",
        "part",
        "list",
        "head",
        "get",
        "put",
        "delete",
        "begin and end/upload",
    ]);
    for row in rows {
        table.row(cells(row.load, &row.worker));
        if let Some(peer) = &row.peer {
            table.row(cells("  @tus/server, @tus/s3-store", peer));
        }
    }
    table.lines().iter().for_each(|line| report::line(line));
}

fn cells(name: &str, cost: &Cost) -> [String; 13] {
    let per_chunk = |requests| format!("{:.2}", cost.per_chunk(requests));
    [
        name.to_owned(),
        format!("{:.2}", cost.cpu_seconds_per_gb()),
        format!("{:.0}", cost.megabytes_per_second()),
        mebibytes(cost.rss_peak_bytes),
        format!("{:.3} ×", cost.store_ratio()),
        per_chunk(cost.store.of_chunks()),
        per_chunk(cost.store.part),
        per_chunk(cost.store.list),
        per_chunk(cost.store.head),
        per_chunk(cost.store.get),
        per_chunk(cost.store.put),
        per_chunk(cost.store.delete),
        format!("{:.2}", cost.other_per_upload()),
    ]
}

/// Prints each bar of each load and returns whether the worker keeps all.
pub(super) fn print_bars(rows: &[Row]) -> bool {
    report::line("");
    let mut all_kept = true;
    for row in rows {
        for bar in row.worker.bars() {
            all_kept &= bar.kept;
            let verdict = if bar.kept { "pass" } else { "FAIL" };
            report::line(&format!("{verdict}  {}: {}: {}", row.load, bar.name, bar.found));
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
                "load": row.load,
                "worker": row.worker.to_json(),
                "peer": row.peer.map(Cost::to_json),
            })
        })
        .collect();
    fs::write(path, format!("{:#}\n", Value::from(rows)))
        .map_err(|cause| Failure::new(format!("{}: cannot be written ({cause})", path.display())))
}
