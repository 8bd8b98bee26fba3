//! What VOD hands out for one upload: where to put the object (UploadAddress), and the temporary
//! credential to do it with (UploadAuth).
//!
//! Both are Base64 of JSON and are passed on as VOD returned them
//! (<https://www.alibabacloud.com/help/en/vod/user-guide/upload-urls-and-credentials>). Nothing in
//! here prints a value: errors name fields, and secrets are [`Secret`].

mod address;
mod auth;
mod base64_json;
mod media_token;
mod object_key;
mod replacement;
mod seal;
mod secret;
mod stored;
mod sts;
mod upload_credential;

pub use address::UploadAddress;
pub use auth::UploadAuth;
pub use media_token::MediaTokenKey;
pub use object_key::check_object_key;
pub use seal::SealKey;
pub use secret::Secret;
pub use sts::StsCredential;
pub use upload_credential::{REFRESH_MARGIN_MAX, UploadCredential};

pub(crate) use base64_json::decode_base64;
