//! The result of one file of a form.

use serde::Serialize;

use crate::http::Problem;
use crate::http::plain::StoredFile;

/// The result of one file, as a JSON object.
#[derive(Debug, Serialize)]
pub(super) struct FileResult {
    /// The name of its input.
    pub(super) field: String,
    pub(super) file_name: String,
    #[serde(flatten)]
    pub(super) outcome: Outcome,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Outcome {
    Stored(StoredFile),
    Failed { problem: Box<Problem> },
}

impl FileResult {
    /// The problem of a file that was not stored.
    pub(super) fn problem(&self) -> Option<&Problem> {
        match &self.outcome {
            Outcome::Stored(_) => None,
            Outcome::Failed { problem } => Some(problem),
        }
    }
}
