//! The two formats of `EventTime`.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::units::UnixMillis;

/// Parses `2017-03-20T07:49:17Z`, and `2017-03-20T07:49:17:123Z` with a colon before the
/// milliseconds, as in
/// <https://www.alibabacloud.com/help/en/vod/developer-reference/imageuploadcomplete>.
pub(super) fn parse(text: &str) -> Option<UnixMillis> {
    let text = text.trim();
    let colons: Vec<usize> = text.match_indices(':').map(|(at, _)| at).collect();
    let instant = match colons[..] {
        [_, _, third] => {
            let with_point = format!("{}.{}", &text[..third], &text[third + 1..]);
            OffsetDateTime::parse(&with_point, &Rfc3339).ok()?
        }
        _ => OffsetDateTime::parse(text, &Rfc3339).ok()?,
    };
    u64::try_from(instant.unix_timestamp_nanos() / 1_000_000).ok().map(UnixMillis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_are_parsed() {
        for (text, expected) in [
            ("2017-03-20T07:49:17Z", 1_489_996_157_000),
            ("2017-03-20T07:49:17:123Z", 1_489_996_157_123),
            (" 2017-03-20T07:49:17.123Z ", 1_489_996_157_123),
        ] {
            assert_eq!(parse(text), Some(UnixMillis(expected)), "{text}");
        }
        for text in ["", "today", "2017-03-20", ":::", "2017-03-20T07:49:17:é"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
