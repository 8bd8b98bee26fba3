//! The length of the representation in the requests of an upload (§4.1.3 "Length").

use crate::error::{Error, ErrorKind, Result};
use crate::units::ByteCount;

/// The length that one request declares: `Upload-Length`, or the end of content that completes the
/// upload. If both are present, they must agree.
///
/// # Errors
/// Returns [`ErrorKind::LengthInconsistent`] if they do not agree, or if the content exceeds the
/// length.
pub(super) fn declared(
    upload_length: Option<ByteCount>,
    content_end: Option<ByteCount>,
    complete: bool,
) -> Result<Option<ByteCount>> {
    match (upload_length, content_end) {
        (Some(length), Some(end)) if complete && end != length => Err(inconsistent(format!(
            "Upload-Length is {length}, but the content that completes the upload ends at {end}"
        ))),
        (Some(length), Some(end)) if end > length => {
            Err(inconsistent(format!("Upload-Length is {length}, but the content ends at {end}")))
        }
        (Some(length), _) => Ok(Some(length)),
        (None, Some(end)) if complete => Ok(Some(end)),
        (None, _) => Ok(None),
    }
}

/// Checks that a request is consistent with an upload of length `known`.
///
/// # Errors
/// Returns [`ErrorKind::LengthInconsistent`] if it declares another length or exceeds the known
/// one.
pub(super) fn consistent(
    known: Option<ByteCount>,
    declared: Option<ByteCount>,
    content_end: Option<ByteCount>,
) -> Result<()> {
    let Some(known) = known else { return Ok(()) };
    if let Some(declared) = declared.filter(|declared| *declared != known) {
        return Err(inconsistent(format!(
            "the upload has a length of {known}, but the request declares {declared}"
        )));
    }
    match content_end.filter(|end| *end > known) {
        Some(end) => Err(inconsistent(format!(
            "the upload has a length of {known}, but the content ends at {end}"
        ))),
        None => Ok(()),
    }
}

pub(super) fn inconsistent(message: String) -> Error {
    Error::new(ErrorKind::LengthInconsistent, message)
}
