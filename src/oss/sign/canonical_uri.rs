//! V4, step 1: the canonical URI.

use crate::percent::encode_path;

/// `/bucket/key`, percent-encoded with its slashes kept; `/bucket/` without a key, and `/`
/// without a bucket.
///
/// The bucket is signed even if the URL has it in the host or not at all.
#[must_use]
pub fn canonical_uri(bucket: Option<&str>, key: Option<&str>) -> String {
    match bucket {
        Some(bucket) => {
            format!("/{}/{}", encode_path(bucket), encode_path(key.unwrap_or_default()))
        }
        None => "/".to_owned(),
    }
}
