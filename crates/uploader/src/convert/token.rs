//! Converts STS tokens.

use vod_uploader_host::engine::credential::{AccessKey, Secret};
use vod_uploader_host::engine::queue::StsToken;
use vod_uploader_host::engine::units::UnixMillis;

use crate::bindings::exports::vod::uploader::types as wit;

pub(crate) fn from_wit(token: wit::StsToken) -> StsToken {
    StsToken {
        credential: AccessKey {
            access_key_id: token.access_key_id,
            access_key_secret: Secret::new(token.access_key_secret),
            security_token: Some(Secret::new(token.security_token)),
        },
        expires_at: token.expires_at.map(UnixMillis),
    }
}
