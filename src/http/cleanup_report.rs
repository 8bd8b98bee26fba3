//! The response to `POST /v1/maintenance/expire`.

use serde::Serialize;

/// What a cleanup did and what is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CleanupReport {
    /// Entries of the index of which nothing is left: uploads that have expired or ended.
    pub deleted: u32,
    /// Entries that expire later than expected, because bytes arrived.
    pub kept: u32,
    /// Entries whose cleanup failed. A later cleanup repeats it.
    pub failed: u32,
    /// Whether expired entries are left: because the run is bounded, or because another one is in
    /// progress.
    pub has_more: bool,
}
