//! The header with the checksum of an object or a part.

use super::HttpResponse;
use crate::crc64::Crc64;
use crate::error::Result;

/// The name of the header, in requests and responses.
pub(super) const NAME: &str = "x-oss-hash-crc64ecma";

/// The checksum in a response; `None` if absent.
pub(super) fn parse(response: &HttpResponse) -> Result<Option<Crc64>> {
    response.header(NAME).map(|text| text.trim().parse()).transpose()
}
