//! The calls of an application's server to VOD, which issue credentials for its clients.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha1::Sha1;

use crate::sandbox::{RAM_SECRET, Sandbox};

/// The credential of a client.
#[derive(Clone, Debug)]
pub struct UploadCredential {
    /// The media ID.
    pub media_id: String,
    /// UploadAddress, base64 of JSON.
    pub address: String,
    /// UploadAuth, base64 of JSON.
    pub auth: String,
}

impl UploadCredential {
    /// The object key.
    #[must_use]
    pub fn object(&self) -> String {
        self.field(&self.address, "FileName")
    }

    /// Its AccessKeyId.
    #[must_use]
    pub fn access_key_id(&self) -> String {
        self.field(&self.auth, "AccessKeyId")
    }

    /// Its secret and token.
    #[must_use]
    pub fn secrets(&self) -> [String; 2] {
        [self.field(&self.auth, "AccessKeySecret"), self.field(&self.auth, "SecurityToken")]
    }

    fn field(&self, base64: &str, name: &str) -> String {
        let json = STANDARD.decode(base64).expect("base64");
        let json: Value = serde_json::from_slice(&json).expect("JSON");
        json[name].as_str().expect("a string").to_owned()
    }
}

/// A credential for a file of this name: for `media_id`, or for a new media ID.
#[must_use]
pub fn credential_for(
    sandbox: &Sandbox,
    nonce: &str,
    file_name: &str,
    media_id: Option<&str>,
) -> UploadCredential {
    if let Some(media_id) = media_id {
        return refresh_upload_video(sandbox, nonce, media_id);
    }
    match file_name.rsplit('.').next() {
        Some("png") => create_upload_image(sandbox, nonce),
        Some("srt") => create_upload_attached_media(sandbox, nonce),
        _ => create_upload_video(sandbox, nonce),
    }
}

/// CreateUploadVideo.
#[must_use]
pub fn create_upload_video(sandbox: &Sandbox, nonce: &str) -> UploadCredential {
    let own = [("Action", "CreateUploadVideo"), ("Title", "a"), ("FileName", "a.mp4")];
    let response = call(sandbox, nonce, &own);
    credential(response["VideoId"].as_str().expect("a media ID"), &response)
}

/// CreateUploadImage.
#[must_use]
pub fn create_upload_image(sandbox: &Sandbox, nonce: &str) -> UploadCredential {
    let own = [("Action", "CreateUploadImage"), ("ImageType", "default"), ("ImageExt", "png")];
    let response = call(sandbox, nonce, &own);
    credential(response["ImageId"].as_str().expect("a media ID"), &response)
}

/// CreateUploadAttachedMedia.
#[must_use]
pub fn create_upload_attached_media(sandbox: &Sandbox, nonce: &str) -> UploadCredential {
    let own = [
        ("Action", "CreateUploadAttachedMedia"),
        ("BusinessType", "subtitle"),
        ("MediaExt", "srt"),
    ];
    let response = call(sandbox, nonce, &own);
    credential(response["MediaId"].as_str().expect("a media ID"), &response)
}

/// RefreshUploadVideo.
#[must_use]
pub fn refresh_upload_video(sandbox: &Sandbox, nonce: &str, media_id: &str) -> UploadCredential {
    let own = [("Action", "RefreshUploadVideo"), ("VideoId", media_id)];
    credential(media_id, &call(sandbox, nonce, &own))
}

fn credential(media_id: &str, response: &Value) -> UploadCredential {
    let text = |name: &str| response[name].as_str().expect("a string").to_owned();
    UploadCredential {
        media_id: media_id.to_owned(),
        address: text("UploadAddress"),
        auth: text("UploadAuth"),
    }
}

/// The RPC signature, version 1.0
/// (<https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism>).
fn call(sandbox: &Sandbox, nonce: &str, own: &[(&str, &str)]) -> Value {
    let timestamp = sandbox.now();
    let mut parameters = own.to_vec();
    parameters.extend([
        ("AccessKeyId", "sandbox-key"),
        ("Format", "JSON"),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureNonce", nonce),
        ("SignatureVersion", "1.0"),
        ("Timestamp", timestamp.as_str()),
        ("Version", "2017-03-21"),
    ]);
    parameters.sort_unstable();
    let pairs: Vec<_> =
        parameters.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let query = pairs.join("&");
    let key = format!("{RAM_SECRET}&");
    let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).expect("a key of any length");
    mac.update(format!("POST&%2F&{}", encode(&query)).as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let response = sandbox.post_form(&format!("{query}&Signature={}", encode(&signature)));
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

fn encode(text: &str) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let encoded = text.bytes().map(|byte| match byte {
        byte if unreserved(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    encoded.collect()
}
