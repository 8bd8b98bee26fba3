//! What the list shows of a file.

use super::FileId;
use super::state::FileState;
use crate::units::ByteCount;
use crate::vod::MediaKind;

/// A file of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct FileInfo {
    /// Its id.
    pub id: FileId,
    /// Its name.
    pub name: String,
    /// Its size, where it is known.
    pub size: Option<ByteCount>,
    /// What kind of media it is.
    pub kind: MediaKind,
    /// Where it stands.
    pub state: FileState,
    /// How far it is.
    pub progress: Progress,
    /// Its media id, where there is one.
    pub media_id: Option<String>,
    /// The endpoint, once it is known.
    pub endpoint: Option<String>,
    /// The bucket, once it is known.
    pub bucket: Option<String>,
    /// The object key, once it is known.
    pub object: Option<String>,
}

/// How far a file is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Everything before this offset is stored and noted.
    pub durable: ByteCount,
    /// How many bytes were handed to the store.
    pub sent: ByteCount,
    /// The file's size, where it is known.
    pub total: Option<ByteCount>,
    /// `durable` as a fraction of `total`: 1 only once the object is whole.
    pub fraction: Option<f64>,
}

/// The fraction that is not passed before the object is whole.
pub const FRACTION_UNFINISHED_MAX: f64 = 0.99;

impl Progress {
    /// How far a file is that has these bytes.
    #[must_use]
    pub fn at(
        durable: ByteCount,
        sent: ByteCount,
        total: Option<ByteCount>,
        is_whole: bool,
    ) -> Self {
        let fraction = match total {
            _ if is_whole => Some(1.0),
            // Both are below 2^53: parts of 5 GiB make 48.8 TiB at most.
            Some(total) => {
                let fraction = durable.bytes() as f64 / total.bytes().max(1) as f64;
                Some(fraction.min(FRACTION_UNFINISHED_MAX))
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
    fn a_file_is_at_100_percent_only_once_the_object_is_whole() {
        let total = Some(ByteCount(200));
        let at = |durable, is_whole| {
            Progress::at(ByteCount(durable), ByteCount(durable), total, is_whole).fraction
        };
        assert_eq!(at(0, false), Some(0.0));
        assert_eq!(at(100, false), Some(0.5));
        assert_eq!(at(200, false), Some(0.99));
        assert_eq!(at(200, true), Some(1.0));
    }

    #[test]
    fn a_file_of_unknown_size_has_no_fraction_before_its_end() {
        let at = |is_whole| Progress::at(ByteCount(9), ByteCount(9), None, is_whole).fraction;
        assert_eq!(at(false), None);
        assert_eq!(at(true), Some(1.0));
    }
}
