//! The calls of the VOD API, one file each.

mod cancel_url_upload_jobs;
mod create_upload_attached_media;
mod create_upload_image;
mod create_upload_video;
mod get_url_upload_infos;
mod refresh_upload_video;
mod upload_media_by_url;

use super::VodResponse;
use crate::error::Result;
use crate::oss::HttpResponse;
use crate::units::UnixMillis;

pub use cancel_url_upload_jobs::{CancelUrlUploadJobs, CanceledUrlJobs};
pub use create_upload_attached_media::CreateUploadAttachedMedia;
pub(super) use create_upload_image::IMAGE_EXTENSIONS;
pub use create_upload_image::{CreateUploadImage, ImageType};
pub use create_upload_video::CreateUploadVideo;
pub use get_url_upload_infos::{GetUrlUploadInfos, UrlUploadInfo, UrlUploadInfos, UrlUploadStatus};
pub use refresh_upload_video::RefreshUploadVideo;
pub use upload_media_by_url::{QueuedUrlJob, QueuedUrlJobs, UploadMediaByUrl, UrlUploadSource};

/// One call of the VOD API: its parameters and the parser of its response.
///
/// An [`RpcSigner`](super::RpcSigner) creates the signed request.
pub trait Action {
    /// The output of a successful call.
    type Output;

    /// The name of the call in the VOD API. Every error of [`Action::parse`] starts with it.
    const NAME: &'static str;

    /// Checks the limits that VOD documents, so that an invalid call costs no request. Signing
    /// does not check them.
    ///
    /// # Errors
    /// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) with the field's name if a
    /// limit is exceeded.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// The call's own parameters, in any order and not encoded.
    fn parameters(&self) -> Vec<(&'static str, String)>;

    /// Returns true if the call may be sent again although VOD may have processed an earlier
    /// attempt. A repeated Create call leaves no more than a media ID without a file.
    fn can_repeat(&self) -> bool {
        true
    }

    /// Reads the fields of a successful response. An `Expiration` in seconds starts at `now`.
    ///
    /// # Errors
    /// Returns [`VodRejected`](crate::ErrorKind::VodRejected) if a required field is missing, and
    /// [`CredentialInvalid`](crate::ErrorKind::CredentialInvalid) if the credential is malformed.
    fn output(&self, response: &VodResponse, now: UnixMillis) -> Result<Self::Output>;

    /// Parses the response to the signed request.
    ///
    /// # Errors
    /// Returns the errors of [`Action::output`], and for an error response:
    /// - [`VodUnavailable`](crate::ErrorKind::VodUnavailable) if a retry may succeed,
    /// - [`MediaNotFound`](crate::ErrorKind::MediaNotFound) if VOD has no media of the ID,
    /// - the kinds of rejected and expired access keys, and
    ///   [`AccessDenied`](crate::ErrorKind::AccessDenied),
    /// - otherwise [`VodRejected`](crate::ErrorKind::VodRejected).
    fn parse(&self, response: &HttpResponse, now: UnixMillis) -> Result<Self::Output> {
        VodResponse::parse(response)
            .and_then(|response| self.output(&response, now))
            .map_err(|error| error.with_context(Self::NAME))
    }
}

/// Fixtures for the tests of the calls.
#[cfg(test)]
mod fixtures {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

    use http::{HeaderMap, StatusCode};
    use serde_json::Value;

    use super::Action;
    use crate::credential::AccessKey;
    use crate::credential::Secret;
    use crate::oss::{Body, HttpResponse};
    use crate::units::UnixMillis;
    use crate::vod::{RpcSigner, VodEndpoint};

    pub(super) const NOW: UnixMillis = UnixMillis(0);

    /// The parameters of the signed form, without those that all calls share.
    pub(super) fn sent(action: &impl Action) -> Vec<String> {
        let shared = ["AccessKeyId=", "Format=", "Signature", "Timestamp=", "Version="];
        let is_own = |pair: &&str| !shared.iter().any(|name| pair.starts_with(name));
        signed_form(action).split('&').filter(is_own).map(str::to_owned).collect()
    }

    /// The complete signed form.
    pub(super) fn signed_form(action: &impl Action) -> String {
        let key = AccessKey {
            access_key_id: "id".into(),
            access_key_secret: Secret::new("secret"),
            security_token: None,
        };
        let endpoint = VodEndpoint::for_region("cn-shanghai").unwrap();
        let signer = RpcSigner { endpoint: &endpoint, key: &key, nonce: "n", now: NOW };
        let request = signer.sign(action);
        let Body::Bytes(form) = request.body else { panic!("{request:?}") };
        String::from_utf8(form).unwrap()
    }

    /// A successful response with the JSON `body`.
    pub(super) fn success(body: &Value) -> HttpResponse {
        HttpResponse {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: body.to_string().into_bytes(),
        }
    }
}
