//! The credential that a client brings: in headers, or in tus metadata.

use super::{Head, Metadata, invalid};
use crate::credential::UploadCredential;
use crate::error::Result;
use crate::units::UnixMillis;

/// The header with an UploadAddress as VOD returned it.
pub const UPLOAD_ADDRESS_HEADER: &str = "upload-address";
/// The header with an UploadAuth as VOD returned it.
pub const UPLOAD_AUTH_HEADER: &str = "upload-auth";
/// The header with the media id that the credential is for.
pub const MEDIA_ID_HEADER: &str = "upload-media-id";

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
        (Some(_), None) => Err(invalid("Upload-Auth is missing beside Upload-Address")),
        (None, Some(_)) => Err(invalid("Upload-Address is missing beside Upload-Auth")),
    }
}
