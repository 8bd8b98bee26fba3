//! The error of a command.

use std::path::Path;
use std::{fmt, io};

/// One line: what is wrong, and what to do. Functions document their errors only if this line does
/// not suffice.
#[derive(Debug)]
pub(crate) struct CommandError(String);

impl CommandError {
    /// An error with this line.
    pub(crate) fn new(line: impl Into<String>) -> Self {
        Self(line.into())
    }

    /// For `map_err`: an error about the file or directory at `path`, such as "cannot be read".
    pub(crate) fn file(path: &Path, what: &str) -> impl Fn(io::Error) -> Self {
        move |cause| Self(format!("{}: {what} ({cause})", path.display()))
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Errors of [`vod_uploader_wire`] identify the request. Other errors need a specific line.
impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<lexopt::Error> for CommandError {
    fn from(error: lexopt::Error) -> Self {
        Self(format!("{error}: `cargo xtask --help` shows the options"))
    }
}
