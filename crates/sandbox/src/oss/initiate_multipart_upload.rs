//! InitiateMultipartUpload: a new upload ID.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/initiatemultipartupload>

use std::collections::BTreeMap;

use super::call::{Call, Failure, xml};
use super::xml::Element;
use crate::credential::random_hex;
use crate::http::Response;
use crate::store::Upload;

/// Creates an upload. An existing object with the key does not change.
pub(super) fn perform(call: &Call<'_>) -> Result<Response, Failure> {
    let encoding = call.key_encoding()?;
    call.check_overwrite()?;
    let id = random_hex(32).to_ascii_uppercase();
    call.state.store.start_upload(Upload {
        id: id.clone(),
        bucket: call.bucket.to_owned(),
        key: call.key.to_owned(),
        initiated: call.state.clock.now(),
        headers: call.object_headers(),
        parts: BTreeMap::new(),
    })?;
    Ok(xml(&Element::new("InitiateMultipartUploadResult")
        .optional_text("EncodingType", encoding.name())
        .text("Bucket", call.bucket)
        .text("Key", encoding.write(call.key))
        .text("UploadId", id)))
}
