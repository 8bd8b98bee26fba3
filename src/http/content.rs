//! Headers that change what content is: ranges and encodings.

use ::http::header::CONTENT_RANGE;

use crate::error::{Error, ErrorKind, Result};

/// Checks that the content has no `Content-Range`.
pub(super) fn check_is_no_range(has_range: bool) -> Result<()> {
    if !has_range {
        return Ok(());
    }
    let allowed =
        "absent: a file is sent in one request, or in the chunks of tus or the IETF draft";
    Err(Error::field_invalid(CONTENT_RANGE.as_str(), allowed))
}

/// Checks one `Content-Encoding`: a list of codings (RFC 9110 §8.4).
pub(super) fn check_coding(value: &str) -> Result<()> {
    let mut codings = value.split(',').map(str::trim).filter(|coding| !coding.is_empty());
    if codings.all(|coding| coding.eq_ignore_ascii_case("identity")) {
        return Ok(());
    }
    let message = "Content-Encoding is not identity: the content would be stored encoded";
    Err(Error::new(ErrorKind::ContentEncodingUnsupported, message))
}
