//! The bytes of one session: what was supplied, the buffers, and the open fill.

use vod_uploader::queue::FileId;
use vod_uploader::upload::{FillId, SourceStatus};

use crate::world::{Content, PartBuffers};

/// The bytes of one session.
#[derive(Debug)]
pub(crate) struct SessionInput {
    /// The file that the session uploads.
    pub(crate) file: FileId,
    /// The open fill.
    pub(crate) open_fill: Option<FillId>,
    pub(crate) buffers: PartBuffers,
    size: Option<u64>,
    supplied: Option<Supply>,
    /// Bytes with which the next fill, or the open one, starts.
    leading_bytes: Vec<u8>,
    /// Offset of the next byte of the source.
    position: u64,
}

/// A stream that an app has supplied.
#[derive(Clone, Debug)]
pub struct Supply {
    /// The bytes of the file.
    pub content: Content,
    /// Offset at which the stream ends, at most the length of the content.
    pub to: u64,
    /// The message with which the stream fails there; `None` if it ends normally.
    pub broken: Option<String>,
}

/// The result of an attempt to fill a buffer.
#[derive(Debug)]
pub(crate) enum Filled {
    /// The fill has ended.
    Ended(Vec<u8>, SourceStatus),
    /// The stream ends at this offset, before the end of the file.
    Short { offset: u64 },
    /// The stream failed.
    Broken(String),
}

impl SessionInput {
    /// A session without bytes.
    pub(crate) fn new(file: FileId, size: Option<u64>) -> Self {
        Self {
            file,
            open_fill: None,
            buffers: PartBuffers::default(),
            size,
            supplied: None,
            leading_bytes: Vec::new(),
            position: 0,
        }
    }

    /// The source starts at `offset`; the bytes of `tail` precede it.
    pub(crate) fn start_at(&mut self, offset: u64, tail: Vec<u8>) {
        self.leading_bytes = tail;
        self.position = offset;
    }

    /// Discards all bytes: the source starts again.
    pub(crate) fn restart(&mut self) {
        self.supplied = None;
        self.leading_bytes.clear();
        self.position = 0;
    }

    /// Takes a stream that starts at the requested offset.
    pub(crate) fn supply(&mut self, supply: Supply) {
        self.supplied = Some(supply);
    }

    /// Returns `true` if a fill can continue.
    pub(crate) const fn has_supply(&self) -> bool {
        self.supplied.is_some()
    }

    /// Fills a buffer of `size` bytes, as far as the stream goes.
    pub(crate) fn fill(&mut self, size: u64) -> Filled {
        let supply = self.supplied.clone().unwrap();
        let mut bytes = std::mem::take(&mut self.leading_bytes);
        let to = supply.to.min(self.position + size - bytes.len() as u64);
        if to > self.position {
            bytes.extend_from_slice(supply.content.range(self.position, to));
            self.position = to;
        }
        let is_full = bytes.len() as u64 == size;
        let is_at_end = self.position == supply.content.len();
        let is_complete = self.size.map_or(is_at_end, |size| self.position == size);
        if is_complete && !is_at_end {
            return Filled::Ended(bytes, SourceStatus::TooLong);
        }
        if is_full && !is_complete {
            return Filled::Ended(bytes, SourceStatus::More);
        }
        if let Some(reason) = supply.broken {
            return Filled::Broken(reason);
        }
        if is_complete || self.size.is_none() {
            return Filled::Ended(bytes, SourceStatus::Eof);
        }
        self.leading_bytes = bytes;
        self.supplied = None;
        Filled::Short { offset: self.position }
    }
}
