//! The checksum that OSS reports with an object or a part.

use super::HttpResponse;
use crate::crc64::Crc64;
use crate::error::Result;

/// The header's name, of requests and replies alike.
pub(super) const NAME: &str = "x-oss-hash-crc64ecma";

/// The checksum of the reply, or `None` where it has none.
pub(super) fn parse(reply: &HttpResponse) -> Result<Option<Crc64>> {
    reply.header(NAME).map(|text| text.trim().parse()).transpose()
}
