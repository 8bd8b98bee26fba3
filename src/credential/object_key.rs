//! Which object keys can be uploaded to.

use crate::error::{Error, ErrorKind, Result};

/// Checks the rules of an object key: 1 to 1023 bytes of UTF-8, no leading `/` or `\`
/// (<https://www.alibabacloud.com/help/en/oss/user-guide/object-naming-conventions>), and no path
/// segment `.` or `..`, because every URL library removes those, so that the request would name
/// another object.
///
/// # Errors
///
/// [`ErrorKind::CredentialInvalid`] says which rule is broken: the key comes with the
/// UploadAddress.
pub fn check_object_key(key: &str) -> Result<()> {
    let broken = if key.is_empty() {
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
    Err(Error::new(ErrorKind::CredentialInvalid, format!("the object key (FileName) {broken}")))
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
    fn keys_that_vod_makes_are_taken() {
        for key in ["sv/4f0-18e/4f0-18e.mp4", "a", ".hidden", "a/..b/.c", "dir 1/é&<测试>+a.bin"]
        {
            assert_eq!(check_object_key(key), Ok(()), "{key}");
        }
        assert_eq!(check_object_key(&"k".repeat(1023)), Ok(()));
    }

    #[test]
    fn keys_that_would_name_another_object_are_refused() {
        let long = "é".repeat(512);
        for key in ["", "/a", "\\a", ".", "..", "a/../b", "a/.", "./a", long.as_str()] {
            let error = check_object_key(key).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::CredentialInvalid, "{key}");
        }
    }
}
