//! The source of one session: the stored tail first, then a stream, with the CRC-64 computed as the
//! bytes arrive.

use vod_uploader::crc64::{Crc64, Crc64Digest};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::SourceStatus;

use crate::body::ByteStream;

/// A source of bytes for one session.
pub struct Source<B> {
    body: B,
    /// Bytes that precede those of the stream: the tail and bytes that were read ahead.
    leading_bytes: Vec<u8>,
    /// Bytes of the stream that have been read.
    read_bytes: u64,
    /// Length of the stream, if known.
    body_len: Option<ByteCount>,
    /// After this many bytes of the stream the file is complete, and no byte may follow.
    body_max: Option<ByteCount>,
    /// Whether [`has_bytes`](Self::has_bytes) found an interruption in place of the end.
    is_interrupted: bool,
}

/// A filled buffer.
pub(super) struct FilledBuffer {
    pub(super) buffer: Vec<u8>,
    pub(super) crc64: Crc64,
    pub(super) end: SourceStatus,
}

impl<B: ByteStream> Source<B> {
    /// A source of the bytes of `body`, whose length is `body_len`, if known. After `body_max`
    /// bytes the file is complete.
    pub fn new(body: B, body_len: Option<ByteCount>, body_max: Option<ByteCount>) -> Self {
        let leading_bytes = Vec::new();
        Self { body, leading_bytes, read_bytes: 0, body_len, body_max, is_interrupted: false }
    }

    /// Continues at `offset`, with the stored tail before all unread bytes.
    pub(super) fn seek(&mut self, offset: ByteCount, tail: Vec<u8>) {
        self.body.seek(offset);
        self.prepend(tail);
    }

    fn prepend(&mut self, mut tail: Vec<u8>) {
        tail.append(&mut self.leading_bytes);
        self.leading_bytes = tail;
    }

    /// Waits for the first byte. Returns true if there is one.
    pub async fn has_bytes(&mut self) -> bool {
        while self.leading_bytes.is_empty() {
            let (first, end) = self.body.read(Vec::with_capacity(FIRST_READ_BYTES)).await;
            self.read_bytes += first.len() as u64;
            self.leading_bytes = first;
            if let Some(end) = end {
                self.is_interrupted =
                    matches!(end, SourceStatus::Interrupted | SourceStatus::StopRequested);
                break;
            }
        }
        !self.leading_bytes.is_empty()
    }

    /// Returns true if [`has_bytes`](Self::has_bytes) found an interruption in place of the end.
    pub const fn is_interrupted(&self) -> bool {
        self.is_interrupted
    }

    /// Size of the buffer for the next fill of up to `size` bytes. It does not extend beyond the
    /// end of the file, so that a longer stream is detected there.
    pub(super) fn buffer_len(&self, size: ByteCount) -> usize {
        let leading_bytes = self.leading_bytes.len() as u64;
        let expected = self.body_len.or(self.body_max).map_or(u64::MAX, |len| {
            len.bytes().saturating_add(leading_bytes).saturating_sub(self.read_bytes)
        });
        usize::try_from(size.bytes().min(expected)).unwrap_or(usize::MAX)
    }

    /// Fills `buffer`, which is empty, up to `len` bytes.
    pub(super) async fn fill(&mut self, mut buffer: Vec<u8>, len: usize) -> FilledBuffer {
        let mut digest = Crc64Digest::new();
        self.take_leading_bytes(&mut buffer, len);
        digest.update(&buffer);
        let mut end = None;
        while end.is_none() && buffer.len() < len {
            let filled = buffer.len();
            (buffer, end) = self.body.read(buffer).await;
            self.read_bytes += (buffer.len() - filled) as u64;
            // The allocator may have reserved more than was requested.
            if buffer.len() > len {
                self.leading_bytes = buffer.split_off(len);
            }
            digest.update(&buffer[filled..]);
        }
        let end = match end {
            Some(end) => end,
            None => self.status_when_full().await,
        };
        FilledBuffer { buffer, crc64: digest.value(), end }
    }

    /// Up to `len` bytes for a streamed part; none at the end.
    pub(super) async fn chunk(&mut self, mut buffer: Vec<u8>, len: usize) -> FilledBuffer {
        self.take_leading_bytes(&mut buffer, len);
        let mut end = SourceStatus::More;
        if buffer.is_empty() {
            let ended;
            (buffer, ended) = self.body.read(buffer).await;
            self.read_bytes += buffer.len() as u64;
            if buffer.len() > len {
                self.leading_bytes = buffer.split_off(len);
            }
            end = ended.unwrap_or(SourceStatus::More);
        }
        FilledBuffer { crc64: Crc64::EMPTY, buffer, end }
    }

