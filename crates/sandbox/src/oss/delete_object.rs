//! DeleteObject.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/deleteobject>

use http::StatusCode;

use super::call::{Call, Failure};
use crate::http::{Reply, empty};

/// Deletes the object; 204 whether or not there was one.
pub(super) fn perform(call: &Call<'_>) -> Result<Reply, Failure> {
    call.state.store.delete_object(call.bucket, call.key)?;
    Ok(empty(StatusCode::NO_CONTENT))
}
