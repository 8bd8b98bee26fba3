//! Records of what has been created already.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::command_error::CommandError;

/// A record that something was created from these files, such as packages from a lock file.
pub(super) struct Stamp {
    path: PathBuf,
    /// The SHA-256 of the files.
    content: String,
}

impl Stamp {
    /// The record at `path` about `files`.
    pub(super) fn new(path: &Path, files: &[PathBuf]) -> Result<Self, CommandError> {
        let mut digest = Sha256::new();
        for file in files {
            let bytes = fs::read(file).map_err(CommandError::file(file, "cannot be read"))?;
            digest.update((bytes.len() as u64).to_le_bytes());
            digest.update(bytes);
        }
        let content = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { path: path.to_owned(), content })
    }

    /// Whether it was created from the current content of the files.
    pub(super) fn is_set(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|content| content == self.content)
    }

    /// Records that it was created.
    pub(super) fn set(&self) -> Result<(), CommandError> {
        fs::write(&self.path, &self.content)
            .map_err(CommandError::file(&self.path, "cannot be written"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn a_stamp_holds_until_a_file_changes() {
        let directory = tempfile::tempdir().unwrap();
        let (stamp, lock) = (directory.path().join("stamp"), directory.path().join("lock"));
        fs::write(&lock, "one").unwrap();
        let files = [lock.clone()];
        let first = Stamp::new(&stamp, &files).unwrap();
        assert!(!first.is_set());
        first.set().unwrap();
        assert!(Stamp::new(&stamp, &files).unwrap().is_set());
        fs::write(&lock, "two").unwrap();
        assert!(!Stamp::new(&stamp, &files).unwrap().is_set());
    }
}
