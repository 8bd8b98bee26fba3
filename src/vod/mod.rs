//! The ApsaraVideo VOD API (version 2017-03-21): signed calls made, and their answers read,
//! without sending anything.
//!
//! <https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-overview>

mod create_upload_video;
mod endpoint;
mod error_reply;
mod minted_upload;
mod refresh_upload_video;
pub mod rpc_sign;

pub use create_upload_video::CreateUploadVideo;
pub use endpoint::VodEndpoint;
pub use minted_upload::MintedUpload;
pub use refresh_upload_video::RefreshUploadVideo;

/// The access key that calls VOD: a RAM user's, or a temporary one with a security token.
pub type RamKey = crate::credential::StsCredential;
