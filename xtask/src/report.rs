//! Output: results on standard output, progress on standard error.

use std::io::Write as _;

/// Prints a line of the result.
pub(crate) fn line(text: &str) {
    let mut stdout = std::io::stdout();
    // A closed pipe, as in `| head`, is not an error.
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// Prints a line of progress.
pub(crate) fn progress(text: &str) {
    let _ = writeln!(std::io::stderr(), "xtask: {text}");
}

/// Rows of cells. The first column is aligned to the left, the others to the right.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Adds a row below the others.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The lines of the table, without trailing spaces.
    pub(crate) fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();
        self.rows.iter().map(|row| set_row(row, &widths)).collect()
    }
}

/// A number of bytes with a unit: `64.0 MiB`.
pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / (1024.0 * 1024.0))
}

fn set_row(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let space = " ".repeat(width.saturating_sub(cell.chars().count()));
        if column == 0 {
            line.push_str(&format!("{cell}{space}"));
        } else {
            line.push_str(&format!("  {space}{cell}"));
        }
    }
    line.truncate(line.trim_end().len());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_aligns_names_left_and_numbers_right() {
        let mut table = Table::default();
        table.row(["", "CPU s/GB", "MB/s"]);
        table.row(["1 upload", "1.25", "410"]);
        table.row(["größer", "10.5", ""]);
        assert_eq!(
            table.lines(),
            ["          CPU s/GB  MB/s", "1 upload      1.25   410", "größer        10.5",]
        );
    }
}
