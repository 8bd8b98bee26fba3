//! File names from clients.

use percent_encoding::percent_decode_str;

use crate::error::{Error, Result};

/// Longest file name, in bytes of UTF-8. The title at VOD, which is derived from the name, is
/// limited to 128 characters: it is truncated, the name is not.
pub(crate) const FILE_NAME_BYTES_MAX: usize = 255;

/// A valid file name: no directories, no control characters, an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// The name in plain text.
    ///
    /// # Errors
    /// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) with the constraint that the
    /// name violates.
    pub fn new(name: &str) -> Result<Self> {
        Self::with_fallback(name, "", None)
    }

    /// The name in plain text; `stem` replaces an empty stem, and `extension` a missing extension.
    ///
    /// # Errors
    /// Returns the errors of [`FileName::new`].
    pub fn with_fallback(name: &str, stem: &str, extension: Option<&str>) -> Result<Self> {
        if name.is_empty() {
            return Err(invalid("at least one character"));
        }
        if name.contains(['/', '\\']) {
            return Err(invalid("without a slash or backslash"));
        }
        if name.chars().any(char::is_control) {
            return Err(invalid("without control characters"));
        }
        let name = match (name.rsplit_once('.'), extension) {
            (Some((own, own_extension)), _) if is_extension(own_extension) && !own.is_empty() => {
                name.to_owned()
            }
            (Some(("", own_extension)), _) if is_extension(own_extension) && !stem.is_empty() => {
                format!("{stem}.{own_extension}")
            }
            (_, Some(extension)) => match name.trim_end_matches('.') {
                "" => format!("{stem}.{extension}"),
                own => format!("{own}.{extension}"),
            },
            (_, None) => {
                let allowed = "a name with an extension of letters and digits";
                return Err(invalid(allowed));
            }
        };
        if name.len() > FILE_NAME_BYTES_MAX {
            return Err(invalid(&format!("at most {FILE_NAME_BYTES_MAX} bytes long")));
        }
        Ok(Self(name))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without its extension, truncated to VOD's limit for a title.
    #[must_use]
    pub fn title(&self) -> String {
        let stem = self.0.rsplit_once('.').map_or(self.0.as_str(), |(stem, _)| stem);
        stem.chars().take(TITLE_CHARS_MAX).collect()
    }

    /// The extension in lower case.
    #[must_use]
    pub fn extension(&self) -> String {
        self.0.rsplit_once('.').map_or_else(String::new, |(_, extension)| extension.to_lowercase())
    }
}

/// The text in a percent-encoded path segment.
///
/// # Errors
/// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) for a segment that is not
/// percent-encoded UTF-8.
pub(super) fn decode_segment(segment: &str) -> Result<String> {
    let invalid = || invalid("UTF-8, percent-encoded");
    // The decoder does not report invalid encodings.
    let encoded = |rest: &str| rest.len() >= 2 && is_hex(rest.as_bytes().get(..2));
    if !segment.split('%').skip(1).all(encoded) {
        return Err(invalid());
    }
    let decoded = percent_decode_str(segment).decode_utf8().map_err(|_| invalid())?;
    Ok(decoded.into_owned())
}

fn is_hex(digits: Option<&[u8]>) -> bool {
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// Returns true if VOD can list `text` as a format: its list has letters and digits only
/// (<https://www.alibabacloud.com/help/en/vod/user-guide/overview-of-media-upload>).
#[must_use]
pub fn is_extension(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn invalid(allowed: &str) -> Error {
    Error::field_invalid("file-name", allowed)
}

/// Longest title at VOD, in characters
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadvideo>).
const TITLE_CHARS_MAX: usize = 128;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn names_of_any_script_are_decoded_and_kept() {
        let decoded = decode_segment("%E6%B5%8B%E8%AF%95%20(1).MP4").unwrap();
        let name = FileName::new(&decoded).unwrap();
        assert_eq!(name.as_str(), "测试 (1).MP4");
        assert_eq!(name.title(), "测试 (1)");
        assert_eq!(name.extension(), "mp4");
    }

    #[test]
    fn unsafe_names_and_names_that_vod_rejects_are_rejected() {
        let long = format!("{}.mp4", "x".repeat(4096));
        for name in [
            "",
            "..%2Fa.mp4",
            "a%5Cb.mp4",
            "a%00.mp4",
            "a%0A.mp4",
            "%FF.mp4",
            "plain",
            ".mp4",
            "a.",
            "a.m%20p4",
            "%zz.mp4",
            "a%2.mp4",
            "a.mp4%",
            "a.%E6%B5%8B",
            &long,
        ] {
            let named = decode_segment(name).and_then(|decoded| FileName::new(&decoded));
            assert!(named.is_err(), "{name}");
        }
    }

    #[test]
    fn a_title_is_truncated_at_a_character() {
        let name = FileName::new(&format!("{}.mp4", "测".repeat(80))).unwrap();
        assert_eq!(name.title().chars().count(), 80);
        let name = FileName::new(&format!("{}.mp4", "x".repeat(200))).unwrap();
        assert_eq!(name.title().chars().count(), 128);
    }
}
