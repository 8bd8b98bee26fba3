//! The formats of instants in signatures and responses.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::units::UnixMillis;

/// `20231216T162057Z`: `x-oss-date` with V4 signatures.
pub(crate) fn iso8601_basic(now: UnixMillis) -> String {
    iso8601_extended(now).replace(['-', ':'], "")
}

/// `2016-02-23T12:46:24Z`: `Timestamp` of VOD calls.
pub(crate) fn iso8601_extended(now: UnixMillis) -> String {
    let t = utc(now);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        t.year(),
        u8::from(t.month()),
        t.day(),
        t.hour(),
        t.minute(),
        t.second()
    )
}

/// `Wed, 28 Dec 2022 10:27:41 GMT` (RFC 9110 §5.6.7): `x-oss-date` with V1 signatures.
pub(crate) fn imf_fixdate(now: UnixMillis) -> String {
    let t = utc(now);
    let (weekday, month) = (t.weekday().to_string(), t.month().to_string());
    format!(
        "{weekday:.3}, {:02} {month:.3} {:04} {:02}:{:02}:{:02} GMT",
        t.day(),
        t.year(),
        t.hour(),
        t.minute(),
        t.second()
    )
}

/// Parses `2016-02-23T12:46:24.000Z`, as in `ServerTime`.
pub(crate) fn parse_iso8601(text: &str) -> Option<UnixMillis> {
    let instant = OffsetDateTime::parse(text.trim(), &Rfc3339).ok()?;
    let millis = instant.unix_timestamp_nanos() / 1_000_000;
    u64::try_from(millis).ok().map(UnixMillis)
}

/// An instant after the year 9999 cannot be represented and becomes 1970-01-01. OSS then reports
/// the clock skew.
fn utc(now: UnixMillis) -> OffsetDateTime {
    i64::try_from(now.secs())
        .ok()
        .and_then(|secs| OffsetDateTime::from_unix_timestamp(secs).ok())
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a failed assumption fails the test"
    )]

    use super::*;

    /// 2022-12-28T10:27:41Z
    const NOW: UnixMillis = UnixMillis(1_672_223_261_999);

    #[test]
    fn an_instant_is_formatted_in_every_format() {
        assert_eq!(iso8601_basic(NOW), "20221228T102741Z");
        assert_eq!(iso8601_extended(NOW), "2022-12-28T10:27:41Z");
        assert_eq!(imf_fixdate(NOW), "Wed, 28 Dec 2022 10:27:41 GMT");
    }

    #[test]
    fn days_below_ten_have_two_digits() {
        assert_eq!(imf_fixdate(UnixMillis(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[test]
    fn an_instant_out_of_range_does_not_panic() {
        assert_eq!(iso8601_basic(UnixMillis(u64::MAX)), "19700101T000000Z");
    }

    #[test]
    fn server_times_are_parsed_with_and_without_a_fraction() {
        assert_eq!(parse_iso8601("2022-12-28T10:27:41.999Z"), Some(NOW));
        assert_eq!(parse_iso8601("2022-12-28T10:27:41Z"), Some(UnixMillis(1_672_223_261_000)));
        assert_eq!(parse_iso8601("yesterday"), None);
        assert_eq!(parse_iso8601("1969-12-31T00:00:00Z"), None);
    }
}
