//! The rules for object keys.

use crate::error::{Error, ErrorKind, Result};

/// Checks that an object key has 1 to 1023 bytes of UTF-8, no leading `/` or `\`
/// (<https://www.alibabacloud.com/help/en/oss/user-guide/object-naming-conventions>), and no path
/// segment `.` or `..`. URL libraries remove such segments, so the request would be for another
/// object.
///
/// # Errors
/// Returns [`ErrorKind::CredentialInvalid`] with the violated rule, because the key is part of the
/// UploadAddress.
pub fn check_object_key(key: &str) -> Result<()> {
    let violation = if key.is_empty() {
        "is empty"
    } else if key.len() > KEY_BYTES_MAX {
        "is longer than 1023 bytes"
    } else if key.starts_with(['/', '\\']) {
        "starts with a slash or a backslash"
    } else if key.split('/').any(|segment| matches!(segment, "." | "..")) {
        "has a path segment '.' or '..'"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::CredentialInvalid, format!("the object key (FileName) {violation}")))
}

const KEY_BYTES_MAX: usize = 1023;

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a failed assumption fails the test"
    )]

    use super::*;

    #[test]
    fn keys_of_vod_are_accepted() {
        for key in ["sv/4f0-18e/4f0-18e.mp4", "a", ".hidden", "a/..b/.c", "dir 1/é&<测试>+a.bin"]
        {
            assert_eq!(check_object_key(key), Ok(()), "{key}");
        }
        assert_eq!(check_object_key(&"k".repeat(1023)), Ok(()));
    }

    #[test]
    fn keys_that_would_address_another_object_are_rejected() {
        let long = "é".repeat(512);
        for key in ["", "/a", "\\a", ".", "..", "a/../b", "a/.", "./a", long.as_str()] {
            let error = check_object_key(key).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::CredentialInvalid, "{key}");
        }
    }
}
