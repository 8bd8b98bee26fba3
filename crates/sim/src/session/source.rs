//! The bytes that a session reads: the body of a request, or objects that are concatenated.

use vod_uploader::units::ByteCount;
use vod_uploader::upload::{ConcatSource, SourceStatus, ranges_to_read};

use super::client_request::ClientRequest;
use crate::world::Content;

/// What a session reads.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// No bytes.
    Nothing,
    /// The body of a request.
    Request(ClientRequest),
    /// Ranges of the objects that are concatenated.
    Readback(Readback),
}

/// The ranges of objects that a concatenation has to read.
#[derive(Clone, Debug)]
pub struct Readback {
    sources: Vec<ConcatSource>,
    /// Number of bytes that are read, and how the source ends after them.
    end: (usize, SourceStatus),
}

/// The source of a session and its position.
#[derive(Debug)]
pub(super) struct SourceReader {
    source: Source,
    content: Content,
    /// Bytes that precede the position: the tail of an earlier request.
    leading_bytes: Vec<u8>,
    /// Offset of the next byte of the content.
    position: u64,
    /// Bytes of [`Source::Readback`] that have not been read.
    unread: Vec<u8>,
    /// Number of bytes of [`Source::Readback`] that have been read.
    read: usize,
}

impl Readback {
    /// Reads `sources` to their end.
    #[must_use]
    pub const fn new(sources: Vec<ConcatSource>) -> Self {
        Self { sources, end: (usize::MAX, SourceStatus::Eof) }
    }

    /// The same ranges, which end after `bytes` bytes.
    #[must_use]
    pub fn ending(self, bytes: usize, end: SourceStatus) -> Self {
        Self { end: (bytes, end), ..self }
    }

    pub(super) fn sources(&self) -> Vec<ConcatSource> {
        self.sources.clone()
    }

    /// The bytes of the ranges, from `offset` of the upload on. The content is the concatenation of
    /// the sources.
    fn bytes(&self, content: &Content, offset: ByteCount) -> Vec<u8> {
        let mut bytes = Vec::new();
        for range in ranges_to_read(&self.sources, offset) {
            let before = &self.sources[..range.source];
            let start: u64 = before.iter().map(|source| source.len.bytes()).sum();
            let start = start + range.start.bytes();
            bytes.extend_from_slice(content.range(start, start + range.len.bytes()));
        }
        bytes
    }
}

impl SourceReader {
    pub(super) fn new(source: Source, content: Content) -> Self {
        let position = match &source {
            Source::Request(request) => request.from,
            Source::Nothing | Source::Readback(_) => 0,
        };
        Self { source, content, leading_bytes: Vec::new(), position, unread: Vec::new(), read: 0 }
    }

    /// Starts at `offset`. Checks that `tail` has the bytes before it.
    pub(super) fn start_at(&mut self, offset: ByteCount, tail: Vec<u8>) {
        let tail_from = offset.bytes() - tail.len() as u64;
        assert_eq!(tail, self.content.range(tail_from, offset.bytes()));
        self.leading_bytes = tail;
        self.open_readback(offset);
    }

    /// Starts again at the first byte.
    pub(super) fn restart(&mut self) {
        self.leading_bytes.clear();
        self.position = 0;
        self.open_readback(ByteCount::ZERO);
    }

    /// The next `size` bytes, or fewer at the end.
    pub(super) fn read(&mut self, size: u64) -> (Vec<u8>, SourceStatus) {
        let request = match &self.source {
            Source::Nothing => panic!("a session without a source reads"),
            Source::Readback(readback) => {
                let size = usize::try_from(size).unwrap();
                let left = (self.unread.len()).min(readback.end.0 - self.read);
                let bytes: Vec<u8> = self.unread.drain(..size.min(left)).collect();
                self.read += bytes.len();
                let is_full = bytes.len() == size;
                return (bytes, if is_full { SourceStatus::More } else { readback.end.1 });
            }
            Source::Request(request) => request,
        };
        let mut bytes = std::mem::take(&mut self.leading_bytes);
        let room = size - bytes.len() as u64;
        let to = request.to.min(self.position + room);
        bytes.extend_from_slice(self.content.range(self.position, to));
        self.position = to;
        let is_full = bytes.len() as u64 == size;
        let is_at_end = request.end_with_last_byte && self.position == request.to;
        (bytes, if is_full && !is_at_end { SourceStatus::More } else { request.end })
    }

    fn open_readback(&mut self, offset: ByteCount) {
        if let Source::Readback(readback) = &self.source {
            self.unread = readback.bytes(&self.content, offset);
            self.read = 0;
        }
    }
}
