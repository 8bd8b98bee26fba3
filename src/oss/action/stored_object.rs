//! The result of the calls that create an object.

use crate::crc64::Crc64;
use crate::error::Result;
use crate::oss::{HttpResponse, crc64_header, error_response};

/// A stored object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// The object's ETag as OSS returned it, quotes included; empty if absent. It is an MD5 only
    /// for an object of one PutObject.
    pub etag: String,
    /// The checksum of the complete object, if OSS computed one.
    pub crc64: Option<Crc64>,
    /// The request ID, for the support of Alibaba Cloud.
    pub request_id: String,
}

impl StoredObject {
    pub(super) fn from_headers(response: &HttpResponse) -> Result<Self> {
        Ok(Self {
            etag: response.header("etag").unwrap_or_default().trim().to_owned(),
            crc64: crc64_header::parse(response)?,
            request_id: error_response::request_id(response),
        })
    }
}
