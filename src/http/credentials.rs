//! The credential that a client brings: in headers, or in tus metadata.

use super::{Head, Metadata, is_header_value};
use crate::credential::UploadCredential;
use crate::error::{Error, Result};
use crate::units::UnixMillis;

/// The header with an UploadAddress as VOD returned it.
pub const UPLOAD_ADDRESS_HEADER: &str = "upload-address";
/// The header with an UploadAuth as VOD returned it.
pub const UPLOAD_AUTH_HEADER: &str = "upload-auth";
/// The header with the media id that the credential is for.
pub const MEDIA_ID_HEADER: &str = "upload-media-id";

/// Longest media id, in characters: VOD's have 32.
const MEDIA_ID_CHARS_MAX: usize = 128;

/// The media id that the client names in `head`, or else in `metadata` (`media_id`).
///
/// # Errors
/// [`RequestInvalid`](crate::ErrorKind::RequestInvalid) for one that [`is_media_id`] refuses.
pub fn client_media_id(head: &Head, metadata: &Metadata) -> Result<Option<String>> {
    let named = head.header(MEDIA_ID_HEADER).or_else(|| metadata.text(&["media_id"]));
    match named.filter(|id| !id.is_empty()) {
        Some(id) if is_media_id(id) => Ok(Some(id.to_owned())),
        Some(_) => Err(Error::field_invalid(
            MEDIA_ID_HEADER,
            format!("1 to {MEDIA_ID_CHARS_MAX} characters of printable ASCII"),
        )),
        None => Ok(None),
    }
}

/// Whether a media id can be echoed in a header: up to 128 characters of printable ASCII.
#[must_use]
pub fn is_media_id(id: &str) -> bool {
    is_header_value(id) && id.len() <= MEDIA_ID_CHARS_MAX
}

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
    use crate::error::ErrorKind;

    fn named(id: &str) -> Result<Option<String>> {
        let headers = vec![("Upload-Media-Id".to_owned(), id.to_owned())];
        let (path, query) = ("/v1/files".into(), String::new());
        let head = Head { method: "POST".into(), path, query, headers };
        client_media_id(&head, &Metadata::default())
    }

    #[test]
    fn a_media_id_that_no_header_can_carry_is_refused() {
        assert_eq!(named("93ab").unwrap().as_deref(), Some("93ab"));
        assert_eq!(named("").unwrap(), None);
        for id in ["a\r\nX-Evil: 1", "\u{7f}", "测", &"x".repeat(129)] {
            assert_eq!(named(id).unwrap_err().kind(), ErrorKind::RequestInvalid, "{id:?}");
        }
    }

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
