//! Limits that several VOD calls share, and their checks.

use crate::error::{Error, Result};

/// The maximum length of a video, audio or image title, in characters
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadvideo>,
/// <https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadimage>).
pub(super) const TITLE_CHARS_MAX: usize = 128;

/// The maximum length of a video, audio or image description, in characters (the same pages).
pub(super) const DESCRIPTION_CHARS_MAX: usize = 1024;

/// The maximum length of the title of auxiliary media and of a URL upload, in bytes of UTF-8
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadattachedmedia>,
/// <https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-uploadmediabyurl>).
pub(super) const TITLE_BYTES_MAX: usize = 128;

/// The maximum length of the description of auxiliary media and of a URL upload, in bytes of UTF-8
/// (the same pages).
pub(super) const DESCRIPTION_BYTES_MAX: usize = 1024;

/// The maximum number of comma-separated tags of one media asset (all of these pages).
pub(super) const TAGS_MAX: usize = 16;

/// The maximum length of a tag: in characters for video, audio and images, in bytes of UTF-8
/// otherwise (all of these pages).
pub(super) const TAG_LEN_MAX: usize = 32;

/// The unit of a length limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Unicode scalar values.
    Characters,
    /// Bytes of UTF-8.
    Bytes,
}

impl Unit {
    fn count(self, text: &str) -> usize {
        match self {
            Self::Characters => text.chars().count(),
            Self::Bytes => text.len(),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Characters => "characters",
            Self::Bytes => "bytes",
        }
    }
}

/// Checks that the text has at most `max` units.
pub(super) fn check_length(field: &str, text: Option<&str>, max: usize, unit: Unit) -> Result<()> {
    if text.is_some_and(|text| unit.count(text) > max) {
        return Err(Error::field_invalid(field, format!("at most {max} {}", unit.name())));
    }
    Ok(())
}

/// Checks the number of tags and the length of each.
pub(super) fn check_tags(tags: Option<&str>, unit: Unit) -> Result<()> {
    let tags: Vec<&str> = tags.into_iter().flat_map(|tags| tags.split(',')).collect();
    if tags.len() > TAGS_MAX {
        return Err(Error::field_invalid("Tags", format!("at most {TAGS_MAX} tags")));
    }
    if tags.iter().any(|tag| unit.count(tag) > TAG_LEN_MAX) {
        let allowed = format!("of at most {TAG_LEN_MAX} {} each", unit.name());
        return Err(Error::field_invalid("Tags", allowed));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn a_limit_is_counted_in_its_unit() {
        let title = "标".repeat(43);
        assert_eq!(check_length("Title", Some(&title), 128, Unit::Characters), Ok(()));
        let error = check_length("Title", Some(&title), 128, Unit::Bytes).unwrap_err();
        assert_eq!(error.message(), "Title must be at most 128 bytes");
        assert_eq!(check_length("Title", None, 0, Unit::Bytes), Ok(()));
    }

    #[test]
    fn tags_are_limited_in_number_and_each_in_length() {
        let most = vec!["标".repeat(32); 16].join(",");
        assert_eq!(check_tags(Some(&most), Unit::Characters), Ok(()));
        assert!(check_tags(Some(&most), Unit::Bytes).unwrap_err().message().contains("32 bytes"));
        let more = format!("{most},t");
        let error = check_tags(Some(&more), Unit::Characters).unwrap_err();
        assert_eq!(error.message(), "Tags must be at most 16 tags");
        assert_eq!(check_tags(None, Unit::Bytes), Ok(()));
    }
}
