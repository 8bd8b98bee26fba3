//! Requests without content: HEAD ("Offset Retrieval") and DELETE ("Upload Cancellation").

use ::http::{HeaderName, Method};

use crate::error::{Error, Result};
use crate::http::RequestHead;
use crate::http::header::{UPLOAD_COMPLETE, UPLOAD_INCOMPLETE, UPLOAD_LENGTH, UPLOAD_OFFSET};

/// Checks a HEAD or DELETE: draft -05 requires 400 if it contains the state of the upload, and
/// later drafts permit it.
///
/// # Errors
/// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) with the header.
pub fn check_bodiless(head: &RequestHead) -> Result<()> {
    const STATE: [HeaderName; 4] =
        [UPLOAD_OFFSET, UPLOAD_COMPLETE, UPLOAD_INCOMPLETE, UPLOAD_LENGTH];
    // Only HEAD must not contain the length.
    let is_delete = head.effective_method() == Some(Method::DELETE);
    let forbidden = if is_delete { &STATE[..3] } else { &STATE[..] };
    match forbidden.iter().find(|name| head.header(*name).is_some()) {
        Some(name) => Err(Error::field_invalid(name.as_str(), "absent in HEAD and DELETE")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::super::testing::head;
    use super::*;

    #[test]
    fn a_request_without_content_declares_no_state() {
        let field = |method: Method, name| {
            let checked = check_bodiless(&head(method, &[(name, "0")]));
            checked.err().map(|error| error.field().unwrap().name.clone())
        };
        for name in ["upload-offset", "upload-complete", "upload-incomplete"] {
            assert_eq!(field(Method::HEAD, name).as_deref(), Some(name));
            assert_eq!(field(Method::DELETE, name).as_deref(), Some(name));
        }
        assert_eq!(field(Method::HEAD, "upload-length").as_deref(), Some("upload-length"));
        assert_eq!(field(Method::DELETE, "upload-length"), None);
        assert_eq!(field(Method::HEAD, "upload-metadata"), None);
    }
}
