//! The credential and the media of a request.

use vod_uploader::Result;
use vod_uploader::credential::UploadCredential;
use vod_uploader::http::{MediaClaim, Metadata, RequestHead, client_credential};

use crate::instance::Instance;

/// The credential and the media of a request. An invalid value is an error only if it is used, so
/// that a request that does not need it succeeds.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    credential: Result<Option<UploadCredential>>,
    media: Result<Option<MediaClaim>>,
}

impl Caller {
    /// The caller of a request to an existing upload.
    pub(crate) fn new(instance: &Instance, head: &RequestHead) -> Self {
        Self::with_metadata(instance, head, &Metadata::default())
    }

    /// The caller of a request that creates an upload with `metadata`.
    pub(crate) fn with_metadata(
        instance: &Instance,
        head: &RequestHead,
        metadata: &Metadata,
    ) -> Self {
        let credential = client_credential(head, Some(metadata), instance.now());
        let policy = &instance.config.credential_policy;
        Self {
            credential: credential.and_then(|credential| {
                credential.iter().try_for_each(|credential| policy.check(credential))?;
                Ok(credential)
            }),
            media: MediaClaim::parse(head, metadata),
        }
    }

    /// The client's own credential.
    ///
    /// # Errors
    /// Returns the errors of [`client_credential`] and of
    /// [`CredentialPolicy::check`](vod_uploader::oss::CredentialPolicy::check).
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
