//! One session's bytes: what was supplied, the buffers, and the fill that is open.

use std::collections::BTreeMap;
use std::rc::Rc;

use vod_uploader::queue::FileId;
use vod_uploader::upload::{FillId, SourceStatus};

use crate::Content;

/// One session's bytes.
#[derive(Debug)]
pub(crate) struct SessionInput {
    /// Whose session it is.
    pub file: FileId,
    size: Option<u64>,
    supplied: Option<Supply>,
    /// Bytes that the next fill, or the open one, begins with.
    carried: Vec<u8>,
    /// Offset of the next byte of the source.
    position: u64,
    /// The fill that is open.
    pub filling: Option<FillId>,
    /// What was filled and not released.
    pub buffers: BTreeMap<FillId, Rc<Vec<u8>>>,
}

/// Bytes that an app has handed in, and how they end.
#[derive(Clone, Debug)]
pub struct Supply {
    /// The file's bytes.
    pub content: Content,
    /// Where this stream ends, at most at the content's end.
    pub to: u64,
    /// The message of its failure there; `None` if it ends normally.
    pub broken: Option<String>,
}

/// What came of an attempt to fill.
#[derive(Debug)]
pub(crate) enum Filled {
    /// The fill has ended.
    Ended(Vec<u8>, SourceStatus),
    /// The stream has ended before the file.
    Short {
        /// At which offset.
        offset: u64,
    },
    /// The stream failed.
    Broken(String),
}

impl SessionInput {
    /// A session that has no bytes yet.
    #[must_use]
    pub(crate) const fn new(file: FileId, size: Option<u64>) -> Self {
        Self {
            file,
            size,
            supplied: None,
            carried: Vec::new(),
            position: 0,
            filling: None,
            buffers: BTreeMap::new(),
        }
    }

    /// Bytes before everything that is supplied, and where the supply will start.
    pub(crate) fn ready(&mut self, offset: u64, tail: Vec<u8>) {
        self.carried = tail;
        self.position = offset;
    }

    /// Forgets all bytes: the source starts again.
    pub(crate) fn rewind(&mut self) {
        self.supplied = None;
        self.carried.clear();
        self.position = 0;
    }

    /// Takes a stream that starts where the bytes are wanted.
    pub(crate) fn supply(&mut self, supply: Supply) {
        self.supplied = Some(supply);
    }

    /// True where a fill can go on.
    #[must_use]
    pub(crate) const fn has_supply(&self) -> bool {
        self.supplied.is_some()
    }

    /// Fills a buffer of `size`, as far as the stream goes.
    pub(crate) fn fill(&mut self, size: u64) -> Filled {
        let supply = self.supplied.clone().unwrap();
        let mut bytes = std::mem::take(&mut self.carried);
        let to = supply.to.min(self.position + size - bytes.len() as u64);
        if to > self.position {
            bytes.extend_from_slice(supply.content.range(self.position, to));
            self.position = to;
        }
        let is_full = bytes.len() as u64 == size;
        let is_over = self.position == supply.content.len();
        let is_whole = self.size.map_or(is_over, |size| self.position == size);
        if is_whole && !is_over {
            return Filled::Ended(bytes, SourceStatus::TooLong);
        }
        if is_full && !is_whole {
            return Filled::Ended(bytes, SourceStatus::More);
        }
        if let Some(reason) = supply.broken {
            return Filled::Broken(reason);
        }
        if is_whole || self.size.is_none() {
            return Filled::Ended(bytes, SourceStatus::Eof);
        }
        self.carried = bytes;
        self.supplied = None;
        Filled::Short { offset: self.position }
    }
}
