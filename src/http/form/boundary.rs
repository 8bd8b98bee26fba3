//! The boundary between the parts of a form.

use super::parameters::parameters;
use crate::error::{Error, ErrorKind, Result};

/// A boundary: 1 to 70 characters of RFC 2046's `bchars`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boundary(String);

impl Boundary {
    /// The boundary in the value of a Content-Type.
    ///
    /// # Errors
    /// Returns [`ErrorKind::MediaTypeUnsupported`] for another type than `multipart/form-data`, and
    /// [`ErrorKind::RequestInvalid`] for a missing or invalid boundary.
    pub fn from_content_type(content_type: Option<&str>) -> Result<Self> {
        let content_type = content_type.unwrap_or_default();
        let (media_type, rest) = content_type.split_once(';').unwrap_or((content_type, ""));
        if !media_type.trim().eq_ignore_ascii_case(FORM_TYPE) {
            let message = format!("Content-Type is not {FORM_TYPE}");
            return Err(Error::new(ErrorKind::MediaTypeUnsupported, message));
        }
        let boundary = parameters(rest).and_then(|parameters| {
            let mut named = parameters.into_iter().filter(|(name, _)| name == "boundary");
            match (named.next(), named.next()) {
                (Some((_, boundary)), None) => Some(boundary),
                _ => None,
            }
        });
        boundary.filter(|boundary| is_boundary(boundary)).map(Self).ok_or_else(|| {
            Error::field_invalid(
                "content-type",
                "multipart/form-data with one boundary of 1 to 70 characters (RFC 2046)",
            )
        })
    }

    /// The delimiter that ends a part: a line break and the boundary.
    pub(super) fn delimiter(&self) -> Vec<u8> {
        format!("\r\n--{}", self.0).into_bytes()
    }
}

/// `bchars` of RFC 2046 §5.1.1, the last of which is not a space.
fn is_boundary(text: &str) -> bool {
    (1..=BOUNDARY_CHARS_MAX).contains(&text.len())
        && !text.ends_with(' ')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte))
}

/// Longest boundary, in characters
/// (RFC 2046 §5.1.1, <https://www.rfc-editor.org/rfc/rfc2046#section-5.1.1>).
const BOUNDARY_CHARS_MAX: usize = 70;

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
        ] {
            assert_eq!(boundary(content_type).unwrap(), expected);
        }
        let longest = "x".repeat(70);
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
            "; boundary=\"a\\\"b\"",
            "; boundary=ä",
            &format!("; boundary={}", "x".repeat(71)),
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
