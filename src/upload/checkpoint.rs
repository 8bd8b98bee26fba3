//! How far an upload is, as one small record; and its ETags, in pages.
//!
//! The record has the same size at part 10 and at part 10,000: it holds the ETags of the page that
//! is being filled, at most 256, and where the full ones are. A full page is written once.

use serde::{Deserialize, Serialize};

use super::lease::Turn;
use super::record::{self, RecordKind};
use crate::crc64::Crc64;
use crate::error::{Error, ErrorKind, Result};
use crate::oss::ETag;
use crate::units::{ByteCount, OBJECT_SIZE_MAX, PART_COUNT_MAX, PartNumber};

/// How many part numbers share a page of ETags.
pub const PAGE_NUMBERS: u16 = 256;

/// What an upload has come to, as far as the next writer is concerned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Takes bytes.
    Receiving,
    /// Every byte is in a part; the store was, or is about to be, asked to join them.
    Completing,
    /// The object is whole on the store.
    Completed(FinishedObject),
    /// Given up by its owner.
    Aborted,
    /// Cannot be continued or completed.
    Lost {
        /// The code of the error that ended it.
        code: String,
    },
}

/// The object that an upload became.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishedObject {
    /// Its size in bytes.
    pub size_bytes: u64,
    /// CRC-64/XZ of its bytes.
    pub crc64: u64,
    /// Its ETag as the store wrote it, without quotes.
    pub etag: String,
}

/// How far an upload is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// What it has come to.
    pub phase: Phase,
    /// The store's id of the multipart upload, once there is one.
    pub upload_id: Option<String>,
    /// The bytes from the start of the source that are in acknowledged parts.
    pub in_parts_bytes: u64,
    /// CRC-64/XZ of those bytes.
    pub crc64: u64,
    /// How many parts those are.
    pub part_count: u16,
    /// The highest part number that the writer may have used: the next writer starts above it.
    pub numbers_spent: u16,
    /// Where the full pages of ETags are, by ascending page.
    pub full_pages: Vec<PageRef>,
    /// The page that is being filled.
    pub open_page: EtagPage,
    /// Bytes after the parts that are too few for one.
    pub tail: Option<Tail>,
    /// True where the writer has left nothing in flight.
    pub at_rest: bool,
    /// True where the writer that stored this went on to acknowledge bytes: one is at work, or was
    /// when it crashed. False once a writer has ended in an orderly way.
    pub writing: bool,
    /// The length of the whole file in bytes, where the client declared it after the upload was
    /// created.
    pub length_bytes: Option<u64>,
    /// The epoch whose checkpoint this one continues; the one before that is no longer needed.
    pub previous: Option<u32>,
    /// When it was written, in milliseconds since the Unix epoch.
    pub written_at_ms: u64,
}

/// A full page of ETags: written once, by one writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRef {
    /// Which 256 part numbers.
    pub page: u8,
    /// Who wrote it.
    pub turn: Turn,
}

/// Bytes in the key-value store that continue the source after its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tail {
    /// Who wrote it.
    pub turn: Turn,
    /// Which of that writer's tails.
    pub serial: u32,
    /// How many bytes: fewer than 102,400.
    pub len_bytes: u32,
    /// CRC-64/XZ of its bytes.
    pub crc64: u64,
}

/// The ETags of the parts of one page, by ascending part number; numbers may have gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtagPage {
    /// The page's index: part numbers 256 × `page` + 1 to 256 × (`page` + 1).
    pub page: u8,
    /// For each part, its number's place in the page, and the 16 bytes of its ETag.
    pub etags: Vec<(u8, [u8; 16])>,
}

