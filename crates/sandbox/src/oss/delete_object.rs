//! DeleteObject.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/deleteobject>

use http::StatusCode;

use super::call::{Call, Failure};
use crate::http::{Response, empty};

/// Deletes the object; 204 also if there is none.
pub(super) fn perform(call: &Call<'_>) -> Result<Response, Failure> {
    call.state.store.delete_object(call.bucket, call.key)?;
    Ok(empty(StatusCode::NO_CONTENT))
}
