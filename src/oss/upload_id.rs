//! The ID of a multipart upload.

use std::fmt;

/// The opaque ID that InitiateMultipartUpload returned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MultipartUploadId(pub String);

impl MultipartUploadId {
    /// The ID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MultipartUploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
