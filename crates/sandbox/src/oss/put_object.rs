//! PutObject: an object in one request.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/putobject>

use super::call::{Call, Failure};
use super::received;
use crate::http::Response;
use crate::store::{Object, Segment};

/// Stores the body under the key.
pub(super) async fn perform(call: &mut Call<'_>) -> Result<Response, Failure> {
    call.check_overwrite()?;
    let stored = received::receive(call).await?;
    // Another request may have created the object while this body was received.
    call.check_overwrite()?;
    let checksum = stored.checksum;
    call.state.store.put_object(Object {
        bucket: call.bucket.to_owned(),
        key: call.key.to_owned(),
        size_bytes: checksum.size_bytes,
        etag: checksum.etag(),
        crc64: checksum.crc64,
        headers: call.object_headers(),
        modified: call.state.clock.now(),
        segments: vec![Segment { body: stored.body, size_bytes: checksum.size_bytes }],
        multipart: false,
    })?;
    Ok(received::confirm(&checksum))
}
