//! AbortMultipartUpload: ends an upload and drops its parts.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/abortmultipartupload>

use http::StatusCode;

use super::call::{Call, Failure};
use super::error::OssError;
use super::upload_part::open_upload_id;
use crate::http::{Reply, empty};

/// Aborts; a second abort finds no such upload.
pub(super) fn perform(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = open_upload_id(call)?;
    if !call.state.store.abort_upload(&id)? {
        return Err(OssError::no_such_upload(&id).into());
    }
    Ok(empty(StatusCode::NO_CONTENT))
}
