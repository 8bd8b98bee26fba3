//! Checks of the content of a request by its head, before the body is read.

use ::http::Method;
use ::http::header::{CONTENT_ENCODING, CONTENT_RANGE};

use super::{Protocol, Route};
use crate::error::{Error, ErrorKind, Result};
use crate::http::content::{check_coding, check_is_no_range};
use crate::http::header::{UPLOAD_COMPLETE, UPLOAD_INCOMPLETE, UPLOAD_OFFSET};
use crate::http::media_type::{MediaType, PARTIAL_UPLOAD};
use crate::http::{RequestHead, structured_fields};

/// Checks that the content of the request is what its protocol stores: not a range of it, and not
/// encoded.
///
/// # Errors
/// Returns [`ErrorKind::RequestInvalid`] for a `Content-Range` (RFC 9110 §14.5), and for an offset
/// or an incompleteness that a single request cannot have;
/// [`ErrorKind::ContentEncodingUnsupported`]; and [`ErrorKind::MediaTypeUnsupported`] for a single
/// file whose type is that of several bodies or of a part of it.
pub fn check_content(head: &RequestHead, route: &Route, protocol: Protocol) -> Result<()> {
    let method = head.effective_method();
    if !matches!(method, Some(Method::POST | Method::PUT | Method::PATCH)) {
        return Ok(());
    }
    check_is_no_range(head.header_values(CONTENT_RANGE).next().is_some())?;
    head.header_values(CONTENT_ENCODING).try_for_each(check_coding)?;
    match route {
        Route::Create if protocol == Protocol::Tus => check_starts_at_zero(head),
        Route::Create | Route::File { .. } => {
            check_starts_at_zero(head)?;
            check_file_type(head, protocol)
        }
        Route::Form => {
            check_starts_at_zero(head)?;
            check_is_entire(head)
        }
        Route::FilePond { .. } if method == Some(Method::POST) => {
            check_starts_at_zero(head)?;
            check_is_entire(head)
        }
        _ => Ok(()),
    }
}

fn check_starts_at_zero(head: &RequestHead) -> Result<()> {
    match head.header(UPLOAD_OFFSET) {
        None | Some("0") => Ok(()),
        Some(_) => {
            let allowed = "0 or absent in a request that does not append";
            Err(Error::field_invalid(UPLOAD_OFFSET.as_str(), allowed))
        }
    }
}

/// Checks that the client does not declare that more content follows: clients of the IETF draft
/// declare completeness also to servers that do not support it.
fn check_is_entire(head: &RequestHead) -> Result<()> {
    for (name, partial) in [(UPLOAD_COMPLETE, false), (UPLOAD_INCOMPLETE, true)] {
        if structured_fields::boolean(head, &name) == Some(partial) {
            let allowed = "that of a complete form: this path has no resumable uploads";
            return Err(Error::field_invalid(name.as_str(), allowed));
        }
    }
    Ok(())
}

fn check_file_type(head: &RequestHead, protocol: Protocol) -> Result<()> {
    let Some(media_type) = MediaType::of(head) else { return Ok(()) };
    let message = match media_type.essence() {
        "multipart/form-data" => "Content-Type is that of a form: send it to /v1/uploads",
        PARTIAL_UPLOAD if protocol == Protocol::Plain => "Content-Type is that of a part of a file",
        _ if media_type.is_multipart() => "Content-Type is that of several bodies",
        _ => return Ok(()),
    };
    Err(Error::new(ErrorKind::MediaTypeUnsupported, message))
}
