//! How an upload ends: completed, settled after a lost answer, aborted, or lost.

use super::Purpose;
use super::checkpoint::{FinishedObject, Phase};
use super::operation::{Answer, Operation, agree};
use super::session::{Session, misuse};
use super::state::{State, Trigger};
use crate::crc64::Crc64;
use crate::error::{Error, ErrorKind, Result};
use crate::oss::ETag;
use crate::units::{ByteCount, PartNumber};

/// Complete is asked for again this often when the store turns out not to have the object.
const SETTLE_ROUNDS_MAX: u8 = 1;

/// What is known about the end.
#[derive(Debug, Default)]
pub(super) struct Finish {
    pub(super) object: Option<FinishedObject>,
    /// Size and CRC of the single PutObject.
    single: Option<(ByteCount, Crc64)>,
    /// The store's word that it does not know the upload.
    forgotten: Option<Error>,
    /// Why Complete had no clear answer.
    unclear: Option<Error>,
    rounds: u8,
    /// A checkpoint was stored, and the lease read, after the last byte of a single PutObject.
    announced: bool,
    dropped_once: bool,
    /// Why the parts of an upload that is given up were not dropped.
    left_over: Option<Error>,
}

impl Session {
    /// Goes on once everything of the request is stored.
    pub(super) fn advance_draining(&mut self) -> Result<()> {
        if self.state != State::Draining || !self.is_drained() || self.save.is_busy() {
            return Ok(());
        }
        if self.is_single_put() {
            // Nothing has been stored yet that would have told this writer that it is fenced.
            if !self.claiming.created() && !std::mem::replace(&mut self.finish.announced, true) {
                self.save.request();
                return Ok(());
            }
            self.go(Trigger::StoredAll)?;
            return self.put_single();
        }
        if self.transfer.is_complete() {
            if self.save.left_at_rest() {
                self.go(Trigger::StoredAll)?;
                return self.read_pages();
            }
            return Ok(());
        }
        if self.save.left_at_rest() || !self.has_changed() {
            self.go(Trigger::StoredSoFar)?;
        }
        Ok(())
    }

    fn put_single(&mut self) -> Result<()> {
        let rest = self.transfer.rest();
        let (len, crc64) = rest.map_or((ByteCount::ZERO, Crc64::EMPTY), |r| (r.len, r.crc64));
        self.finish.single = Some((len, crc64));
        let operation = Operation::PutObject {
            len,
            crc64,
            fill: rest.map(|rest| rest.fill),
            content_type: self.content_type.clone(),
        };
        self.calls.start(self.now, operation);
        Ok(())
    }

    /// Asks the store to join exactly these parts.
    pub(super) fn parts_known(&mut self, parts: Vec<(PartNumber, ETag)>) -> Result<()> {
        let upload_id = self.upload_id()?;
        self.calls.start(self.now, Operation::Complete { upload_id, parts });
        Ok(())
    }

    pub(super) fn complete_ended(&mut self, result: Result<Answer>) -> Result<()> {
        match result {
            Ok(Answer::Object(stored)) => {
                let (size, crc64) = self.sent_object();
                match agree("the object", Some(crc64), stored.crc64) {
                    Ok(()) => self.object_confirmed(size, crc64, stored.etag),
                    Err(mismatch) => self.lost(mismatch),
                }
            }
            Ok(_) => Err(misuse("not an answer to CompleteMultipartUpload")),
            // A PutObject can be sent again as it is: the client's next request does.
            Err(error) if self.finish.single.is_some() => Err(error),
            Err(error) => match error.kind() {
                ErrorKind::UploadLost => {
                    self.finish.forgotten = Some(error);
                    self.ask_for_object(Trigger::AnswerLost)
                }
                ErrorKind::StoreUnavailable | ErrorKind::StoreReplyInvalid => {
                    self.finish.unclear = Some(error);
                    self.ask_for_object(Trigger::AnswerLost)
                }
                ErrorKind::StoreRejected if refuses_parts(&error) => self.lost(error),
                _ => Err(error),
            },
        }
    }

    /// An earlier session may have sent Complete: the object itself says how it ended.
    pub(super) fn begin_settling(&mut self) -> Result<()> {
        self.ask_for_object(Trigger::LoadedCompleting)
    }

    fn ask_for_object(&mut self, trigger: Trigger) -> Result<()> {
        self.go(trigger)?;
        self.calls.start(self.now, Operation::Head);
        Ok(())
    }

    pub(super) fn object_seen(&mut self, result: Result<Answer>) -> Result<()> {
        let head = match result {
            Ok(Answer::Head(head)) => head,
            Ok(_) => return Err(misuse("not an answer to HeadObject")),
            // Who gives the upload up needs no more than that the parts are dropped.
            Err(error) if error.kind() == ErrorKind::AccessDenied && self.aborts() => {
                return self.begin_abort();
            }
            Err(error) if error.kind() == ErrorKind::AccessDenied => {
                return Err(completion_unknown(
                    "the answer to Complete was lost and the credential may not HeadObject",
                    &error,
                ));
            }
            Err(error) => return Err(error),
        };
        let (size, crc64) = self.sent_object();
        if let Some(head) = head.filter(|head| head.size == size) {
            match head.crc64 {
                Some(stored) if stored == crc64 => {
                    return self.object_confirmed(size, crc64, head.etag);
                }
                Some(_) => {}
                None => {
                    return Err(Error::new(
                        ErrorKind::CompletionUnknown,
                        "the store has an object of this size and does not tell its CRC-64",
                    ));
                }
            }
        }
        if self.aborts() {
            return self.begin_abort();
        }
        if let Some(error) = self.finish.forgotten.take() {
            return self.forgotten(error);
        }
        if self.finish.rounds == SETTLE_ROUNDS_MAX {
            let unclear = self.finish.unclear.take();
            return Err(unclear.unwrap_or_else(|| misuse("no cause was noted")));
        }
        self.finish.rounds += 1;
        self.go(Trigger::ObjectAbsent)?;
        self.read_pages()
    }

