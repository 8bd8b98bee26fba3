//! The output of the numbers.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::measurement::{Measurement, Threshold};
use crate::command_error::CommandError;
use crate::report::{self, Table};

/// A title, and the cell for a measurement.
pub(super) type Column = (&'static str, fn(&Measurement) -> String);

/// The cost of one workload for the worker and for the peer.
#[derive(Debug)]
pub(super) struct Row {
    /// The name of the workload.
    pub(super) name: &'static str,
    pub(super) worker: Measurement,
    pub(super) peer: Option<Measurement>,
}

/// Prints a line for each workload, and one for the peer below it.
pub(super) fn print_table(columns: &[Column], peer_name: &str, rows: &[Row]) {
    let mut table = Table::default();
    let titles = columns.iter().map(|(title, _)| (*title).to_owned());
    table.row([String::new()].into_iter().chain(titles).chain(["CPU × peer".to_owned()]));
    for row in rows {
        let cells = |name: &str, measured: &Measurement, ratio: String| -> Vec<String> {
            let cells = columns.iter().map(|(_, cell)| cell(measured));
            [name.to_owned()].into_iter().chain(cells).chain([ratio]).collect()
        };
        let cpu = row.worker.cpu_seconds_per_gb();
        let ratio =
            row.peer.as_ref().map(|peer| format!("{:.1} ×", cpu / peer.cpu_seconds_per_gb()));
        table.row(cells(row.name, &row.worker, ratio.unwrap_or_else(|| "-".to_owned())));
        if let Some(peer) = &row.peer {
            table.row(cells(&format!("  {}", peer_name), peer, String::new()));
        }
    }
    table.lines().iter().for_each(|line| report::line(line));
}

/// Prints each threshold of each workload. Returns whether the worker meets all.
pub(super) fn print_thresholds(
    thresholds: fn(&Measurement) -> Vec<Threshold>,
    rows: &[Row],
) -> bool {
    report::line("");
    let mut all_kept = true;
    for row in rows {
        for threshold in thresholds(&row.worker) {
            all_kept &= threshold.kept;
            let verdict = if threshold.kept { "pass" } else { "FAIL" };
            let Threshold { name, found, .. } = threshold;
            report::line(&format!("{verdict}  {}: {name}: {found}", row.name));
        }
    }
    all_kept
}

/// Writes all numbers to a file.
pub(super) fn write_json(path: &Path, rows: &[Row]) -> Result<(), CommandError> {
    let to_json = |row: &Row| {
        json!({
            "load": row.name,
            "worker": row.worker.to_json(),
            "peer": row.peer.as_ref().map(Measurement::to_json),
        })
    };
    let rows: Value = rows.iter().map(to_json).collect();
    fs::write(path, format!("{rows:#}\n")).map_err(CommandError::file(path, "cannot be written"))
}
