//! `UploadAddress` and `UploadAuth`: the destination and the credential of an upload.
//!
//! <https://www.alibabacloud.com/help/en/vod/user-guide/upload-urls-and-credentials>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::call::Call;
use super::error::VodError;
use crate::clock::iso_secs;
use crate::credential::Grant;
use crate::store::{Media, MediaKind};

/// Both values as VOD returns them: base64 of JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UploadCredential {
    pub(super) upload_address: String,
    pub(super) upload_auth: String,
}

/// Stores a new media ID and issues a credential for its object.
pub(super) fn create_media(
    call: &Call<'_>,
    kind: MediaKind,
    id: String,
    key: String,
) -> Result<(Media, UploadCredential), VodError> {
    let media = Media {
        id,
        kind,
        bucket: call.state.vod_bucket().to_owned(),
        key,
        parameters: call.parameters.media_parameters(),
        created: call.state.clock.now(),
    };
    call.state.store.put_media(media.clone())?;
    let credential = issue(call, &media)?;
    Ok((media, credential))
}

/// The URL of the media's object.
pub(super) fn object_url(call: &Call<'_>, media: &Media) -> String {
    format!("http://{}/{}/{}", call.host, media.bucket, media.key)
}

/// Issues a credential for the object of the media. The endpoint is the host of the call.
pub(super) fn issue(call: &Call<'_>, media: &Media) -> Result<UploadCredential, VodError> {
    let credential =
        call.state.issue(Grant::Object { bucket: media.bucket.clone(), key: media.key.clone() })?;
    let address = UploadAddress {
        endpoint: format!("http://{}", call.host),
        bucket: &media.bucket,
        file_name: &media.key,
    };
    let auth = UploadAuth {
        security_token: &credential.security_token,
        access_key_id: &credential.access_key_id,
        expire_utc_time: iso_secs(credential.expires_at),
        access_key_secret: &credential.access_key_secret,
        expiration: call.state.token_ttl_secs().to_string(),
        region: &call.state.config.region,
    };
    Ok(UploadCredential {
        upload_address: base64_json(&address)?,
        upload_auth: base64_json(&auth)?,
    })
}

fn base64_json(value: &impl Serialize) -> Result<String, VodError> {
    let text = serde_json::to_vec(value).map_err(std::io::Error::from)?;
    Ok(STANDARD.encode(text))
}

/// The decoded `UploadAddress`, in the vendor's order.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UploadAddress<'a> {
    endpoint: String,
    bucket: &'a str,
    file_name: &'a str,
}

/// The decoded `UploadAuth`, in the vendor's order.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UploadAuth<'a> {
    security_token: &'a str,
    access_key_id: &'a str,
    #[serde(rename = "ExpireUTCTime")]
    expire_utc_time: String,
    access_key_secret: &'a str,
    /// Seconds, as a string.
    expiration: String,
    region: &'a str,
}
