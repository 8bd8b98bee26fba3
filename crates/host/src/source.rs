//! What fills part buffers: the stored tail first, then a body (a request's, or a supplied
//! stream), with the CRC taken as the bytes arrive.

use vod_uploader::crc64::{Crc64, Crc64Digest};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::SourceEnd;

use crate::byte_stream::ByteStream;

/// How much is read to see whether there is anything.
const FIRST_READ_BYTES: usize = 64 << 10;

/// A source of bytes for one session.
pub(crate) struct Source<B> {
    body: B,
    /// Bytes that come before those of the body.
    carried: Vec<u8>,
    /// Bytes of the body that have been read.
    read_bytes: u64,
    /// What the body brings, where that is known.
    body_len: Option<ByteCount>,
    /// After this many bytes of the body the file is whole, and there must be none left.
    body_max: Option<ByteCount>,
}

/// A buffer that has been filled.
pub(crate) struct Filled {
    pub(crate) buffer: Vec<u8>,
    pub(crate) crc64: Crc64,
    pub(crate) end: SourceEnd,
}

impl<B: ByteStream> Source<B> {
    pub(crate) fn new(body: B, body_len: Option<ByteCount>, body_max: Option<ByteCount>) -> Self {
        Self { body, carried: Vec::new(), read_bytes: 0, body_len, body_max }
    }

    /// Begins at `offset`, with the stored tail before everything that is still to be read.
    pub(crate) fn begin_at(&mut self, offset: ByteCount, tail: Vec<u8>) {
        self.body.begin_at(offset);
        self.prepend(tail);
    }

    fn prepend(&mut self, mut tail: Vec<u8>) {
        tail.append(&mut self.carried);
        self.carried = tail;
    }

    /// True where there is at least one byte: waits for it.
    pub(crate) async fn has_bytes(&mut self) -> bool {
        while self.carried.is_empty() {
            let (first, end) = self.body.read(Vec::with_capacity(FIRST_READ_BYTES)).await;
            self.read_bytes += first.len() as u64;
            self.carried = first;
            if end.is_some() {
                break;
            }
        }
        !self.carried.is_empty()
    }

    /// How large a buffer the next fill of up to `size` bytes needs. It ends where the file must
    /// be whole, so that a body that goes on is noticed there.
    pub(crate) fn buffer_len(&self, size: ByteCount) -> usize {
        let carried = self.carried.len() as u64;
        let expected = self.body_len.or(self.body_max).map_or(u64::MAX, |len| {
            len.bytes().saturating_add(carried).saturating_sub(self.read_bytes)
        });
        usize::try_from(size.bytes().min(expected)).unwrap_or(usize::MAX)
    }

    /// Fills `buffer`, which is empty, up to `len` bytes.
    pub(crate) async fn fill(&mut self, mut buffer: Vec<u8>, len: usize) -> Filled {
        let mut digest = Crc64Digest::new();
        self.take_carried(&mut buffer, len);
        digest.update(&buffer);
        let mut end = None;
        while end.is_none() && buffer.len() < len {
            let filled = buffer.len();
            (buffer, end) = self.body.read(buffer).await;
            self.read_bytes += (buffer.len() - filled) as u64;
            // The allocator may have given more room than was asked for.
            if buffer.len() > len {
                self.carried = buffer.split_off(len);
            }
            digest.update(&buffer[filled..]);
        }
        let end = match end {
            Some(end) => end,
            None => self.end_at_full().await,
        };
        Filled { buffer, crc64: digest.value(), end }
    }

    /// Up to `buffer`'s capacity of bytes, for a part that is passed through; the empty buffer at
    /// the end.
    pub(crate) async fn chunk(&mut self, mut buffer: Vec<u8>, len: usize) -> Filled {
        self.take_carried(&mut buffer, len);
        let mut end = SourceEnd::More;
        if buffer.is_empty() {
            let ended;
            (buffer, ended) = self.body.read(buffer).await;
            self.read_bytes += buffer.len() as u64;
            if buffer.len() > len {
                self.carried = buffer.split_off(len);
            }
            end = ended.unwrap_or(SourceEnd::More);
        }
        Filled { crc64: Crc64::EMPTY, buffer, end }
    }