    fn object_confirmed(&mut self, size: ByteCount, crc64: Crc64, etag: String) -> Result<()> {
        let etag = etag.trim_matches('"').to_owned();
        let object = FinishedObject { size_bytes: size.bytes(), crc64: crc64.0, etag };
        self.finish.object = Some(object.clone());
        self.go(Trigger::ObjectConfirmed)?;
        self.store_end(Phase::Completed(object));
        Ok(())
    }

    /// The store does not have the upload any more.
    pub(super) fn forgotten(&mut self, error: Error) -> Result<()> {
        if self.start_over()? { Ok(()) } else { self.lost(error) }
    }

    pub(super) fn lost(&mut self, error: Error) -> Result<()> {
        self.go(Trigger::Forgotten)?;
        let code = error.kind().code().to_owned();
        self.trouble = Some(error);
        self.cancel_calls();
        self.transfer.abandon_want();
        self.store_end(Phase::Lost { code });
        Ok(())
    }

    pub(super) fn begin_abort(&mut self) -> Result<()> {
        self.go(Trigger::AbortWanted)?;
        if self.checkpoint.upload_id.is_some() { self.drop_parts() } else { self.aborted() }
    }

    fn drop_parts(&mut self) -> Result<()> {
        let upload_id = self.upload_id()?;
        self.calls.start(self.now, Operation::Abort { upload_id });
        Ok(())
    }

    pub(super) fn parts_dropped(&mut self, result: Result<Answer>) -> Result<()> {
        match result {
            // Parts that were in flight may survive the first abort: repeat it once
            // (https://www.alibabacloud.com/help/en/oss/developer-reference/abortmultipartupload).
            Ok(_) if !self.finish.dropped_once => {
                self.finish.dropped_once = true;
                self.drop_parts()
            }
            Ok(_) => self.aborted(),
            // Without the permission the parts stay until the bucket's lifecycle rule takes them.
            Err(error) if error.kind() == ErrorKind::AccessDenied => {
                self.finish.left_over = Some(error);
                self.aborted()
            }
            Err(error) => Err(error),
        }
    }

    fn aborted(&mut self) -> Result<()> {
        self.go(Trigger::PartsDropped)?;
        self.store_end(Phase::Aborted);
        Ok(())
    }

    /// Stores the upload's end; what only its continuation needed is deleted after that.
    fn store_end(&mut self, phase: Phase) {
        self.release_fills();
        self.discard_parts();
        self.save.discard(self.key.credential());
        if let Phase::Completed(object) = &phase {
            self.checkpoint.tail = None;
            self.checkpoint.in_parts_bytes = object.size_bytes;
            self.checkpoint.crc64 = object.crc64;
            self.checkpoint.part_count = self.checkpoint.part_count.max(1);
        }
        self.checkpoint.phase = phase;
        self.save.request();
    }

    /// Deletes what only the continuation of these parts needs, after the next checkpoint.
    pub(super) fn discard_parts(&mut self) {
        for page in std::mem::take(&mut self.checkpoint.full_pages) {
            self.save.discard(self.key.etag_page(page.page, page.turn));
        }
        // Its bytes go, but the offset that was told with them stays.
        if let Some(tail) = self.checkpoint.tail {
            self.save.discard(self.key.tail(tail.turn, tail.serial));
        }
    }

    /// Why parts may be left on the store of an upload that was given up.
    pub(crate) const fn left_over(&self) -> Option<&Error> {
        self.finish.left_over.as_ref()
    }

    fn aborts(&self) -> bool {
        self.purpose == Purpose::Abort
    }

    pub(super) fn finished_object(&self) -> Option<FinishedObject> {
        self.finish.object.clone()
    }

    /// Returns true if the object was sent as one PutObject.
    pub(super) const fn is_single_object(&self) -> bool {
        self.finish.single.is_some()
    }

    fn sent_object(&self) -> (ByteCount, Crc64) {
        let parts = (ByteCount(self.checkpoint.in_parts_bytes), self.checkpoint.crc64());
        self.finish.single.unwrap_or(parts)
    }
}

fn completion_unknown(message: &str, cause: &Error) -> Error {
    let error = Error::new(ErrorKind::CompletionUnknown, message);
    match cause.store() {
        Some(store) => error.with_store(store.clone()),
        None => error,
    }
}

/// Codes with which Complete is refused for good.
fn refuses_parts(error: &Error) -> bool {
    let code = error.store().map_or("", |store| store.code.as_str());
    matches!(code, "InvalidPart" | "InvalidPartOrder" | "EntityTooSmall" | "EntityTooLarge")
}
