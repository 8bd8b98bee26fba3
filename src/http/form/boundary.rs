//! The boundary between the parts of a form.

use crate::error::{Error, ErrorKind, Result};
use crate::http::media_type::MediaType;

/// A boundary: 1 to 200 characters.
///
/// RFC 2046 §5.1.1 permits 70 characters of `bchars`. Common servers accept more, and clients send
/// such boundaries, also without quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boundary(String);

impl Boundary {
    /// The boundary in the value of a Content-Type.
    ///
    /// # Errors
    /// Returns [`ErrorKind::MediaTypeUnsupported`] for another type than `multipart/form-data`, and
    /// [`ErrorKind::RequestInvalid`] for a missing or invalid boundary.
    pub fn from_content_type(content_type: Option<&str>) -> Result<Self> {
        let media_type = content_type.and_then(MediaType::parse);
        let Some(media_type) = media_type.filter(|media_type| media_type.is(FORM_TYPE)) else {
            let message = format!("Content-Type is not {FORM_TYPE}");
            return Err(Error::new(ErrorKind::MediaTypeUnsupported, message));
        };
        let boundary = media_type.parameter("boundary").and_then(|mut boundaries| {
            let first = boundaries.next()?;
            boundaries.all(|other| other == first).then_some(first)
        });
        boundary.filter(|text| is_boundary(text)).map(|text| Self(text.to_owned())).ok_or_else(
            || {
                let allowed =
                    format!("{FORM_TYPE} with one boundary of 1 to {CHARS_MAX} characters");
                Error::field_invalid("content-type", allowed)
            },
        )
    }

    /// The delimiter that ends a part: a line break and the boundary.
    pub(super) fn delimiter(&self) -> Vec<u8> {
        format!("\r\n--{}", self.0).into_bytes()
    }
}

/// A gateway may remove white space from the end of a line, so a boundary does not end with it.
fn is_boundary(text: &str) -> bool {
    (1..=CHARS_MAX).contains(&text.chars().count())
        && !text.ends_with(' ')
        && !text.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER)
}

/// Longest boundary, in characters.
const CHARS_MAX: usize = 200;

const FORM_TYPE: &str = "multipart/form-data";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn boundary(content_type: &str) -> Result<String> {
        Boundary::from_content_type(Some(content_type)).map(|boundary| boundary.0)
    }

    #[test]
    fn a_boundary_is_parsed_with_and_without_quotes_and_other_parameters() {
        for (content_type, expected) in [
            (
                "multipart/form-data; boundary=----WebKitFormBoundaryAB12",
                "----WebKitFormBoundaryAB12",
            ),
            ("Multipart/Form-Data;BOUNDARY=\"a b:?\"", "a b:?"),
            ("multipart/form-data; charset=utf-8; boundary=x ;", "x"),
            ("multipart/form-data; boundary=----=_Part_1 2@{3}", "----=_Part_1 2@{3}"),
            ("multipart/form-data; boundary=a; boundary=\"a\"", "a"),
            ("multipart/form-data; boundary=\"a\\\"b\"", "a\"b"),
            ("multipart/form-data; boundary=ä", "ä"),
        ] {
            assert_eq!(boundary(content_type).unwrap(), expected);
        }
        let longest = "x".repeat(200);
        assert_eq!(boundary(&format!("multipart/form-data; boundary={longest}")).unwrap(), longest);
    }

    #[test]
    fn a_missing_repeated_or_invalid_boundary_is_rejected() {
        for rest in [
            "",
            ";",
            "; boundary",
            "; boundary=",
            "; boundary=\"\"",
            "; boundary=\"a ",
            "; boundary=\"a \"",
            "; boundary=a; boundary=b",
            "; boundary=\u{fffd}",
            &format!("; boundary={}", "x".repeat(201)),
        ] {
            let error = boundary(&format!("multipart/form-data{rest}")).unwrap_err();
            assert_eq!(error.field().unwrap().name, "content-type", "{rest}");
        }
    }

    #[test]
    fn another_content_type_is_not_a_form() {
        for content_type in
            [None, Some("application/x-www-form-urlencoded"), Some("multipart/mixed")]
        {
            let error = Boundary::from_content_type(content_type).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MediaTypeUnsupported);
        }
    }
}
