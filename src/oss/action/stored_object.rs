//! The answer of the calls that make an object.

use crate::crc64::Crc64;
use crate::error::Result;
use crate::oss::{HttpResponse, crc64_header, error_response};

/// An object that is now stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// The object's ETag as OSS wrote it, quotes included; empty where it wrote none. It is an MD5
    /// only for an object of one PutObject.
    pub etag: String,
    /// The checksum of the whole object, where OSS computed one.
    pub crc64: Option<Crc64>,
    /// The id to quote to the vendor's support.
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
