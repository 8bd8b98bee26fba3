//! The `Date` header of a response (RFC 9110, section 6.6.1).

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::units::UnixMillis;

/// Parses a date such as `Wed, 28 Dec 2022 10:27:41 GMT`.
pub(super) fn parse(text: &str) -> Option<UnixMillis> {
    let instant = OffsetDateTime::parse(text.trim(), &Rfc2822).ok()?;
    let secs = u64::try_from(instant.unix_timestamp()).ok()?;
    Some(UnixMillis(secs.checked_mul(1_000)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_precise_to_the_second() {
        let expected = Some(UnixMillis(1_672_223_261_000));
        assert_eq!(parse("Wed, 28 Dec 2022 10:27:41 GMT"), expected);
        assert_eq!(parse(" Wed, 28 Dec 2022 10:27:41 GMT "), expected);
        for text in ["", "yesterday", "2022-12-28T10:27:41Z", "Wed, 31 Dec 1969 23:59:59 GMT"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