impl Checkpoint {
    /// An upload that has taken no bytes yet.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            phase: Phase::Receiving,
            upload_id: None,
            in_parts_bytes: 0,
            crc64: 0,
            part_count: 0,
            numbers_spent: 0,
            full_pages: Vec::new(),
            open_page: EtagPage::default(),
            tail: None,
            at_rest: true,
            writing: false,
            length_bytes: None,
            previous: None,
            written_at_ms: 0,
        }
    }

    /// The offset that is acknowledged: every byte before it is in a part or in the tail.
    #[must_use]
    pub fn durable(&self) -> ByteCount {
        let tail = self.tail.map_or(0, |tail| u64::from(tail.len_bytes));
        ByteCount(self.in_parts_bytes + tail)
    }

    /// The CRC of the bytes in acknowledged parts.
    #[must_use]
    pub const fn crc64(&self) -> Crc64 {
        Crc64(self.crc64)
    }

    /// Notes the part that continues the source. Returns the page before, where that is full now:
    /// it has to be stored before this checkpoint is.
    #[must_use]
    pub fn push_part(&mut self, part: &FinishedPart, turn: Turn) -> Option<EtagPage> {
        let (page, place) = page_of(part.number);
        let full = if page == self.open_page.page {
            None
        } else {
            let opened = EtagPage { page, etags: Vec::new() };
            let full = std::mem::replace(&mut self.open_page, opened);
            (!full.etags.is_empty()).then_some(full)
        };
        if let Some(full) = &full {
            self.full_pages.push(PageRef { page: full.page, turn });
        }
        self.open_page.etags.push((place, part.etag.0));
        self.crc64 = crate::crc64::combine(self.crc64(), part.crc64, part.len.bytes()).0;
        self.in_parts_bytes += part.len.bytes();
        self.part_count += 1;
        full
    }

    /// The stored form.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal), which no value of this type causes.
    pub fn encode(&self) -> Result<Vec<u8>> {
        record::encode(RecordKind::Checkpoint, self)
    }

    /// The checkpoint in a stored form.
    ///
    /// # Errors
    /// [`CheckpointNewer`](crate::ErrorKind::CheckpointNewer) for a version that this code does not
    /// know, [`CheckpointCorrupt`](crate::ErrorKind::CheckpointCorrupt) for anything else that is
    /// not such a record, whole.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let checkpoint: Self = record::decode(RecordKind::Checkpoint, bytes)?;
        checkpoint.open_page.check()?;
        if checkpoint.in_parts_bytes > OBJECT_SIZE_MAX.bytes() {
            return Err(corrupt("a checkpoint has more bytes than an object can have"));
        }
        Ok(checkpoint)
    }
}

/// A part that the store has acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishedPart {
    /// Its number.
    pub number: PartNumber,
    /// Its size.
    pub len: ByteCount,
    /// CRC of its bytes.
    pub crc64: Crc64,
    /// The store's ETag for it.
    pub etag: ETag,
}

impl EtagPage {
    /// Its parts, by ascending number.
    pub fn parts(&self) -> impl Iterator<Item = (PartNumber, ETag)> + '_ {
        let base = u16::from(self.page) * PAGE_NUMBERS + 1;
        self.etags.iter().filter_map(move |(place, etag)| {
            Some((PartNumber::new(base + u16::from(*place))?, ETag(*etag)))
        })
    }

    /// The stored form.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal), which no value of this type causes.
    pub fn encode(&self) -> Result<Vec<u8>> {
        record::encode(RecordKind::EtagPage, self)
    }

    /// The page in a stored form.
    ///
    /// # Errors
    /// [`CheckpointNewer`](crate::ErrorKind::CheckpointNewer) for a version that this code does not
    /// know, [`CheckpointCorrupt`](crate::ErrorKind::CheckpointCorrupt) for anything else that is
    /// not such a record, whole.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let page: Self = record::decode(RecordKind::EtagPage, bytes)?;
        page.check()?;
        Ok(page)
    }

    /// Fails where it names part numbers that there are not.
    fn check(&self) -> Result<()> {
        if u16::from(self.page) > (PART_COUNT_MAX - 1) / PAGE_NUMBERS {
            return Err(corrupt("a page of ETags is beyond the last part number"));
        }
        Ok(())
    }
}

fn corrupt(message: &str) -> Error {
    Error::new(ErrorKind::CheckpointCorrupt, message)
}

/// The page of a part number, and its place there.
fn page_of(number: PartNumber) -> (u8, u8) {
    let index = number.number() - 1;
    // 10,000 numbers make 40 pages, and a place is below 256: both fit a byte.
    let [place, page] = index.to_le_bytes();
    (page, place)
}
