//! AbortMultipartUpload: deletes an upload and its parts.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/abortmultipartupload>

use http::StatusCode;

use super::call::{Call, Failure};
use super::error::OssError;
use super::upload_part::open_upload_id;
use crate::http::{Response, empty};

/// Aborts the upload; a second abort returns NoSuchUpload.
pub(super) fn perform(call: &Call<'_>) -> Result<Response, Failure> {
    let id = open_upload_id(call)?;
    if !call.state.store.abort_upload(&id)? {
        return Err(OssError::no_such_upload(&id).into());
    }
    Ok(empty(StatusCode::NO_CONTENT))
}
