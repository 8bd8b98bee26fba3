//! The ApsaraVideo VOD API (version 2017-03-21): signed calls made, and their answers read,
//! without sending anything.
//!
//! A call is a struct of its parameters, which `check` compares with the vendor's limits, from
//! which `request` makes a signed request, and whose `parse` reads the reply. [`ParamData`] makes
//! the calls that hand out an upload from the SDK's JSON, and [`MediaKind`] tells which of them a
//! file needs.
//!
//! <https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-overview>

mod answer;
mod business_type;
mod cancel_url_upload_jobs;
mod create_upload_attached_media;
mod create_upload_image;
mod create_upload_video;
mod endpoint;
mod error_reply;
mod file_name;
#[cfg(test)]
mod form_tests;
mod get_url_upload_infos;
mod http_date;
mod limits;
mod media_kind;
mod minted_upload;
mod param_data;
mod parameters;
mod refresh_upload_video;
pub mod rpc_sign;
mod upload_media_by_url;
mod url_jobs;

pub use business_type::BusinessType;
pub use cancel_url_upload_jobs::{CancelUrlUploadJobs, CanceledUrlJobs};
pub use create_upload_attached_media::{CATE_IDS_MAX, CreateUploadAttachedMedia};
pub use create_upload_image::{CreateUploadImage, IMAGE_EXTENSIONS, ImageType};
pub use create_upload_video::{CreateUploadVideo, REFERENCE_ID_CHARS};
pub use endpoint::VodEndpoint;
pub use error_reply::is_clock_skew;
pub use get_url_upload_infos::{GetUrlUploadInfos, UrlUploadInfo, UrlUploadInfos, UrlUploadStatus};
pub use limits::{
    DESCRIPTION_BYTES_MAX, DESCRIPTION_CHARS_MAX, TAG_LEN_MAX, TAGS_MAX, TITLE_BYTES_MAX,
    TITLE_CHARS_MAX,
};
pub use media_kind::MediaKind;
pub use minted_upload::MintedUpload;
pub use param_data::ParamData;
pub use refresh_upload_video::RefreshUploadVideo;
pub use upload_media_by_url::{
    ONLINE_FILE_SIZE_MAX, ONLINE_FILES_MAX, OnlineFile, QueuedUrlJob, QueuedUrlJobs,
    SESSION_ID_CHARS_MAX, UploadMediaByUrl,
};
pub use url_jobs::{URL_JOBS_MAX, UrlJobs};

/// The access key that calls VOD: a RAM user's, or a temporary one with a security token.
pub type RamKey = crate::credential::StsCredential;