    fn take_carried(&mut self, buffer: &mut Vec<u8>, len: usize) {
        let taken = self.carried.len().min(len);
        buffer.extend(self.carried.drain(..taken));
    }

    /// How the source stands where a fill is full. A body of declared length ends there: the host
    /// sees to it. Where the file is whole by its length, a body of undeclared length must end
    /// here, too.
    pub(crate) async fn end_at_full(&mut self) -> SourceEnd {
        if let Some(len) = self.body_len {
            let ended = self.read_bytes >= len.bytes() && self.carried.is_empty();
            return if ended { self.body.end_at_length() } else { SourceEnd::More };
        }
        let handed_out = self.read_bytes.saturating_sub(self.carried.len() as u64);
        if self.body_max.is_none_or(|max| handed_out < max.bytes()) {
            return SourceEnd::More;
        }
        if !self.carried.is_empty() {
            return SourceEnd::Overrun;
        }
        loop {
            match self.body.read(Vec::with_capacity(1)).await {
                (rest, _) if !rest.is_empty() => return SourceEnd::Overrun,
                (_, Some(end)) => return end,
                (_, None) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use std::collections::VecDeque;

    use futures::FutureExt as _;

    use super::*;

    /// Bytes of which each read takes as many as there is room for.
    struct Bytes(VecDeque<u8>);

    impl ByteStream for Bytes {
        async fn read(&mut self, mut buffer: Vec<u8>) -> (Vec<u8>, Option<SourceEnd>) {
            let room = buffer.capacity() - buffer.len();
            let read = self.0.len().min(room);
            buffer.extend(self.0.drain(..read));
            let end = (read == 0).then_some(SourceEnd::Ended);
            (buffer, end)
        }
    }

    /// A file of `size` bytes whose source has `bytes`, beginning with a tail of `tail`.
    fn source(bytes: u8, size: u64, tail: &[u8]) -> Source<Bytes> {
        let mut source = Source::new(Bytes((0..bytes).collect()), None, Some(ByteCount(size)));
        source.prepend(tail.to_vec());
        source
    }

    /// Fills `len` bytes of a buffer with room for `capacity`, as one that was used before may have.
    fn fill(source: &mut Source<Bytes>, len: usize, capacity: usize) -> (Vec<u8>, SourceEnd) {
        let filled = source.fill(Vec::with_capacity(capacity), len).now_or_never().unwrap();
        (filled.buffer, filled.end)
    }

    #[test]
    fn bytes_that_are_read_ahead_begin_the_next_fill() {
        let mut source = source(8, 8, &[]);
        assert_eq!(fill(&mut source, 3, 100), (vec![0, 1, 2], SourceEnd::More));
        assert_eq!(source.buffer_len(ByteCount(100)), 5);
        assert_eq!(fill(&mut source, 5, 100), (vec![3, 4, 5, 6, 7], SourceEnd::Ended));
    }

    #[test]
    fn a_source_that_goes_on_after_the_file_is_overrun_however_it_is_read() {
        for capacity in [4, 5, 100] {
            let mut source = source(5, 4, &[]);
            assert_eq!(fill(&mut source, 4, capacity).1, SourceEnd::Overrun, "{capacity}");
        }
        let mut source = source(9, 8, &[]);
        assert_eq!(fill(&mut source, 4, 100).1, SourceEnd::More);
        assert_eq!(fill(&mut source, 4, 100).1, SourceEnd::Overrun);
    }

    #[test]
    fn the_tail_comes_first_and_is_no_byte_of_the_body() {
        let mut source = source(2, 2, &[90, 91]);
        assert_eq!(source.buffer_len(ByteCount(100)), 4);
        assert_eq!(fill(&mut source, 4, 4), (vec![90, 91, 0, 1], SourceEnd::Ended));
    }

    #[test]
    fn a_chunk_is_no_longer_than_asked_for() {
        let mut source = source(6, 6, &[90]);
        let mut chunk =
            |len| source.chunk(Vec::with_capacity(100), len).now_or_never().unwrap().buffer;
        assert_eq!(chunk(4), [90]);
        assert_eq!(chunk(4), [0, 1, 2, 3]);
        assert_eq!(chunk(4), [4, 5]);
        assert_eq!(source.end_at_full().now_or_never().unwrap(), SourceEnd::Ended);
    }
}
