//! The parts that the checkpoint records: read back for CompleteMultipartUpload, and compared with
//! the store's list if the last writer was interrupted.

use super::checkpoint::{Checkpoint, EtagPage, EtagPageRef};
use super::errors::misuse;
use super::kv_calls::{KvRequest, KvWaiter};
use super::operation::{Operation, OperationOutput};
use super::records::UploadId;
use super::session_io::SessionIo;
use crate::crc64::{self, Crc64};
use crate::error::{Error, ErrorKind, Result};
use crate::oss::ETag;
use crate::oss::action::{ListedPart, PartPage};
use crate::units::{ByteCount, PartNumber};

/// The ETags that were read, and the parts that were listed.
#[derive(Debug)]
pub(super) struct RecordedParts {
    id: UploadId,
    /// The full pages to read, the next one last.
    unread: Vec<EtagPageRef>,
    verify: bool,
    parts: Vec<(PartNumber, ETag)>,
    listed: Vec<ListedPart>,
}

/// What follows from a page of the store's list.
#[derive(Debug)]
pub(super) enum ListOutcome {
    /// The next page was requested.
    Pending,
    /// The store has the recorded parts, or the credential may not list them.
    Match,
    /// The store does not have the recorded parts.
    Mismatch(Error),
}

impl RecordedParts {
    pub(super) const fn new(id: UploadId) -> Self {
        Self { id, unread: Vec::new(), verify: false, parts: Vec::new(), listed: Vec::new() }
    }

    /// Starts to read the ETags of `checkpoint`: to `verify` the parts, or to complete the upload.
    pub(super) fn start(
        &mut self,
        io: &mut SessionIo,
        checkpoint: &Checkpoint,
        verify: bool,
    ) -> Result<()> {
        self.verify = verify;
        self.parts.clear();
        self.unread = checkpoint.full_pages.iter().rev().copied().collect();
        self.advance(io, checkpoint)
    }

    /// Accepts the value of a page.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CheckpointCorrupt`] if it is missing or cannot be read, or if ETags are
    /// missing.
    pub(super) fn page_read(
        &mut self,
        io: &mut SessionIo,
        checkpoint: &Checkpoint,
        value: Option<Vec<u8>>,
    ) -> Result<()> {
        let value = value.ok_or_else(|| corrupt("a page of ETags is missing".to_owned()))?;
        self.parts.extend(EtagPage::decode(&value)?.parts());
        self.advance(io, checkpoint)
    }

    /// Reads the next page. Once all are read, sends ListParts or CompleteMultipartUpload.
    fn advance(&mut self, io: &mut SessionIo, checkpoint: &Checkpoint) -> Result<()> {
        if let Some(EtagPageRef { page, writer }) = self.unread.pop() {
            let request = KvRequest::Get(self.id.etag_page_key(page, writer));
            io.start_kv(KvWaiter::RecordedParts, request);
            return Ok(());
        }
        self.parts.extend(checkpoint.open_page.parts());
        let (stored, expected) = (self.parts.len(), checkpoint.part_count);
        if stored != usize::from(expected) {
            let message = format!("the checkpoint records {stored} ETags for {expected} parts");
            return Err(corrupt(message));
        }
        let upload_id = checkpoint.require_upload_id()?;
        io.send(if self.verify {
            Operation::ListParts { upload_id, after: None }
        } else {
            Operation::Complete { upload_id, parts: std::mem::take(&mut self.parts) }
        });
        Ok(())
    }

    /// Accepts one page of the store's list; after the last one, compares the list.
    pub(super) fn listed(
        &mut self,
        io: &mut SessionIo,
        checkpoint: &Checkpoint,
        result: Result<OperationOutput>,
    ) -> Result<ListOutcome> {
        match result {
            Ok(OperationOutput::Parts(PartPage { parts, next })) => {
                self.listed.extend(parts);
                if next.is_some() {
                    let upload_id = checkpoint.require_upload_id()?;
                    io.send(Operation::ListParts { upload_id, after: next });
                    return Ok(ListOutcome::Pending);
                }
                Ok(match self.compare(checkpoint) {
                    Ok(()) => ListOutcome::Match,
                    Err(message) => {
                        ListOutcome::Mismatch(Error::new(ErrorKind::UploadLost, message))
                    }
                })
            }
            Ok(_) => Err(misuse("not a result of ListParts")),
            // A credential that may not list parts leaves only the checkpoint to rely on.
            Err(error) if error.kind() == ErrorKind::AccessDenied => Ok(ListOutcome::Match),
            Err(error) if error.kind() == ErrorKind::UploadLost => Ok(ListOutcome::Mismatch(error)),
            Err(error) => Err(error),
        }
    }

    /// Checks that the store has every recorded part with the acknowledged bytes. Other parts were
    /// never acknowledged and are ignored.
    fn compare(&mut self, checkpoint: &Checkpoint) -> Result<(), String> {
        let listed = std::mem::take(&mut self.listed);
        let mut size = ByteCount::ZERO;
        let mut crc = Some(Crc64::EMPTY);
        for (number, etag) in std::mem::take(&mut self.parts) {
            let found = listed.binary_search_by_key(&number, |part| part.number);
            let part = found.ok().and_then(|index| listed.get(index));
            let Some(part) = part.filter(|part| part.etag == etag) else {
                return Err(format!("the store no longer has part {number} with its ETag"));
            };
            size += part.size;
            crc = crc
                .zip(part.crc64)
                .map(|(before, part_crc)| crc64::combine(before, part_crc, part.size.bytes()));
        }
        let matches = size.bytes() == checkpoint.parts_bytes
            && crc.is_none_or(|crc| crc == checkpoint.crc64());
        if matches {
            return Ok(());
        }
        Err(format!(
            "the store's parts have {size}, or another CRC-64; the checkpoint records {} bytes \
             with CRC-64 {}",
            checkpoint.parts_bytes,
            checkpoint.crc64()
        ))
    }
}

fn corrupt(message: String) -> Error {
    Error::new(ErrorKind::CheckpointCorrupt, message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    /// Compares one recorded part with a listed one of this size and CRC.
    fn compare(size: u64, crc64: Option<u64>) -> Result<(), String> {
        let (number, etag) = (PartNumber::FIRST, ETag([7; 16]));
        let mut recorded = RecordedParts::new(UploadId::new("id").unwrap());
        recorded.parts = vec![(number, etag)];
        let crc64 = crc64.map(Crc64);
        recorded.listed = vec![ListedPart { number, size: ByteCount(size), etag, crc64 }];
        recorded.compare(&Checkpoint { parts_bytes: 5, crc64: 9, ..Checkpoint::empty() })
    }

    #[test]
    fn parts_of_another_size_or_crc_do_not_match() {
        assert_eq!(compare(5, Some(9)), Ok(()));
        assert_eq!(compare(5, None), Ok(()));
        for (size, crc64) in [(6, None), (6, Some(9)), (5, Some(8))] {
            assert!(compare(size, crc64).is_err(), "{size} {crc64:?}");
        }
    }
}
