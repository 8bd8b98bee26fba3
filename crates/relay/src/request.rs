//! Who sends a request: the credential and the media that its headers carry.

use vod_uploader::Result;
use vod_uploader::credential::UploadCredential;
use vod_uploader::http::{MediaClaim, Metadata, RequestHead, client_credential};
use vod_uploader::units::UnixMillis;

/// What a request carries besides its protocol. Parsed once; an error surfaces where the value is
/// needed, so that a request that does not need it succeeds.
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
    /// Those of [`client_credential`].
    pub(crate) fn credential(&self) -> Result<Option<UploadCredential>> {
        self.credential.clone()
    }

    /// The media that the client wants to continue.
    ///
    /// # Errors
    /// Those of [`MediaClaim::parse`].
    pub(crate) fn media(&self) -> Result<Option<MediaClaim>> {
        self.media.clone()
    }
}
