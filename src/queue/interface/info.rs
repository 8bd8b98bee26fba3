//! Listed information about a file, and its progress.

use super::ids::FileId;
use super::state::FileState;
use crate::units::ByteCount;
use crate::vod::MediaKind;

/// A file of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct FileInfo {
    /// ID of the file.
    pub id: FileId,
    /// Name of the file.
    pub name: String,
    /// Size of the file, if known.
    pub size: Option<ByteCount>,
    /// Kind of media.
    pub kind: MediaKind,
    /// Current state.
    pub state: FileState,
    /// Current progress.
    pub progress: Progress,
    /// Media ID, if present.
    pub media_id: Option<String>,
    /// Endpoint, if known.
    pub endpoint: Option<String>,
    /// Bucket, if known.
    pub bucket: Option<String>,
    /// Object key, if known.
    pub object: Option<String>,
}

/// The progress of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Every byte before this offset is stored and covered by the checkpoint.
    pub durable: ByteCount,
    /// Number of bytes sent to OSS.
    pub sent: ByteCount,
    /// Size of the file, if known.
    pub total: Option<ByteCount>,
    /// `durable` as a fraction of `total`; 1 only if the object is complete.
    pub fraction: Option<f64>,
}

/// Maximum fraction before the object is complete.
const FRACTION_INCOMPLETE_MAX: f64 = 0.99;

impl Progress {
    /// Computes the progress of a file.
    #[must_use]
    pub(in crate::queue) fn at(
        durable: ByteCount,
        sent: ByteCount,
        total: Option<ByteCount>,
        is_complete: bool,
    ) -> Self {
        let fraction = match total {
            _ if is_complete => Some(1.0),
            // Both are below 2^53: 10,000 parts of 5 GiB are 48.8 TiB.
            Some(total) => {
                let fraction = durable.bytes() as f64 / total.bytes().max(1) as f64;
                Some(fraction.min(FRACTION_INCOMPLETE_MAX))
            }
            None => None,
        };
        Self { durable, sent: sent.max(durable), total, fraction }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fraction_is_1_only_if_the_object_is_complete() {
        let total = Some(ByteCount(200));
        let at = |durable, is_complete| {
            Progress::at(ByteCount(durable), ByteCount(durable), total, is_complete).fraction
        };
        assert_eq!(at(0, false), Some(0.0));
        assert_eq!(at(100, false), Some(0.5));
        assert_eq!(at(200, false), Some(0.99));
        assert_eq!(at(200, true), Some(1.0));
    }

    #[test]
    fn a_file_of_unknown_size_has_no_fraction_before_completion() {
        let at = |is_complete| Progress::at(ByteCount(9), ByteCount(9), None, is_complete).fraction;
        assert_eq!(at(false), None);
        assert_eq!(at(true), Some(1.0));
    }
}
