//! The metadata that FilePond sends with a file.

use serde_json::Value;
use zeroize::Zeroizing;

use crate::http::form::Field;

/// The form fields in `field`: FilePond sends the metadata of a file as a JSON object under the
/// name of the input.
#[must_use]
pub fn metadata_fields(field: Field) -> Vec<Field> {
    let Ok(Value::Object(members)) = serde_json::from_slice(&field.value) else {
        return vec![field];
    };
    let texts = members.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) if METADATA_MEMBERS.contains(&name.as_str()) => {
            Some(Field { name, value: Zeroizing::new(text.into_bytes()) })
        }
        _ => None,
    });
    texts.collect()
}

/// The supported members of a file's metadata, which have the names of form fields.
const METADATA_MEMBERS: [&str; 5] =
    ["upload_address", "upload_auth", "media_id", "media_token", "title"];
