//! The progress of an upload as one small record, and its ETags in pages.
//!
//! The record has the same size at part 10 and at part 10,000: it holds the ETags of the page that
//! is being filled, at most 256, and refers to the full pages. A full page is written once.

use serde::{Deserialize, Serialize};

use super::errors::misuse;
use super::lease::WriterEpoch;
use super::record::impl_record;
use crate::crc64::Crc64;
use crate::error::{Error, ErrorKind, Result};
use crate::oss::{ETag, MultipartUploadId};
use crate::units::{ByteCount, OBJECT_SIZE_MAX, PART_COUNT_MAX, PartNumber};

/// The phase of an upload, as stored for the next writer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UploadPhase {
    /// Accepts bytes.
    Receiving,
    /// Every byte is in a part; CompleteMultipartUpload may have been sent.
    Completing,
    /// The object is complete on the store.
    Completed(CompletedObject),
    /// Aborted by its owner.
    Aborted,
    /// Cannot be continued or completed.
    Lost {
        /// The code of the error that ended it.
        code: String,
    },
}

impl UploadPhase {
    /// Returns true if the upload has neither completed nor ended otherwise.
    #[must_use]
    pub const fn is_incomplete(&self) -> bool {
        matches!(self, Self::Receiving | Self::Completing)
    }

    /// Returns why requests for an upload in this phase are rejected, or `None` if they are not: it
    /// has been aborted or lost, or it has `expired`.
    #[must_use]
    pub fn ended_error(&self, expired: bool) -> Option<Error> {
        let (kind, message) = match self {
            Self::Aborted => (ErrorKind::UploadAborted, "the upload was aborted".to_owned()),
            Self::Lost { code } => (ErrorKind::UploadLost, format!("the upload ended with {code}")),
            _ if expired => {
                let message = "no bytes were received before the upload expired";
                (ErrorKind::UploadExpired, message.to_owned())
            }
            Self::Receiving | Self::Completing | Self::Completed(_) => return None,
        };
        Some(Error::new(kind, message))
    }
}

/// A completed object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletedObject {
    /// Its size in bytes.
    pub size_bytes: u64,
    /// CRC-64/XZ of its bytes.
    pub crc64: u64,
    /// Its ETag as returned by the store, without quotes.
    pub etag: String,
}

/// The progress of an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Its phase.
    pub phase: UploadPhase,
    /// The store's ID of the multipart upload, if one was initiated.
    pub upload_id: Option<String>,
    /// Number of bytes from the source's start that are in acknowledged parts.
    pub parts_bytes: u64,
    /// CRC-64/XZ of those bytes.
    pub crc64: u64,
    /// Number of those parts.
    pub part_count: u16,
    /// The highest part number that the writer may have used. The next writer starts above it.
    pub reserved_part_number: u16,
    /// The full pages of ETags, by ascending page.
    pub full_pages: Vec<EtagPageRef>,
    /// The page that is being filled.
    pub open_page: EtagPage,
    /// Bytes after the parts that are too few for one.
    pub tail: Option<Tail>,
    /// Whether the writer has left nothing in flight.
    pub is_clean: bool,
    /// Whether the writer may acknowledge more bytes: it is active, or it has crashed. False once
    /// it has ended normally.
    pub writer_active: bool,
    /// Whether the session that wrote it has ended: it writes no other checkpoint.
    pub session_ended: bool,
    /// The length of the file in bytes, if the client declared it after the upload was created.
    pub length_bytes: Option<u64>,
    /// The epoch whose checkpoint this one continues. The one before that is no longer needed.
    pub previous_epoch: Option<u32>,
    /// When it was written, in milliseconds since the Unix epoch.
    pub written_at_ms: u64,
}

/// A full page of ETags: written once, by one writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtagPageRef {
    /// The page's index.
    pub page: u8,
    /// The writer that stored it.
    pub writer: WriterEpoch,
}

/// Bytes in the key-value store that continue the source after its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tail {
    /// The writer that stored it.
    pub writer: WriterEpoch,
    /// The index of the tail among those of that writer.
    pub serial: u32,
    /// Number of its bytes: fewer than 102,400.
    pub len_bytes: u32,
    /// CRC-64/XZ of its bytes.
    pub crc64: u64,
}

/// The ETags of the parts of one page, by ascending part number; numbers may have gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtagPage {
    /// The page's index: part numbers 256 × `page` + 1 to 256 × (`page` + 1).
    pub page: u8,
    /// For each part, its slot in the page and the 16 bytes of its ETag.
    pub etags: Vec<(u8, [u8; 16])>,
}

impl_record!(Checkpoint, Checkpoint, Checkpoint::check);

