//! Structured fields of a request (RFC 9651, <https://www.rfc-editor.org/rfc/rfc9651>).
//!
//! A field of another type is treated as absent: RFC 9651 §4.2 ignores a field that cannot be
//! parsed, and draft-ietf-httpbis-resumable-upload §4.1 requires that other values "MUST cause the
//! entire header field to be ignored". A reader that requires the field reports it as missing with
//! [`required`].

use ::http::header::AsHeaderName;
use sfv::{BareItem, Dictionary, FieldType, Item, Parser};

use super::RequestHead;
use crate::error::{Error, Result};
use crate::units::ByteCount;

/// Largest Integer that a structured field can hold: fifteen digits (RFC 9651 §3.3.1).
pub(super) const INTEGER_MAX: u64 = 999_999_999_999_999;

/// The Boolean in this field (RFC 9651 §3.3.6): `?1` or `?0`.
pub(super) fn boolean(head: &RequestHead, name: impl AsHeaderName) -> Option<bool> {
    item(head, name)?.as_boolean()
}

/// The Integer in this field (RFC 9651 §3.3.1) if it is not negative.
pub(super) fn integer(head: &RequestHead, name: impl AsHeaderName) -> Option<u64> {
    u64::try_from(item(head, name)?.as_integer()?).ok()
}

/// The Integer in this field as a number of bytes.
pub(super) fn byte_count(head: &RequestHead, name: impl AsHeaderName) -> Option<ByteCount> {
    integer(head, name).map(ByteCount)
}

/// The Dictionary in this field (RFC 9651 §3.2).
pub(super) fn dictionary(head: &RequestHead, name: impl AsHeaderName) -> Option<Dictionary> {
    parsed(head, name)
}

/// The value of a required field.
///
/// # Errors
/// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) with the field `name` if it is
/// absent.
pub(super) fn required<T>(value: Option<T>, name: &str, allowed: &str) -> Result<T> {
    value.ok_or_else(|| Error::field_invalid(name, allowed))
}

fn item(head: &RequestHead, name: impl AsHeaderName) -> Option<BareItem> {
    parsed::<Item>(head, name).map(|item| item.bare_item)
}

/// Lines of the same name form one value, joined by commas (RFC 9651 §4.2).
fn parsed<T: FieldType>(head: &RequestHead, name: impl AsHeaderName) -> Option<T> {
    let lines: Vec<&str> = head.field_lines(name).collect();
    if lines.is_empty() { None } else { Parser::new(&lines.join(", ")).parse().ok() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use ::http::Method;
    use proptest::prelude::*;

    use super::*;

    fn sent(values: &[&str]) -> RequestHead {
        let headers = values.iter().map(|value| ("X-Field", value));
        RequestHead::new(Method::PATCH, "/", headers)
    }

    #[test]
    fn a_boolean_is_a_question_mark_and_a_digit() {
        assert_eq!(boolean(&sent(&["?1"]), "x-field"), Some(true));
        assert_eq!(boolean(&sent(&[" ?0;why=retry "]), "x-field"), Some(false));
        for value in ["", "1", "true", "?2", "?", "?1?1", "\"?1\"", "?1, ?1"] {
            assert_eq!(boolean(&sent(&[value]), "x-field"), None, "{value:?}");
        }
    }

    #[test]
    fn an_integer_has_up_to_fifteen_digits_and_no_plus() {
        assert_eq!(integer(&sent(&["0"]), "x-field"), Some(0));
        assert_eq!(integer(&sent(&["007;a=1"]), "x-field"), Some(7));
        assert_eq!(integer(&sent(&["999999999999999"]), "x-field"), Some(INTEGER_MAX));
        for value in ["", "+5", "-5", "5.0", "0x5", "1000000000000000", "5 6", "\"5\"", "５"] {
            assert_eq!(integer(&sent(&[value]), "x-field"), None, "{value:?}");
        }
    }

    #[test]
    fn field_lines_of_the_same_name_are_combined() {
        assert_eq!(integer(&sent(&["5", "5"]), "x-field"), None);
        let both = dictionary(&sent(&["a=1", "b=2"]), "X-FIELD").unwrap();
        assert_eq!(both.len(), 2);
        assert!(dictionary(&sent(&["a=1,"]), "x-field").is_none());
        assert!(dictionary(&sent(&[]), "x-field").is_none());
    }

    #[test]
    fn the_error_for_a_missing_field_contains_its_name() {
        let error = required(None::<u64>, "upload-offset", "a number").unwrap_err();
        assert_eq!(error.field().unwrap().name, "upload-offset");
    }

    proptest! {
        #[test]
        fn parsing_never_panics(value: String) {
            let head = sent(&[&value]);
            let _ = (boolean(&head, "x-field"), integer(&head, "x-field"));
            let _ = dictionary(&head, "x-field");
        }

        #[test]
        fn every_integer_of_up_to_fifteen_digits_round_trips(number in 0..=INTEGER_MAX) {
            prop_assert_eq!(integer(&sent(&[&number.to_string()]), "x-field"), Some(number));
        }
    }
}
