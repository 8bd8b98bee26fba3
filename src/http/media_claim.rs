//! The media asset that a new upload continues: its ID, and the token that proves ownership.

use super::header::{UPLOAD_MEDIA_ID, UPLOAD_MEDIA_TOKEN};
use super::{Metadata, RequestHead, is_header_value};
use crate::credential::{MediaTokenKey, Secret};
use crate::error::{Error, ErrorKind, Result};
use crate::units::UnixMillis;

/// A media asset that a request specifies. The ID alone authorizes nothing: media IDs are public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaClaim {
    /// The media ID, of the form that [`is_media_id`] accepts.
    pub media_id: String,
    token: Option<Secret>,
}

impl MediaClaim {
    /// The media asset that `head` specifies, or else `metadata` (`media_id`, `media_token`).
    /// `None` if the request specifies none.
    ///
    /// # Errors
    /// Returns [`ErrorKind::RequestInvalid`] for an ID that [`is_media_id`] does not accept.
    pub fn parse(head: &RequestHead, metadata: &Metadata) -> Result<Option<Self>> {
        let media_id = head.header(UPLOAD_MEDIA_ID).or_else(|| metadata.text(&["media_id"]));
        let Some(media_id) = media_id.filter(|id| !id.is_empty()) else { return Ok(None) };
        if !is_media_id(media_id) {
            let allowed = format!("1 to {MEDIA_ID_CHARS_MAX} characters of printable ASCII");
            return Err(Error::field_invalid(UPLOAD_MEDIA_ID.as_str(), allowed));
        }
        let token = head.header(UPLOAD_MEDIA_TOKEN).or_else(|| metadata.text(&["media_token"]));
        Ok(Some(Self { media_id: media_id.to_owned(), token: token.map(Secret::new) }))
    }

    /// Checks that the token was issued for the media ID and has not expired.
    ///
    /// # Errors
    /// Returns [`ErrorKind::MediaNotOwned`] if not, or if `key` is `None`.
    pub fn verify(&self, key: Option<&MediaTokenKey>, now: UnixMillis) -> Result<()> {
        let is_owned = key
            .zip(self.token.as_ref())
            .is_some_and(|(key, token)| key.verify(&self.media_id, token.expose(), now));
        if is_owned { Ok(()) } else { Err(media_not_owned()) }
    }
}

/// The error for a media asset that the client may not continue. It does not contain the cause, so
/// that a client cannot find out whether an asset that it does not own exists.
#[must_use]
pub fn media_not_owned() -> Error {
    let message = "the request does not prove that its client owns the media, or the media is \
                   complete";
    Error::new(ErrorKind::MediaNotOwned, message)
}

/// Returns true if a media ID can be echoed in a header: up to 128 characters of printable ASCII.
#[must_use]
pub fn is_media_id(id: &str) -> bool {
    is_header_value(id) && id.len() <= MEDIA_ID_CHARS_MAX
}

/// Longest media ID, in characters: those of VOD have 32.
const MEDIA_ID_CHARS_MAX: usize = 128;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use ::http::Method;

    use super::*;
    use crate::credential::SealKey;

    const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

    fn parse(headers: &[(&str, &str)], metadata: &str) -> Result<Option<MediaClaim>> {
        let head = RequestHead::new(Method::POST, "/v1/files", headers.iter().copied());
        let metadata = if metadata.is_empty() {
            Metadata::default()
        } else {
            Metadata::parse(metadata).unwrap()
        };
        MediaClaim::parse(&head, &metadata)
    }

    #[test]
    fn a_media_id_that_is_no_header_value_is_rejected() {
        let named = |id| parse(&[("Upload-Media-Id", id)], "");
        assert_eq!(named("93ab").unwrap().unwrap().media_id, "93ab");
        assert_eq!(named("").unwrap(), None);
        for id in ["a\r\nX-Evil: 1", "\u{7f}", "测", &"x".repeat(129)] {
            assert_eq!(named(id).unwrap_err().kind(), ErrorKind::RequestInvalid, "{id:?}");
        }
    }

    #[test]
    fn only_the_token_of_the_media_proves_ownership() {
        let key = MediaTokenKey::derive(&SealKey::parse(&"A".repeat(43)).unwrap());
        let token = key.issue("93ab", UnixMillis(NOW.0 + 60_000));
        let verify = |headers: &[(&str, &str)], key: Option<&MediaTokenKey>| {
            let verified = parse(headers, "").unwrap().unwrap().verify(key, NOW);
            verified.map_err(|error| error.kind())
        };
        let rejected = Err(ErrorKind::MediaNotOwned);
        let owner = [("Upload-Media-Id", "93ab"), ("Upload-Media-Token", &*token)];
        assert_eq!(verify(&owner, Some(&key)), Ok(()));
        assert_eq!(verify(&owner, None), rejected);
        assert_eq!(verify(&owner[..1], Some(&key)), rejected);
        let other = [("Upload-Media-Id", "93ac"), ("Upload-Media-Token", &*token)];
        assert_eq!(verify(&other, Some(&key)), rejected);
    }

    #[test]
    fn the_claim_may_be_in_the_metadata_and_never_prints_its_token() {
        let claim = parse(&[], "media_id OTNhYg==,media_token c2VjcmV0").unwrap().unwrap();
        assert_eq!(claim.media_id, "93ab");
        assert!(claim.token.is_some());
        assert!(!format!("{claim:?}").contains("secret"));
    }
}
