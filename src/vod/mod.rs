//! The ApsaraVideo VOD API, version 2017-03-21: signed requests and their responses, as values.
//!
//! An [`Action`] is one call of the API. An [`RpcSigner`] makes its signed request, which the
//! driver sends unchanged; the action then parses the response. [`MediaKind`] determines which
//! Create call a file needs, and [`ParamData`] makes that call from the SDK's JSON.
//!
//! <https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-overview>

mod action;
mod business_type;
mod endpoint;
mod error_response;
mod file_name;
mod http_date;
mod limits;
mod media_kind;
mod param_data;
mod parameters;
mod rpc_sign;
mod upload_grant;
mod url_jobs;
mod vod_response;

pub use action::{
    Action, CancelUrlUploadJobs, CanceledUrlJobs, CreateUploadAttachedMedia, CreateUploadImage,
    CreateUploadVideo, GetUrlUploadInfos, ImageType, QueuedUrlJob, QueuedUrlJobs,
    RefreshUploadVideo, UploadMediaByUrl, UrlUploadInfo, UrlUploadInfos, UrlUploadSource,
    UrlUploadStatus,
};
pub use business_type::BusinessType;
pub use endpoint::VodEndpoint;
pub use media_kind::MediaKind;
pub use param_data::ParamData;
pub use rpc_sign::RpcSigner;
pub use upload_grant::UploadGrant;
pub use url_jobs::UrlJobs;
pub use vod_response::VodResponse;
