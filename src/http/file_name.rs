//! File names from clients.

use percent_encoding::percent_decode_str;

use crate::error::{Error, Result};

/// Longest file name, in characters, so that names of all scripts have the same limit. VOD
/// documents no limit; most file systems permit 255 bytes or UTF-16 units.
pub(crate) const FILE_NAME_CHARS_MAX: usize = 255;

/// A valid file name: no directories, no control characters, an extension. A name that is too long
/// is shortened before its extension.
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
        Ok(Self(shortened(name)))
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
        shortened_title(stem)
    }

    /// The extension in lower case.
    #[must_use]
    pub fn extension(&self) -> String {
        self.0.rsplit_once('.').map_or_else(String::new, |(_, extension)| extension.to_lowercase())
    }
}

/// The name in at most [`FILE_NAME_CHARS_MAX`] characters, with its extension.
fn shortened(name: String) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) if name.chars().count() > FILE_NAME_CHARS_MAX => {
            let stem_chars = FILE_NAME_CHARS_MAX - 1 - extension.chars().count();
            let stem: String = stem.chars().take(stem_chars).collect();
            format!("{stem}.{extension}")
        }
        _ => name,
    }
}

/// A title in at most as many characters as VOD accepts.
#[must_use]
pub fn shortened_title(title: &str) -> String {
    title.chars().take(TITLE_CHARS_MAX).collect()
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
    (1..=EXTENSION_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn invalid(allowed: &str) -> Error {
    Error::field_invalid("file-name", allowed)
}

/// Longest title at VOD, in characters
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadvideo>).
const TITLE_CHARS_MAX: usize = 128;

/// Longest extension, in characters: those of VOD's formats are much shorter.
const EXTENSION_CHARS_MAX: usize = 16;

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
        let long = format!("a.{}", "x".repeat(17));
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
    fn a_long_name_is_shortened_and_keeps_its_extension() {
        for letter in ["x", "测", "🎬"] {
            let longest = format!("{}.mp4", letter.repeat(251));
            assert_eq!(FileName::new(&longest).unwrap().as_str(), longest);
            let long = format!("{}.mp4", letter.repeat(4096));
            assert_eq!(FileName::new(&long).unwrap().as_str(), longest);
            let long = FileName::with_fallback(&letter.repeat(4096), "", Some("mp4")).unwrap();
            assert_eq!(long.as_str(), longest);
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
