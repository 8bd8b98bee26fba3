//! The credential of an upload: requested from VOD with the worker's access key, or sent by the
//! client. It is stored only if there is a key to seal it with.

use std::rc::Rc;

use vod_uploader::credential::UploadCredential;
use vod_uploader::http::FileName;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::UploadId;
use vod_uploader::vod::{Action, CreateUploadVideo, RefreshUploadVideo, UploadGrant};
use vod_uploader::{Error, ErrorKind, Result};

use crate::instance::Instance;
use crate::retrying_client::RetryingClient;

/// The credential of one upload.
pub(crate) struct CredentialSource {
    instance: Rc<Instance>,
    id: UploadId,
    /// The media ID to refresh, if the worker requested the credential from VOD.
    media_id: Option<String>,
}

impl CredentialSource {
    pub(crate) fn new(instance: &Rc<Instance>, id: &UploadId, media_id: Option<String>) -> Self {
        Self { instance: Rc::clone(instance), id: id.clone(), media_id }
    }

    /// Returns true if [`CredentialSource::refresh`] can succeed: VOD issues a new credential, or
    /// the client may have sent one in the meantime.
    pub(crate) fn can_refresh(&self) -> bool {
        self.can_request_new() || self.instance.config.seal_key.is_some()
    }

    /// Returns true if the worker can request new credentials from VOD.
    pub(crate) fn can_request_new(&self) -> bool {
        self.media_id.is_some() && self.instance.config.ram_key.is_some()
    }

    /// Requests a new credential for the same media ID from VOD and stores it. If the credential is
    /// the client's, loads the one that the client has sent since.
    pub(crate) async fn refresh(&self) -> Result<UploadCredential> {
        let Some(video_id) = self.media_id.as_deref().filter(|_| self.can_request_new()) else {
            let stored = self.load().await?;
            return stored.filter(|stored| !stored.refresh_due_at(self.instance.now())).ok_or_else(
                || {
                    let message = "the worker cannot refresh a credential of the client";
                    Error::new(ErrorKind::CredentialExpired, message)
                },
            );
        };
        let granted = refresh_video(&self.instance, video_id).await?;
        // If it cannot be stored, the next session requests another one.
        let _ = self.store(&granted.credential).await;
        Ok(granted.credential)
    }

    /// Stores the credential for later requests, if there is a key to seal it with.
    pub(crate) async fn store(&self, credential: &UploadCredential) -> Result<()> {
        let Some(seal_key) = &self.instance.config.seal_key else { return Ok(()) };
        let name = self.id.credential_key();
        let nonce = self.instance.ports.random.bytes();
        let sealed = seal_key.seal(nonce, name.as_bytes(), &credential.to_bytes());
        Ok(self.instance.kv().set(&name, &sealed).await?)
    }

    /// The stored credential.
    pub(crate) async fn load(&self) -> Result<Option<UploadCredential>> {
        self.open(self.instance.kv().get(&self.id.credential_key()).await?)
    }

    /// Opens the stored credential. A worker that can request a new one ignores a record that it
    /// cannot open.
    pub(crate) fn open(&self, sealed: Option<Vec<u8>>) -> Result<Option<UploadCredential>> {
        let (Some(seal_key), Some(sealed)) = (&self.instance.config.seal_key, sealed) else {
            return Ok(None);
        };
        let opened = seal_key
            .open(self.id.credential_key().as_bytes(), &sealed)
            .and_then(|bytes| UploadCredential::from_bytes(&bytes));
        match opened {
            Err(_) if self.can_request_new() => Ok(None),
            opened => opened.map(Some),
        }
    }
}

/// Requests a new media ID, and the credential to upload it with.
pub(crate) async fn create_video(
    instance: &Instance,
    file_name: &FileName,
    title: Option<&str>,
    length: Option<ByteCount>,
) -> Result<UploadGrant> {
    let config = &instance.config;
    let title = title.map_or_else(|| file_name.title(), str::to_owned);
    let action = CreateUploadVideo {
        title: &title,
        file_name: file_name.as_str(),
        file_size: length,
        template_group_id: config.template_group_id.as_deref(),
        workflow_id: config.workflow_id.as_deref(),
        storage_location: config.storage_location.as_deref(),
        app_id: config.app_id.as_deref(),
        ..CreateUploadVideo::default()
    };
    call_vod(instance, &action).await
}

/// Requests a new credential for an existing media ID.
pub(crate) async fn refresh_video(instance: &Instance, video_id: &str) -> Result<UploadGrant> {
    call_vod(instance, &RefreshUploadVideo { video_id }).await
}

async fn call_vod<A: Action>(instance: &Instance, action: &A) -> Result<A::Output> {
    action.check()?;
    let key = instance.config.ram_key.as_ref().ok_or_else(credential_required)?;
    RetryingClient::new(instance).call_vod(&instance.config.vod_endpoint, key, action).await
}

/// The error for a request without a credential to a worker without an access key.
pub(crate) fn credential_required() -> Error {
    let message = "the request has no credential and the worker has no access key";
    Error::new(ErrorKind::CredentialRequired, message)
}
