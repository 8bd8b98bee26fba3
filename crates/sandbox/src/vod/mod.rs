//! VOD: RPC calls that issue media IDs and upload credentials.
//!
//! <https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-overview>

mod authenticate;
mod call;
mod cancel_url_upload_jobs;
mod create_upload_attached_media;
mod create_upload_image;
mod create_upload_video;
mod error;
mod get_url_upload_infos;
mod parameters;
mod refresh_upload_video;
mod upload_credential;
mod upload_media_by_url;
mod url_list;

pub(crate) use call::Call;
pub(crate) use error::{VodError, error_json};
pub(crate) use parameters::Parameters;

use http::StatusCode;
use serde_json::{Value, json};

use crate::http::{Response, json as json_response};

/// Authenticates and performs one call.
pub(crate) fn serve(call: &Call<'_>, request_id: &str) -> Result<Response, VodError> {
    authenticate::check(call)?;
    let mut result = match call.parameters.optional("Action") {
        Some("CreateUploadVideo") => create_upload_video::perform(call)?,
        Some("RefreshUploadVideo") => refresh_upload_video::perform(call)?,
        Some("CreateUploadImage") => create_upload_image::perform(call)?,
        Some("CreateUploadAttachedMedia") => create_upload_attached_media::perform(call)?,
        Some("UploadMediaByURL") => upload_media_by_url::perform(call)?,
        Some("GetURLUploadInfos") => get_url_upload_infos::perform(call)?,
        Some("CancelUrlUploadJobs") => cancel_url_upload_jobs::perform(call)?,
        _ => {
            return Err(VodError::new(
                StatusCode::NOT_FOUND,
                "InvalidAction.NotFound",
                "Specified api is not found, please check your url and method.",
            ));
        }
    };
    if let Value::Object(fields) = &mut result {
        fields.insert("RequestId".to_owned(), json!(request_id));
    }
    Ok(json_response(StatusCode::OK, &result))
}
