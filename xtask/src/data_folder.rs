//! Folders for the state of what is started.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Creates the folder where it is missing and checks that files can be made in it. Returns its
/// absolute path.
pub(crate) fn open(folder: &Path) -> Result<PathBuf, Failure> {
    let refuse = Failure::file(folder, "cannot be written: pass another directory with --data");
    fs::create_dir_all(folder).map_err(&refuse)?;
    let probe = folder.join(".writable");
    fs::write(&probe, []).and_then(|()| fs::remove_file(&probe)).map_err(&refuse)?;
    fs::canonicalize(folder).map_err(refuse)
}

/// Like [`open`], and removes what an earlier run left in it.
pub(crate) fn open_empty(folder: &Path) -> Result<PathBuf, Failure> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(Failure::file(folder, "cannot be emptied"))?;
    }
    open(folder)
}

/// The default of `--data`, which git ignores.
pub(crate) const DEFAULT: &str = ".data";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), []).unwrap();
        let failure = open(&folder.path().join("file/below")).unwrap_err().to_string();
        assert!(failure.contains("file/below") && failure.contains("--data"), "{failure}");
    }

    #[test]
    fn an_empty_folder_has_nothing_of_an_earlier_run() {
        let folder = tempfile::tempdir().unwrap();
        let state = open(&folder.path().join("state")).unwrap();
        fs::write(state.join("old"), "old").unwrap();
        let state = open_empty(&state).unwrap();
        assert_eq!(fs::read_dir(state).unwrap().count(), 0);
    }
}