    fn take_leading_bytes(&mut self, buffer: &mut Vec<u8>, len: usize) {
        let taken = self.leading_bytes.len().min(len);
        buffer.extend(self.leading_bytes.drain(..taken));
    }

    /// The status of the source after a full fill. The host ensures that a stream of declared
    /// length ends there. If the file is complete, a stream of undeclared length must end too.
    pub(super) async fn status_when_full(&mut self) -> SourceStatus {
        if let Some(len) = self.body_len {
            let ended = self.read_bytes >= len.bytes() && self.leading_bytes.is_empty();
            return if ended { self.body.status_at_declared_length() } else { SourceStatus::More };
        }
        let returned_bytes = self.read_bytes.saturating_sub(self.leading_bytes.len() as u64);
        if self.body_max.is_none_or(|max| returned_bytes < max.bytes()) {
            return SourceStatus::More;
        }
        if !self.leading_bytes.is_empty() {
            return SourceStatus::TooLong;
        }
        loop {
            match self.body.read(Vec::with_capacity(1)).await {
                (rest, _) if !rest.is_empty() => return SourceStatus::TooLong,
                (_, Some(end)) => return end,
                (_, None) => {}
            }
        }
    }
}

/// Bytes read to determine whether the source has any.
const FIRST_READ_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use std::collections::VecDeque;

    use futures::FutureExt as _;

    use super::*;

    /// Bytes of which each read returns as many as fit.
    struct Bytes(VecDeque<u8>);

    impl ByteStream for Bytes {
        async fn read(&mut self, mut buffer: Vec<u8>) -> (Vec<u8>, Option<SourceStatus>) {
            let room = buffer.capacity() - buffer.len();
            let read = self.0.len().min(room);
            buffer.extend(self.0.drain(..read));
            let end = (read == 0).then_some(SourceStatus::Eof);
            (buffer, end)
        }
    }

    /// A file of `size` bytes whose source has `bytes` after a tail of `tail`.
    fn source(bytes: u8, size: u64, tail: &[u8]) -> Source<Bytes> {
        let mut source = Source::new(Bytes((0..bytes).collect()), None, Some(ByteCount(size)));
        source.prepend(tail.to_vec());
        source
    }

    /// Fills `len` bytes of a buffer whose capacity is `capacity`.
    fn fill(source: &mut Source<Bytes>, len: usize, capacity: usize) -> (Vec<u8>, SourceStatus) {
        let filled = source.fill(Vec::with_capacity(capacity), len).now_or_never().unwrap();
        (filled.buffer, filled.end)
    }

    #[test]
    fn bytes_that_are_read_ahead_are_the_first_of_the_next_fill() {
        let mut source = source(8, 8, &[]);
        assert_eq!(fill(&mut source, 3, 100), (vec![0, 1, 2], SourceStatus::More));
        assert_eq!(source.buffer_len(ByteCount(100)), 5);
        assert_eq!(fill(&mut source, 5, 100), (vec![3, 4, 5, 6, 7], SourceStatus::Eof));
    }

    #[test]
    fn a_source_that_is_longer_than_the_file_is_too_long_at_any_buffer_size() {
        for capacity in [4, 5, 100] {
            let mut source = source(5, 4, &[]);
            assert_eq!(fill(&mut source, 4, capacity).1, SourceStatus::TooLong, "{capacity}");
        }
        let mut source = source(9, 8, &[]);
        assert_eq!(fill(&mut source, 4, 100).1, SourceStatus::More);
        assert_eq!(fill(&mut source, 4, 100).1, SourceStatus::TooLong);
    }

    #[test]
    fn the_tail_precedes_the_body_and_does_not_count_as_its_bytes() {
        let mut source = source(2, 2, &[90, 91]);
        assert_eq!(source.buffer_len(ByteCount(100)), 4);
        assert_eq!(fill(&mut source, 4, 4), (vec![90, 91, 0, 1], SourceStatus::Eof));
    }

    #[test]
    fn a_chunk_is_at_most_as_long_as_requested() {
        let mut source = source(6, 6, &[90]);
        let mut chunk =
            |len| source.chunk(Vec::with_capacity(100), len).now_or_never().unwrap().buffer;
        assert_eq!(chunk(4), [90]);
        assert_eq!(chunk(4), [0, 1, 2, 3]);
        assert_eq!(chunk(4), [4, 5]);
        assert_eq!(source.status_when_full().now_or_never().unwrap(), SourceStatus::Eof);
    }
}
