//! The credential and the media of a request.

use vod_uploader::Result;
use vod_uploader::credential::UploadCredential;
use vod_uploader::http::{MediaClaim, Metadata, RequestHead, client_credential};
use vod_uploader::units::UnixMillis;

/// The credential and the media of a request. An invalid value is an error only if it is used, so
/// that a request that does not need it succeeds.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    credential: Result<Option<UploadCredential>>,
    media: Result<Option<MediaClaim>>,
}

impl Caller {
    /// The caller of a request to an existing upload.
    pub(crate) fn new(head: &RequestHead, now: UnixMillis) -> Self {
        Self::with_metadata(head, &Metadata::default(), now)
    }

    /// The caller of a request that creates an upload with `metadata`.
    pub(crate) fn with_metadata(head: &RequestHead, metadata: &Metadata, now: UnixMillis) -> Self {
        Self {
            credential: client_credential(head, Some(metadata), now),
            media: MediaClaim::parse(head, metadata),
        }
    }

    /// The client's own credential.
    ///
    /// # Errors
    /// Returns the errors of [`client_credential`].
    pub(crate) fn credential(&self) -> Result<Option<UploadCredential>> {
        self.credential.clone()
    }

    /// The media asset that the request continues.
    ///
    /// # Errors
    /// Returns the errors of [`MediaClaim::parse`].
    pub(crate) fn media(&self) -> Result<Option<MediaClaim>> {
        self.media.clone()
    }
}
