//! The extension and the default title of a file name.

use super::limits::Unit;

/// The extension without its dot, in its original case; `None` if the name has none.
///
/// Leading directories are ignored. A name such as `.mp4` has no extension.
pub(super) fn extension(file_name: &str) -> Option<&str> {
    let (stem, extension) = last_segment(file_name).rsplit_once('.')?;
    (!stem.is_empty() && !extension.is_empty()).then_some(extension)
}

/// The name without directories and extension, truncated to `max` units at a character boundary.
pub(super) fn title(file_name: &str, max: usize, unit: Unit) -> &str {
    let name = last_segment(file_name);
    let stem = match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    };
    let end = match unit {
        Unit::Characters => stem.char_indices().nth(max).map_or(stem.len(), |(at, _)| at),
        Unit::Bytes => stem.floor_char_boundary(max),
    };
    &stem[..end]
}

fn last_segment(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_is_what_follows_the_last_dot_of_the_name() {
        for (name, expected) in [
            ("a.mp4", Some("mp4")),
            ("a.b.MP4", Some("MP4")),
            ("C:\\films\\a.mp4", Some("mp4")),
            ("a", None),
            ("a.", None),
            (".mp4", None),
            ("a.b/c", None),
            ("", None),
        ] {
            assert_eq!(extension(name), expected, "{name}");
        }
    }

    #[test]
    fn a_title_is_truncated_at_a_character_boundary() {
        assert_eq!(title("films/a.b.mp4", 128, Unit::Characters), "a.b");
        assert_eq!(title(".mp4", 128, Unit::Characters), ".mp4");
        assert_eq!(title("plain", 3, Unit::Bytes), "pla");
        assert_eq!(title("测试片.mp4", 2, Unit::Characters), "测试");
        assert_eq!(title("测试片.mp4", 8, Unit::Bytes), "测试");
        assert_eq!(title("", 8, Unit::Bytes), "");
    }
}
