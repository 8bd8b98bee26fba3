//! `UploadAddress` and `UploadAuth`: where to upload to, and with which credential.
//!
//! <https://www.alibabacloud.com/help/en/vod/user-guide/upload-urls-and-credentials>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::call::Call;
use super::error::VodError;
use crate::clock::iso_secs;
use crate::credential::Grant;
use crate::store::Media;

/// Both values as the app server passes them on: base64 of JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UploadCredential {
    pub(super) upload_address: String,
    pub(super) upload_auth: String,
}

/// Mints a credential for the object of the media. The endpoint is the sandbox as the caller
/// reached it.
pub(super) fn issue(call: &Call<'_>, media: &Media) -> Result<UploadCredential, VodError> {
    let credential =
        call.state.mint(Grant::Object { bucket: media.bucket.clone(), key: media.key.clone() })?;
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
        expiration: call.state.token_life_secs().to_string(),
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
