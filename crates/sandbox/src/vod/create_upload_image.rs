//! CreateUploadImage: an image ID and a credential to upload its file.
//!
//! <https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadimage>

use serde_json::{Value, json};

use super::call::Call;
use super::error::VodError;
use super::upload_credential::{create_media, object_url};
use crate::credential::random_hex;
use crate::store::MediaKind;

pub(super) fn perform(call: &Call<'_>) -> Result<Value, VodError> {
    let parameters = &call.parameters;
    let image_type = parameters.required("ImageType")?;
    if !["default", "cover"].contains(&image_type) {
        return Err(VodError::invalid("ImageType", "it must be default or cover"));
    }
    let extension = parameters.optional("ImageExt").unwrap_or("png");
    if !EXTENSIONS.contains(&extension) {
        return Err(VodError::invalid("ImageExt", "it is not an image format"));
    }
    parameters.at_most("Title", 128)?;
    parameters.at_most("Description", 1024)?;
    parameters.check_tags(|tag| tag.chars().count() > 32)?;
    parameters.number("CateId")?;
    parameters.check_user_data()?;
    let id = random_hex(32);
    let key = format!("image/{image_type}/{}.{extension}", id.to_ascii_uppercase());
    let (media, credential) = create_media(call, MediaKind::Image, id, key)?;
    let url = object_url(call, &media);
    Ok(json!({
        "ImageId": media.id,
        "ImageURL": url,
        "FileURL": url,
        "UploadAddress": credential.upload_address,
        "UploadAuth": credential.upload_auth,
    }))
}

const EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "gif", "heic", "webp"];
