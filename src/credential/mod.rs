//! The credential that VOD issues for one upload: the bucket and object key (UploadAddress) and a
//! temporary access key (UploadAuth).
//!
//! Both are Base64 of JSON and are passed on as VOD returned them
//! (<https://www.alibabacloud.com/help/en/vod/user-guide/upload-urls-and-credentials>). Error
//! messages contain field names and no values, and secrets are [`Secret`]s.

mod access_key;
mod address;
mod auth;
mod base64_json;
mod credential_record;
mod media_token;
mod object_key;
mod replacement_credential;
mod seal;
mod secret;
mod upload_credential;

pub use access_key::AccessKey;
pub use address::UploadAddress;
pub use auth::UploadAuth;
pub use media_token::MediaTokenKey;
pub use object_key::check_object_key;
pub use seal::SealKey;
pub use secret::Secret;
pub use upload_credential::{REFRESH_MARGIN_MAX, UploadCredential};

pub(crate) use base64_json::decode_base64;
