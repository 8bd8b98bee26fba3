//! Where an upload's credential comes from: the worker's own key at VOD, or the client; and where
//! it is kept: sealed in the key-value store, or nowhere.

use std::rc::Rc;

use vod_uploader::credential::UploadCredential;
use vod_uploader::http::FileName;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::UploadKey;
use vod_uploader::vod::{Action, CreateUploadVideo, RefreshUploadVideo, UploadGrant};
use vod_uploader::{Error, ErrorKind, Result};

use crate::config::Config;
use crate::key_value::KeyValue;
use crate::retrying_client::RetryingClient;
use crate::{clock, random};

/// The credential of one upload.
pub(crate) struct CredentialSource {
    config: Rc<Config>,
    key: UploadKey,
    /// The media id to refresh, where the worker minted the credential.
    media_id: Option<String>,
}

impl CredentialSource {
    pub(crate) fn new(config: Rc<Config>, key: UploadKey, media_id: Option<String>) -> Self {
        Self { config, key, media_id }
    }

    /// True where [`CredentialSource::refresh`] can succeed: the worker asks VOD, or finds what its
    /// client has brought meanwhile.
    pub(crate) fn can_refresh(&self) -> bool {
        self.can_mint() || self.config.seal_key.is_some()
    }

    /// True where the worker gets new credentials by itself.
    pub(crate) fn can_mint(&self) -> bool {
        self.media_id.is_some() && self.config.ram_key.is_some()
    }

    /// A new credential for the same media id; kept for later requests. One that the client brought
    /// is replaced by what the client has brought since.
    pub(crate) async fn refresh(&self, kv: &KeyValue) -> Result<UploadCredential> {
        let Some(video_id) = self.media_id.as_deref().filter(|_| self.can_mint()) else {
            let kept = self.kept(kv).await?;
            return kept.filter(|kept| !kept.refresh_due_at(clock::now())).ok_or_else(|| {
                let message = "the worker cannot refresh a credential that the client brought";
                Error::new(ErrorKind::CredentialExpired, message)
            });
        };
        let grant = refresh_video(&self.config, video_id).await?;
        self.keep(kv, &grant.credential).await?;
        Ok(grant.credential)
    }

    /// Keeps the credential for later requests, where there is a key to seal it with.
    pub(crate) async fn keep(&self, kv: &KeyValue, credential: &UploadCredential) -> Result<()> {
        let Some(seal_key) = &self.config.seal_key else { return Ok(()) };
        let name = self.key.credential();
        let sealed = seal_key.seal(random::nonce(), name.as_bytes(), &credential.to_bytes());
        kv.set(&name, &sealed).await
    }

    /// The credential that was kept. A worker that can refresh does without one that it cannot
    /// open any more.
    pub(crate) async fn kept(&self, kv: &KeyValue) -> Result<Option<UploadCredential>> {
        let Some(seal_key) = &self.config.seal_key else { return Ok(None) };
        let name = self.key.credential();
        let Some(sealed) = kv.get(&name).await? else { return Ok(None) };
        let opened = seal_key
            .open(name.as_bytes(), &sealed)
            .and_then(|bytes| UploadCredential::from_bytes(&bytes));
        match opened {
            Err(_) if self.can_mint() => Ok(None),
            opened => opened.map(Some),
        }
    }
}

/// Makes a new media id, and the credential to upload it with.
pub(crate) async fn create_video(
    config: &Config,
    file_name: &FileName,
    title: Option<&str>,
    length: Option<ByteCount>,
) -> Result<UploadGrant> {
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
    call_vod(config, &action).await
}

/// A new credential for an existing media id.
pub(crate) async fn refresh_video(config: &Config, video_id: &str) -> Result<UploadGrant> {
    call_vod(config, &RefreshUploadVideo { video_id }).await
}

async fn call_vod<A: Action>(config: &Config, action: &A) -> Result<A::Output> {
    action.check()?;
    let Some(key) = &config.ram_key else {
        let message = "no credential came with the upload and the worker has no access key";
        return Err(Error::new(ErrorKind::CredentialRequired, message));
    };
    RetryingClient::from_config(config).call_vod(&config.vod_endpoint, key, action).await
}
