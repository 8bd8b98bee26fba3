//! The credential of a client, in headers or in tus metadata.

use super::header::{UPLOAD_ADDRESS, UPLOAD_AUTH};
use super::{Metadata, RequestHead};
use crate::credential::UploadCredential;
use crate::error::{Error, Result};
use crate::units::UnixMillis;

/// The credential in `head`, or else in `metadata` (`upload_address`, `upload_auth`), if the client
/// sent one.
///
/// # Errors
/// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) if only one of the two values is
/// present, and the errors of [`UploadCredential::parse`].
pub fn client_credential(
    head: &RequestHead,
    metadata: Option<&Metadata>,
    now: UnixMillis,
) -> Result<Option<UploadCredential>> {
    let in_metadata = |key| metadata.and_then(|metadata| metadata.text(&[key]));
    let address = head.header(UPLOAD_ADDRESS).or_else(|| in_metadata("upload_address"));
    let auth = head.header(UPLOAD_AUTH).or_else(|| in_metadata("upload_auth"));
    match (address, auth) {
        (Some(address), Some(auth)) => UploadCredential::parse(address, auth, now).map(Some),
        (None, None) => Ok(None),
        (Some(_), None) => {
            Err(Error::field_invalid(UPLOAD_AUTH.as_str(), "sent with Upload-Address"))
        }
        (None, Some(_)) => {
            Err(Error::field_invalid(UPLOAD_ADDRESS.as_str(), "sent with Upload-Auth"))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use ::http::Method;

    use super::*;

    #[test]
    fn the_error_for_an_incomplete_credential_contains_the_missing_field() {
        for (name, missing) in
            [("Upload-Auth", "Upload-Address"), ("Upload-Address", "Upload-Auth")]
        {
            let head = RequestHead::new(Method::PUT, "/", [(name, "e30=")]);
            let error = client_credential(&head, None, UnixMillis(0)).unwrap_err();
            assert_eq!(error.field().unwrap().name, missing.to_lowercase(), "{error}");
        }
    }
}
