//! Common parts of PutObject and UploadPart: the body, its checks and its response headers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;

use super::call::{Call, Failure};
use super::error::{Code, OssError};
use crate::http::{Response, empty, with_header};
use crate::store::{Checksum, Received};

/// Receives the body and verifies it against Content-Length, Content-MD5 and
/// `x-oss-hash-crc64ecma` of the request. A body that does not match is discarded.
pub(super) async fn receive(call: &mut Call<'_>) -> Result<Received, Failure> {
    let declared = call.head.content_length();
    if declared.is_some_and(|length| length > MAX_BODY_BYTES) {
        return Err(too_large().into());
    }
    let md5 = declared_md5(call)?;
    let crc64 = declared_crc64(call)?;
    let received = call.state.store.receive(call.body, md5.is_some()).await?;
    let checked = check(&received.checksum, declared, md5, crc64);
    if let Err(error) = checked {
        call.state.store.discard(received);
        return Err(error.into());
    }
    Ok(received)
}

/// The response to a stored body.
pub(super) fn confirm(checksum: &Checksum) -> Response {
    let mut response = empty(StatusCode::OK);
    response = with_header(response, "etag", &format!("\"{}\"", checksum.etag()));
    response = with_header(response, "x-oss-hash-crc64ecma", &checksum.crc64.to_string());
    match checksum.md5 {
        Some(md5) => with_header(response, "content-md5", &STANDARD.encode(md5)),
        None => response,
    }
}

fn check(
    checksum: &Checksum,
    length: Option<u64>,
    md5: Option<[u8; 16]>,
    crc64: Option<u64>,
) -> Result<(), OssError> {
    if checksum.size_bytes > MAX_BODY_BYTES {
        return Err(too_large());
    }
    if length.is_some_and(|length| length != checksum.size_bytes) {
        return Err(OssError::new(
            Code::IncompleteBody,
            "The body does not have the length of Content-Length.",
        ));
    }
    if md5.is_some() && md5 != checksum.md5 {
        return Err(OssError::new(
            Code::InvalidDigest,
            "The Content-MD5 you specified did not match what we received.",
        ));
    }
    if let Some(declared) = crc64.filter(|declared| *declared != checksum.crc64) {
        return Err(OssError::new(
            Code::InvalidCRC64,
            format!(
                "The crc64 you specified ({declared}) does not match the body ({}).",
                checksum.crc64
            ),
        ));
    }
    Ok(())
}

fn too_large() -> OssError {
    OssError::new(
        Code::EntityTooLarge,
        "Your proposed upload exceeds the maximum allowed size of 5 GiB.",
    )
}

fn declared_md5(call: &Call<'_>) -> Result<Option<[u8; 16]>, OssError> {
    let Some(text) = call.head.header("content-md5") else {
        return Ok(None);
    };
    let md5 = STANDARD.decode(text).ok().and_then(|raw| raw.try_into().ok());
    md5.map(Some).ok_or_else(|| {
        OssError::new(Code::InvalidDigest, "The Content-MD5 you specified is not valid.")
    })
}

fn declared_crc64(call: &Call<'_>) -> Result<Option<u64>, OssError> {
    let Some(text) = call.head.header("x-oss-hash-crc64ecma") else {
        return Ok(None);
    };
    let crc64 = text.parse().map_err(|_not_decimal| {
        OssError::invalid_argument("x-oss-hash-crc64ecma must be an unsigned decimal number.")
    })?;
    Ok(Some(crc64))
}

/// 5 GiB, the largest part and the largest object of a single PUT.
/// <https://www.alibabacloud.com/help/en/oss/product-overview/limits>
const MAX_BODY_BYTES: u64 = 5 * 1024 * 1024 * 1024;
