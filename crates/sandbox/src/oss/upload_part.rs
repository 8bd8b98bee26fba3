//! UploadPart: one part of an upload.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/uploadpart>

use super::call::{Call, Failure};
use super::error::{Code, OssError};
use super::received;
use crate::http::Response;
use crate::store::{Part, Received};

/// Stores the body as a part. It replaces a part with the same number.
pub(super) async fn perform(call: &mut Call<'_>) -> Result<Response, Failure> {
    let number = part_number(call)?;
    let upload_id = open_upload_id(call)?;
    if call.head.content_length().is_none() {
        return Err(OssError::new(
            Code::MissingContentLength,
            "You must provide the Content-Length HTTP header.",
        )
        .into());
    }
    let stored = received::receive(call).await?;
    let response = received::confirm(&stored.checksum);
    put_part(call, &upload_id, number, stored)?;
    Ok(response)
}

/// The parameter `partNumber`, 1 to 10,000.
pub(super) fn part_number(call: &Call<'_>) -> Result<u16, OssError> {
    call.required("partNumber")?
        .parse()
        .ok()
        .filter(|number| (1..=MAX_PART_NUMBER).contains(number))
        .ok_or_else(|| {
            OssError::invalid_argument(
                "Part number must be an integer between 1 and 10000, inclusive.",
            )
        })
}

/// The parameter `uploadId`, which must be an open upload of this object.
pub(super) fn open_upload_id(call: &Call<'_>) -> Result<String, OssError> {
    let id = call.required("uploadId")?;
    if !call.state.store.upload_is_for(id, call.bucket, call.key) {
        return Err(OssError::no_such_upload(id));
    }
    Ok(id.to_owned())
}

/// Records a stored body as a part. The upload may have ended while the body was received.
pub(super) fn put_part(
    call: &Call<'_>,
    upload_id: &str,
    number: u16,
    stored: Received,
) -> Result<(), Failure> {
    let part = Part {
        number,
        size_bytes: stored.checksum.size_bytes,
        etag: stored.checksum.etag(),
        crc64: stored.checksum.crc64,
        modified: call.state.clock.now(),
        body: stored.body.clone(),
    };
    if !call.state.store.put_part(upload_id, part)? {
        call.state.store.discard(stored);
        return Err(OssError::no_such_upload(upload_id).into());
    }
    Ok(())
}

/// <https://www.alibabacloud.com/help/en/oss/product-overview/limits>
const MAX_PART_NUMBER: u16 = 10_000;
