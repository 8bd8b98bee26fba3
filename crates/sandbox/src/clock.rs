//! The sandbox's clock: the system time plus an offset that a test can set.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The system time plus an offset.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset_ms: AtomicI64,
}

impl Clock {
    /// The current time of the sandbox.
    pub(crate) fn now(&self) -> Timestamp {
        let offset = SignedDuration::from_millis(self.offset_ms());
        // Saturates outside the years -9999..9999.
        Timestamp::now().saturating_add(offset).unwrap_or(Timestamp::MAX)
    }

    /// The offset to the system time, in milliseconds.
    pub(crate) fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Relaxed)
    }

    /// Sets the offset to the system time.
    pub(crate) fn set_offset_ms(&self, offset_ms: i64) {
        self.offset_ms.store(offset_ms, Ordering::Relaxed);
    }
}

/// `Thu, 17 Nov 2005 18:49:58 GMT`, the format of the `Date` header (RFC 9110 §5.6.7).
pub(crate) fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Parses the format of [`http_date`].
pub(crate) fn parse_http_date(text: &str) -> Option<Timestamp> {
    parse("%a, %d %b %Y %H:%M:%S GMT", text)
}

/// Parses `20231216T162057Z`, the format of `x-oss-date` in V4 signing.
pub(crate) fn parse_basic_iso(text: &str) -> Option<Timestamp> {
    // strptime also accepts one-digit fields; the length check rejects them.
    (text.len() == "20231216T162057Z".len()).then(|| parse("%Y%m%dT%H%M%SZ", text)).flatten()
}

/// `2026-11-22T10:00:00.000Z`, the format of dates in OSS responses. OSS has a resolution of
/// seconds, but its clients require the three zeros.
pub(crate) fn oss_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// `2026-11-22T10:00:00Z`, the format of dates in VOD requests and responses.
pub(crate) fn iso_secs(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Parses the format of [`iso_secs`].
pub(crate) fn parse_iso_secs(text: &str) -> Option<Timestamp> {
    (text.len() == "2026-11-22T10:00:00Z".len())
        .then(|| parse("%Y-%m-%dT%H:%M:%SZ", text))
        .flatten()
}

fn parse(format: &str, text: &str) -> Option<Timestamp> {
    let civil = DateTime::strptime(format, text).ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn every_format_round_trips() {
        let at = Timestamp::from_second(1_702_743_657).unwrap();
        assert_eq!(http_date(at), "Sat, 16 Dec 2023 16:20:57 GMT");
        assert_eq!(parse_http_date(&http_date(at)), Some(at));
        assert_eq!(parse_basic_iso("20231216T162057Z"), Some(at));
        assert_eq!(oss_time(at), "2023-12-16T16:20:57.000Z");
        assert_eq!(parse_iso_secs(&iso_secs(at)), Some(at));
    }

    #[test]
    fn a_date_in_another_format_is_rejected() {
        assert_eq!(parse_http_date("my_timestamp"), None);
        assert_eq!(parse_basic_iso("2023-12-16T16:20:57Z"), None);
        assert_eq!(parse_iso_secs("2023-12-16 16:20:57"), None);
    }

    #[test]
    fn a_clock_with_an_offset_is_ahead_by_it() {
        let clock = Clock::default();
        let before = clock.now();
        clock.set_offset_ms(3_600_000);
        assert!(clock.now().duration_since(before) >= SignedDuration::from_hours(1));
    }
}
