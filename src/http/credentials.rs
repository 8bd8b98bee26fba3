//! The credential that a client brings: in headers, or in tus metadata.

use super::{Head, Metadata};
use crate::credential::UploadCredential;
use crate::error::{Error, Result};
use crate::units::UnixMillis;

/// The header with an UploadAddress as VOD returned it.
pub const UPLOAD_ADDRESS_HEADER: &str = "upload-address";
/// The header with an UploadAuth as VOD returned it.
pub const UPLOAD_AUTH_HEADER: &str = "upload-auth";

/// The credential in `head`, or else in `metadata` (`upload_address`, `upload_auth`), if the client
/// brought one. Both values or none.
///
/// # Errors
/// [`RequestInvalid`](crate::ErrorKind::RequestInvalid) for one without the other, and the errors
/// of [`UploadCredential::parse`].
pub fn client_credential(
    head: &Head,
    metadata: Option<&Metadata>,
    now: UnixMillis,
) -> Result<Option<UploadCredential>> {
    let in_metadata = |key| metadata.and_then(|metadata| metadata.text(&[key]));
    let address = head.header(UPLOAD_ADDRESS_HEADER).or_else(|| in_metadata("upload_address"));
    let auth = head.header(UPLOAD_AUTH_HEADER).or_else(|| in_metadata("upload_auth"));
    match (address, auth) {
        (Some(address), Some(auth)) => UploadCredential::parse(address, auth, now).map(Some),
        (None, None) => Ok(None),
        (Some(_), None) => {
            Err(Error::field_invalid(UPLOAD_AUTH_HEADER, "sent with Upload-Address"))
        }
        (None, Some(_)) => {
            Err(Error::field_invalid(UPLOAD_ADDRESS_HEADER, "sent with Upload-Auth"))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn one_half_of_a_credential_is_refused_by_name() {
        for (name, missing) in
            [("Upload-Auth", "Upload-Address"), ("Upload-Address", "Upload-Auth")]
        {
            let headers = vec![(name.to_owned(), "e30=".to_owned())];
            let (path, query) = ("/".into(), String::new());
            let head = Head { method: "PUT".into(), path, query, headers };
            let error = client_credential(&head, None, UnixMillis(0)).unwrap_err();
            assert_eq!(error.field().unwrap().name, missing.to_lowercase(), "{error}");
        }
    }
}
