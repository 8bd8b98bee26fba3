//! What a source's bytes come from.

use vod_uploader::upload::SourceEnd;

/// Bytes that arrive, and then end in one way or another.
pub(crate) trait ByteStream {
    /// Reads once into the spare capacity of `buffer`, waiting for at least one byte. Returns how
    /// the bytes ended, once they have.
    async fn read(&mut self, buffer: Vec<u8>) -> (Vec<u8>, Option<SourceEnd>);
}
