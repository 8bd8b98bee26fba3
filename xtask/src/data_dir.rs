//! Directories for the state of started programs.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command_error::CommandError;

/// Creates the directory if it is missing, checks that it is writable, and returns its absolute
/// path.
pub(crate) fn open(directory: &Path) -> Result<PathBuf, CommandError> {
    let refuse =
        CommandError::file(directory, "cannot be written: pass another directory with --data");
    fs::create_dir_all(directory).map_err(&refuse)?;
    let probe = directory.join(".writable");
    fs::write(&probe, []).and_then(|()| fs::remove_file(&probe)).map_err(&refuse)?;
    fs::canonicalize(directory).map_err(refuse)
}

/// Like [`open`], but empties the directory first.
pub(crate) fn open_empty(directory: &Path) -> Result<PathBuf, CommandError> {
    if directory.exists() {
        fs::remove_dir_all(directory)
            .map_err(CommandError::file(directory, "cannot be emptied"))?;
    }
    open(directory)
}

/// The default of `--data`, which git ignores.
pub(crate) const DEFAULT: &str = ".data";
