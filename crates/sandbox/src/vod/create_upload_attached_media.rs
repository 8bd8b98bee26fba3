//! CreateUploadAttachedMedia: an ID and a credential for a watermark, subtitle or material.
//!
//! <https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadattachedmedia>

use serde_json::{Value, json};

use super::call::Call;
use super::error::VodError;
use super::parameters::extension;
use super::upload_credential::{create_media, object_url};
use crate::credential::random_hex;
use crate::store::MediaKind;

pub(super) fn perform(call: &Call<'_>) -> Result<Value, VodError> {
    let parameters = &call.parameters;
    let business_type = parameters.required("BusinessType")?;
    let (_, extensions) =
        EXTENSIONS.iter().find(|(name, _)| *name == business_type).ok_or_else(|| {
            VodError::invalid("BusinessType", "it must be watermark, subtitle or material")
        })?;
    let extension = match (parameters.optional("MediaExt"), parameters.optional("FileName")) {
        (Some(extension), _) => extension.to_ascii_lowercase(),
        (None, Some(file_name)) => extension("FileName", file_name)?,
        (None, None) => return Err(VodError::missing("MediaExt")),
    };
    if !extensions.contains(&extension.as_str()) {
        return Err(VodError::invalid(
            "MediaExt",
            &format!("a {business_type} cannot be of that format"),
        ));
    }
    parameters.at_most_bytes("Title", 128)?;
    parameters.at_most_bytes("Description", 1024)?;
    parameters.check_tags(|tag| tag.len() > 32)?;
    parameters.number("FileSize")?;
    parameters.check_user_data()?;
    if parameters.optional("CateIds").is_some_and(|ids| ids.split(',').count() > 5) {
        return Err(VodError::invalid("CateIds", "they are more than 5"));
    }
    let id = random_hex(32);
    let key = format!("{business_type}/{id}.{extension}");
    let (media, credential) = create_media(call, MediaKind::Attached, id, key)?;
    let url = object_url(call, &media);
    Ok(json!({
        "MediaId": media.id,
        "MediaURL": url,
        "FileURL": url,
        "UploadAddress": credential.upload_address,
        "UploadAuth": credential.upload_auth,
    }))
}

/// The formats of each kind of attached media.
const EXTENSIONS: [(&str, &[&str]); 3] = [
    ("watermark", &["png", "gif", "apng", "mov"]),
    ("subtitle", &["srt", "ass", "stl", "ttml", "vtt"]),
    ("material", &["jpg", "gif", "png", "mp4", "mat", "zip", "apk"]),
];
