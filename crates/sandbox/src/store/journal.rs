//! The journal: an append-only file of JSON lines.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::tables::JournalEntry;

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens or creates the journal and reads its entries.
    ///
    /// An incomplete last line was never acknowledged and is ignored.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Vec<JournalEntry>)> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut entries = Vec::new();
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let Some(line) = line.strip_suffix('\n') else {
                break;
            };
            let entry = serde_json::from_str(line).map_err(|error| {
                let place = format!("{} line {}: {error}", path.display(), index + 1);
                io::Error::new(io::ErrorKind::InvalidData, place)
            })?;
            entries.push(entry);
        }
        let journal = Self {
            path: path.to_owned(),
            file: OpenOptions::new().create(true).append(true).open(path)?,
        };
        Ok((journal, entries))
    }

    /// Replaces the journal by an equivalent shorter one.
    pub(super) fn rewritten(self, entries: &[JournalEntry]) -> io::Result<Self> {
        let new_path = self.path.with_extension("jsonl.new");
        let mut writer = BufWriter::new(File::create(&new_path)?);
        for entry in entries {
            writer.write_all(&line(entry)?)?;
        }
        writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        fs::rename(&new_path, &self.path)?;
        let file = OpenOptions::new().append(true).open(&self.path)?;
        Ok(Self { file, ..self })
    }

    /// Adds an entry with one write.
    pub(super) fn append(&mut self, entry: &JournalEntry) -> io::Result<()> {
        self.file.write_all(&line(entry)?)
    }
}

fn line(entry: &JournalEntry) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn aborted(id: &str) -> JournalEntry {
        JournalEntry::UploadAborted(id.to_owned())
    }

    #[test]
    fn an_incomplete_last_line_is_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        let (mut journal, _) = Journal::open(&path).unwrap();
        journal.append(&aborted("one")).unwrap();
        journal.file.write_all(b"{\"UploadAbo").unwrap();
        let (journal, entries) = Journal::open(&path).unwrap();
        assert_eq!(entries.len(), 1);
        let mut journal = journal.rewritten(&entries).unwrap();
        journal.append(&aborted("two")).unwrap();
        assert_eq!(Journal::open(&path).unwrap().1.len(), 2);
    }

    #[test]
    fn the_error_for_a_damaged_line_contains_its_number() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        fs::write(&path, "{\"UploadAborted\":\"one\"}\nnonsense\n").unwrap();
        let error = Journal::open(&path).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
