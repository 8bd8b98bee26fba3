//! The parameters of `add-file`.

use crate::units::ByteCount;
use crate::vod::MediaKind;

/// Maximum length of a file name in bytes of UTF-8.
pub(in crate::queue) const NAME_BYTES_MAX: usize = 1_024;

/// Length in bytes of each of the two samples in [`ContentSample`]: 64 KiB.
pub const SAMPLE_BYTES: usize = 64 << 10;

/// A file to add to a queue.
#[derive(Clone, Debug, Default)]
pub struct NewFile {
    /// File name with its extension: 1 to 1,024 bytes, no control characters.
    pub name: String,
    /// Size of the file, if known: at least one byte.
    pub size: Option<ByteCount>,
    /// Kind of media; `None` to derive it from the extension.
    pub kind: Option<MediaKind>,
    /// Time of the last modification in milliseconds since the Unix epoch.
    pub last_modified_ms: Option<u64>,
    /// Samples of the content.
    pub content_sample: Option<ContentSample>,
    /// Endpoint that replaces the one of the credential.
    pub endpoint: Option<String>,
    /// Bucket that replaces the one of the credential.
    pub bucket: Option<String>,
    /// Object key that replaces the one of the credential.
    pub object: Option<String>,
    /// Media properties that are sent to VOD in STS mode.
    pub param_data: Option<String>,
}

/// The first and last [`SAMPLE_BYTES`] of a file, or the entire file if it is shorter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentSample {
    /// The first bytes.
    pub first: Vec<u8>,
    /// The last bytes.
    pub last: Vec<u8>,
}