impl Checkpoint {
    /// Returns the checkpoint of an upload without bytes.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            phase: UploadPhase::Receiving,
            upload_id: None,
            parts_bytes: 0,
            crc64: 0,
            part_count: 0,
            reserved_part_number: 0,
            full_pages: Vec::new(),
            open_page: EtagPage::default(),
            tail: None,
            is_clean: true,
            writer_active: false,
            session_ended: false,
            length_bytes: None,
            previous_epoch: None,
            written_at_ms: 0,
        }
    }

    /// Returns the acknowledged offset: every byte before it is in a part or in the tail.
    #[must_use]
    pub fn durable(&self) -> ByteCount {
        let tail = self.tail.map_or(0, |tail| u64::from(tail.len_bytes));
        ByteCount(self.parts_bytes + tail)
    }

    /// Returns the store's ID of the multipart upload.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Internal`] if none was initiated.
    pub(super) fn require_upload_id(&self) -> Result<MultipartUploadId> {
        let id = self.upload_id.clone().map(MultipartUploadId);
        id.ok_or_else(|| misuse("no multipart upload was initiated"))
    }

    /// Returns the CRC of the bytes in acknowledged parts.
    #[must_use]
    pub const fn crc64(&self) -> Crc64 {
        Crc64(self.crc64)
    }

    /// Adds the part that continues the source. Returns the page before its own if that has become
    /// full: it must be stored before this checkpoint.
    #[must_use]
    pub fn push_part(&mut self, part: &FinishedPart, writer: WriterEpoch) -> Option<EtagPage> {
        let (page, slot) = page_of(part.number);
        let full = if page == self.open_page.page {
            None
        } else {
            let opened = EtagPage { page, etags: Vec::new() };
            let full = std::mem::replace(&mut self.open_page, opened);
            (!full.etags.is_empty()).then_some(full)
        };
        if let Some(full) = &full {
            self.full_pages.push(EtagPageRef { page: full.page, writer });
        }
        self.open_page.etags.push((slot, part.etag.0));
        self.crc64 = crate::crc64::combine(self.crc64(), part.crc64, part.len.bytes()).0;
        self.parts_bytes += part.len.bytes();
        self.part_count += 1;
        full
    }

    fn check(&self) -> Result<()> {
        if self.parts_bytes > OBJECT_SIZE_MAX.bytes() {
            return Err(corrupt("the checkpoint has more bytes than an object can have"));
        }
        self.open_page.check()
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

impl_record!(EtagPage, EtagPage, EtagPage::check);

impl EtagPage {
    /// Returns the parts, by ascending number.
    pub fn parts(&self) -> impl Iterator<Item = (PartNumber, ETag)> + '_ {
        let base = u16::from(self.page) * PARTS_PER_PAGE + 1;
        self.etags.iter().filter_map(move |(slot, etag)| {
            Some((PartNumber::new(base + u16::from(*slot))?, ETag(*etag)))
        })
    }

    /// Checks that its part numbers exist.
    fn check(&self) -> Result<()> {
        if u16::from(self.page) > (PART_COUNT_MAX - 1) / PARTS_PER_PAGE {
            return Err(corrupt("the page of ETags is beyond the last part number"));
        }
        Ok(())
    }
}

fn corrupt(message: &str) -> Error {
    Error::new(ErrorKind::CheckpointCorrupt, message)
}

/// Returns the page of a part number, and its slot there.
fn page_of(number: PartNumber) -> (u8, u8) {
    let index = number.number() - 1;
    // 10,000 numbers are on 40 pages of 256 slots: both fit into a byte.
    let [slot, page] = index.to_le_bytes();
    (page, slot)
}

/// Number of part numbers that share a page of ETags.
const PARTS_PER_PAGE: u16 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_uploads_that_are_aborted_lost_or_expired_reject_requests() {
        let object = CompletedObject { size_bytes: 1, crc64: 2, etag: String::new() };
        let kind =
            |phase: &UploadPhase, expired| phase.ended_error(expired).map(|error| error.kind());
        for phase in
            [UploadPhase::Receiving, UploadPhase::Completing, UploadPhase::Completed(object)]
        {
            assert_eq!(kind(&phase, false), None);
            assert_eq!(kind(&phase, true), Some(ErrorKind::UploadExpired));
        }
        let lost = UploadPhase::Lost { code: "checksum-mismatch".into() };
        for expired in [false, true] {
            assert_eq!(kind(&UploadPhase::Aborted, expired), Some(ErrorKind::UploadAborted));
            assert_eq!(kind(&lost, expired), Some(ErrorKind::UploadLost));
        }
    }

    fn kind_of<T>(decoded: Result<T>) -> Option<ErrorKind> {
        decoded.err().map(|error| error.kind())
    }

    #[test]
    fn a_checkpoint_beyond_the_limits_of_the_store_is_corrupt() {
        let decoded = |parts_bytes, page| {
            let open_page = EtagPage { page, ..Checkpoint::empty().open_page };
            let checkpoint = Checkpoint { parts_bytes, open_page, ..Checkpoint::empty() };
            kind_of(checkpoint.encode().and_then(|bytes| Checkpoint::decode(&bytes)))
        };
        let (largest, last_page) = (OBJECT_SIZE_MAX.bytes(), 39);
        assert_eq!(decoded(largest, last_page), None);
        assert_eq!(decoded(largest + 1, last_page), Some(ErrorKind::CheckpointCorrupt));
        assert_eq!(decoded(largest, last_page + 1), Some(ErrorKind::CheckpointCorrupt));
    }

    #[test]
    fn only_uploads_that_have_not_ended_are_incomplete() {
        let object = CompletedObject { size_bytes: 1, crc64: 2, etag: String::new() };
        for phase in [UploadPhase::Receiving, UploadPhase::Completing] {
            assert!(phase.is_incomplete());
        }
        let lost = UploadPhase::Lost { code: "upload-lost".into() };
        for phase in [UploadPhase::Completed(object), UploadPhase::Aborted, lost] {
            assert!(!phase.is_incomplete());
        }
    }
}
