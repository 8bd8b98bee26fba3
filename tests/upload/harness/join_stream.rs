//! What a driver reads of the objects that are joined.

use vod_uploader::units::ByteCount;
use vod_uploader::upload::{ConcatSource, SourceStatus, ranges_to_read};

use super::Content;

/// The bytes of the sources that have to be read, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct JoinStream {
    sources: Vec<ConcatSource>,
    /// So many bytes come, and then this.
    ends: (usize, SourceStatus),
    bytes: Vec<u8>,
    at: usize,
}

impl JoinStream {
    pub(crate) const fn of(sources: Vec<ConcatSource>) -> Self {
        Self { sources, ends: (usize::MAX, SourceStatus::Eof), bytes: Vec::new(), at: 0 }
    }

    /// The same, which ends so after this many bytes.
    pub(crate) fn ending(self, bytes: usize, end: SourceStatus) -> Self {
        Self { ends: (bytes, end), ..self }
    }

    pub(crate) fn sources(&self) -> Vec<ConcatSource> {
        self.sources.clone()
    }

    /// Begins where the upload is; the sources are the content, cut into pieces.
    pub(super) fn open(&mut self, content: &Content, from: ByteCount) {
        self.bytes.clear();
        self.at = 0;
        for range in ranges_to_read(&self.sources, from) {
            let before = &self.sources[..range.source];
            let start: u64 = before.iter().map(|source| source.len.bytes()).sum();
            let start = start + range.start.bytes();
            self.bytes.extend_from_slice(content.range(start, start + range.len.bytes()));
        }
    }

    pub(super) fn take(&mut self, size: u64) -> (Vec<u8>, SourceStatus) {
        let size = usize::try_from(size).unwrap();
        let left = self.bytes.len().min(self.ends.0) - self.at;
        let taken = self.bytes[self.at..self.at + size.min(left)].to_vec();
        self.at += taken.len();
        let full = taken.len() == size;
        (taken, if full { SourceStatus::More } else { self.ends.1 })
    }
}
