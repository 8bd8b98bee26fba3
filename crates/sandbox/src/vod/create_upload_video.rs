//! CreateUploadVideo: a video ID and a credential to upload its file.
//!
//! <https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadvideo>

use serde_json::{Value, json};

use super::call::Call;
use super::error::VodError;
use super::parameters::extension;
use super::upload_credential::create_media;
use crate::credential::random_hex;
use crate::store::MediaKind;

pub(super) fn perform(call: &Call<'_>) -> Result<Value, VodError> {
    let parameters = &call.parameters;
    parameters.required("Title")?;
    parameters.at_most("Title", 128)?;
    parameters.at_most("Description", 1024)?;
    parameters.check_tags(|tag| tag.chars().count() > 32)?;
    parameters.number("FileSize")?;
    parameters.number("CateId")?;
    parameters.flag("EnableFirstFrameCover")?;
    parameters.flag("GenerateThumbnail")?;
    parameters.check_user_data()?;
    if parameters.optional("ReferenceId").is_some_and(|id| !is_reference_id(id)) {
        return Err(VodError::invalid("ReferenceId", "it is not 6 to 64 of A-Za-z0-9_-"));
    }
    let extension = extension("FileName", parameters.required("FileName")?)?;
    let id = random_hex(32);
    let key = format!("sv/{}-{id}/{id}.{extension}", random_hex(8));
    let (media, credential) = create_media(call, MediaKind::Video, id, key)?;
    Ok(json!({
        "VideoId": media.id,
        "UploadAddress": credential.upload_address,
        "UploadAuth": credential.upload_auth,
    }))
}

fn is_reference_id(text: &str) -> bool {
    (6..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}
