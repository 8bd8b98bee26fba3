//! RefreshUploadVideo: a new credential for the object of a video ID.
//!
//! <https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-refreshuploadvideo>

use http::StatusCode;
use serde_json::{Value, json};

use super::call::Call;
use super::error::VodError;
use super::upload_credential;
use crate::store::MediaKind;

pub(super) fn perform(call: &Call<'_>) -> Result<Value, VodError> {
    let id = call.parameters.required("VideoId")?;
    let media = call
        .state
        .store
        .media(id)
        // Images and attached media have no refresh call; their IDs are not video IDs.
        .filter(|media| media.kind == MediaKind::Video)
        .ok_or_else(|| {
            VodError::new(
                StatusCode::NOT_FOUND,
                "InvalidVideo.NotFound",
                "The video does not exist.",
            )
        })?;
    let credential = upload_credential::issue(call, &media)?;
    Ok(json!({
        "VideoId": media.id,
        "UploadAddress": credential.upload_address,
        "UploadAuth": credential.upload_auth,
    }))
}
