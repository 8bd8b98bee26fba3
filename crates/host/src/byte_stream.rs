//! What a source's bytes come from.

use vod_uploader::units::ByteCount;
use vod_uploader::upload::SourceEnd;

/// Bytes that arrive, and then end in one way or another.
pub(crate) trait ByteStream {
    /// Reads once into the spare capacity of `buffer`, waiting for at least one byte. Returns how
    /// the bytes ended, once they have.
    async fn read(&mut self, buffer: Vec<u8>) -> (Vec<u8>, Option<SourceEnd>);

    /// How the bytes end where as many have been read as were declared, which is not waited for.
    fn end_at_length(&self) -> SourceEnd {
        SourceEnd::Ended
    }

    /// Begins at this offset of the source: for one that can be read from any. Others begin where
    /// they are.
    fn begin_at(&mut self, _offset: ByteCount) {}
}

/// No bytes at all.
pub(crate) struct NoBytes;

impl ByteStream for NoBytes {
    async fn read(&mut self, buffer: Vec<u8>) -> (Vec<u8>, Option<SourceEnd>) {
        (buffer, Some(SourceEnd::Ended))
    }
}
