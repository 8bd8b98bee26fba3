//! The checksum that OSS reports with an object or a part.

use super::HttpResponse;
use crate::crc64::Crc64;
use crate::error::Result;

/// The header's name, of requests and responses alike.
pub(super) const NAME: &str = "x-oss-hash-crc64ecma";

/// The checksum of the response, or `None` where it has none.
pub(super) fn parse(response: &HttpResponse) -> Result<Option<Crc64>> {
    response.header(NAME).map(|text| text.trim().parse()).transpose()
}
