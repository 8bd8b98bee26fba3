//! A stream of bytes from any origin.

use vod_uploader::units::ByteCount;
use vod_uploader::upload::SourceStatus;

/// Bytes that arrive over time.
#[allow(
    async_fn_in_trait,
    reason = "everything runs on one thread, and no caller names the future"
)]
pub trait ByteStream {
    /// Reads once into the spare capacity of `buffer`, waiting for at least one byte. Returns how
    /// the stream ended, once it has.
    async fn read(&mut self, buffer: Vec<u8>) -> (Vec<u8>, Option<SourceStatus>);

    /// The status once as many bytes have been read as were declared. Does not wait for the end of
    /// the stream.
    fn status_at_declared_length(&mut self) -> SourceStatus {
        SourceStatus::Eof
    }

    /// Continues at `offset`, if the stream can be read from any offset.
    fn seek(&mut self, _offset: ByteCount) {}
}

/// A stream without bytes.
#[derive(Debug)]
pub struct EmptyStream;

impl ByteStream for EmptyStream {
    async fn read(&mut self, buffer: Vec<u8>) -> (Vec<u8>, Option<SourceStatus>) {
        (buffer, Some(SourceStatus::Eof))
    }
}
