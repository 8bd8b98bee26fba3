//! The parts that are recorded: read back for Complete, and compared with the store's list where
//! the last writer was cut off.

use super::checkpoint::EtagPage;
use super::kv_step::KvStep;
use super::operation::{Answer, Operation};
use super::session::{Session, misuse};
use super::state::{State, Trigger};
use crate::crc64::{self, Crc64};
use crate::error::{Error, ErrorKind, Result};
use crate::oss::ETag;
use crate::oss::action::{ListedPart, PartPage};
use crate::units::{ByteCount, PartNumber};

/// What was read and listed so far.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    pages_to_read: Vec<super::PageRef>,
    parts: Vec<(PartNumber, ETag)>,
    listed: Vec<ListedPart>,
}

impl Session {
    /// Reads the full pages of ETags, one after the other, and then goes on with what they are
    /// for.
    pub(super) fn read_pages(&mut self) -> Result<()> {
        self.recorded.parts.clear();
        self.recorded.pages_to_read = self.checkpoint.full_pages.clone();
        self.recorded.pages_to_read.reverse();
        self.read_next_page()
    }

    fn read_next_page(&mut self) -> Result<()> {
        if let Some(page) = self.recorded.pages_to_read.pop() {
            let key = self.key.etag_page(page.page, page.turn);
            self.kv_get(KvStep::PageRead, key);
            return Ok(());
        }
        self.recorded.parts.extend(self.checkpoint.open_page.parts());
        let recorded = std::mem::take(&mut self.recorded.parts);
        if recorded.len() != usize::from(self.checkpoint.part_count) {
            let message = format!(
                "{} ETags are stored for {} parts",
                recorded.len(),
                self.checkpoint.part_count
            );
            return Err(Error::new(ErrorKind::CheckpointCorrupt, message));
        }
        if self.state == State::Verifying {
            self.recorded.parts = recorded;
            self.list_parts(None)
        } else {
            self.parts_known(recorded)
        }
    }

    pub(super) fn page_read(&mut self, value: Option<Vec<u8>>) -> Result<()> {
        let Some(value) = value else {
            let message = "a page of ETags is missing";
            return Err(Error::new(ErrorKind::CheckpointCorrupt, message));
        };
        self.recorded.parts.extend(EtagPage::decode(&value)?.parts());
        self.read_next_page()
    }

    fn list_parts(&mut self, after: Option<PartNumber>) -> Result<()> {
        let upload_id = self.upload_id()?;
        self.calls.start(self.now, Operation::ListParts { upload_id, after });
        Ok(())
    }

    pub(super) fn parts_listed(&mut self, result: Result<Answer>) -> Result<()> {
        match result {
            Ok(Answer::Parts(PartPage { parts, next })) => {
                self.recorded.listed.extend(parts);
                match next {
                    Some(after) => self.list_parts(Some(after)),
                    None => self.compare_parts(),
                }
            }
            Ok(_) => Err(misuse("not an answer to ListParts")),
            // The checkpoint alone must do where the credential may not list.
            Err(error) if error.kind() == ErrorKind::AccessDenied => self.parts_agree(),
            Err(error) if error.kind() == ErrorKind::UploadLost => self.forgotten(error),
            Err(error) => Err(error),
        }
    }

    /// Every recorded part must be on the store, with the bytes that were acknowledged; what else
    /// is there was never acknowledged and does not count.
    fn compare_parts(&mut self) -> Result<()> {
        let listed = std::mem::take(&mut self.recorded.listed);
        let recorded = std::mem::take(&mut self.recorded.parts);
        let mut size = ByteCount::ZERO;
        let mut crc = Some(Crc64::EMPTY);
        for (number, etag) in recorded {
            let found = listed.binary_search_by_key(&number, |part| part.number);
            let part = found.ok().and_then(|index| listed.get(index));
            let Some(part) = part.filter(|part| part.etag == etag) else {
                let message = format!("the store no longer has part {number} as it was sent");
                return self.forgotten(Error::new(ErrorKind::UploadLost, message));
            };
            size += part.size;
            crc = crc
                .zip(part.crc64)
                .map(|(before, part_crc)| crc64::combine(before, part_crc, part.size.bytes()));
        }
        let whole = size.bytes() == self.checkpoint.in_parts_bytes
            && crc.is_none_or(|crc| crc == self.checkpoint.crc64());
        if whole {
            return self.parts_agree();
        }
        let message = format!(
            "the store's parts have {} and the checkpoint says {} bytes, \
             or their CRC-64 is not {}",
            size,
            self.checkpoint.in_parts_bytes,
            self.checkpoint.crc64()
        );
        self.forgotten(Error::new(ErrorKind::UploadLost, message))
    }

    fn parts_agree(&mut self) -> Result<()> {
        self.go(Trigger::PartsAgree)?;
        self.begin_receiving()
    }
}
