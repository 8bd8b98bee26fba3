//! The end of an upload: completed, reconciled after a lost response, aborted, or lost.

use super::checkpoint::CompletedObject;
use super::errors::misuse;
use super::operation::{Operation, OperationOutput, verify_crc64};
use super::transfer::Remainder;
use crate::crc64::Crc64;
use crate::error::{Error, ErrorKind, Result};
use crate::oss::action::{AbortedUpload, ObjectHead};
use crate::units::ByteCount;

/// The completion or abort of an upload.
#[derive(Debug)]
pub(super) struct Completion {
    /// Whether the session's purpose is to abort.
    aborts: bool,
    object: Option<CompletedObject>,
    /// Size and CRC of the single PutObject.
    single_put: Option<(ByteCount, Crc64)>,
    /// CompleteMultipartUpload succeeded, and its response had no CRC: the ETag.
    unverified: Option<String>,
    /// The store responded that it does not have the multipart upload.
    upload_missing: Option<Error>,
    /// Why the result of CompleteMultipartUpload is unknown.
    unknown: Option<Error>,
    retries: u8,
    put_recorded: bool,
    /// Number of calls to AbortMultipartUpload that were repeated.
    repeated_aborts: u8,
    leftover_parts_error: Option<Error>,
}

/// What follows from the result of a call.
#[derive(Debug)]
pub(super) enum CompletionStep {
    /// The store has the object.
    Confirmed(CompletedObject),
    /// Whether the store has the object is unknown: send HeadObject.
    Reconcile,
    /// The store does not have the object: send CompleteMultipartUpload again.
    Retry,
    /// The store has neither the object nor the multipart upload.
    UploadMissing(Error),
    /// The upload cannot be completed.
    Lost(Error),
    /// The store does not have the object, and the upload is to be aborted.
    Abort,
    /// Send AbortMultipartUpload again.
    AbortAgain,
    /// The multipart upload is aborted.
    Aborted,
}

impl Completion {
    pub(super) const fn new(aborts: bool) -> Self {
        Self {
            aborts,
            object: None,
            single_put: None,
            unverified: None,
            upload_missing: None,
            unknown: None,
            retries: 0,
            put_recorded: false,
            repeated_aborts: 0,
            leftover_parts_error: None,
        }
    }

    /// Returns true if the object was sent as one PutObject.
    pub(super) const fn is_single_put(&self) -> bool {
        self.single_put.is_some()
    }

    /// Returns true once: a checkpoint must be stored before the single PutObject is sent, because
    /// only that detects whether another writer has taken over the upload.
    pub(super) const fn must_record_put(&mut self) -> bool {
        !std::mem::replace(&mut self.put_recorded, true)
    }

    /// Returns the call that sends the entire file; `None` for an empty file.
    pub(super) fn put_single(&mut self, file: Option<Remainder>) -> Operation {
        let (len, crc64) = file.map_or((ByteCount::ZERO, Crc64::EMPTY), |f| (f.len, f.crc64));
        self.single_put = Some((len, crc64));
        Operation::PutObject { len, crc64, fill: file.map(|file| file.fill) }
    }

    /// Accepts the result of CompleteMultipartUpload or PutObject. `parts` is the size and the CRC
    /// of the acknowledged parts.
    pub(super) fn on_complete_result(
        &mut self,
        result: Result<OperationOutput>,
        parts: (ByteCount, Crc64),
    ) -> Result<CompletionStep> {
        let error = match result {
            Ok(OperationOutput::Object(stored)) => {
                let (_, crc64) = self.sent_object(parts);
                if stored.crc64.is_none() {
                    self.unverified = Some(stored.etag);
                    return Ok(CompletionStep::Reconcile);
                }
                return Ok(match verify_crc64("the object", Some(crc64), stored.crc64) {
                    Ok(()) => self.confirmed(parts, &stored.etag),
                    Err(mismatch) => CompletionStep::Lost(mismatch),
                });
            }
            Ok(_) => return Err(misuse("not a result of CompleteMultipartUpload or PutObject")),
            Err(error) => error,
        };
        match error.kind() {
            // A PutObject can be repeated: the client's next request does.
            _ if self.single_put.is_some() => Err(error),
            ErrorKind::UploadLost => {
                self.upload_missing = Some(error);
                Ok(CompletionStep::Reconcile)
            }
            ErrorKind::StoreUnavailable | ErrorKind::StoreReplyInvalid => {
                self.unknown = Some(error);
                Ok(CompletionStep::Reconcile)
            }
            ErrorKind::StoreRejected if rejects_parts(&error) => Ok(CompletionStep::Lost(error)),
            _ => Err(error),
        }
    }

    /// Accepts the result of HeadObject.
    pub(super) fn on_head_result(
        &mut self,
        result: Result<OperationOutput>,
        parts: (ByteCount, Crc64),
    ) -> Result<CompletionStep> {
        let head = match result {
            Ok(OperationOutput::Head(head)) => head,
            Ok(_) => return Err(misuse("not a result of HeadObject")),
            // An abort does not depend on the object.
            Err(error) if error.kind() == ErrorKind::AccessDenied && self.aborts => {
                return Ok(CompletionStep::Abort);
            }
            Err(error) if error.kind() == ErrorKind::AccessDenied => {
                return self.without_head(parts, &error);
            }
            Err(error) => return Err(error),
        };
        let (size, crc64) = self.sent_object(parts);
        if let Some(head) = head {
            let was_created = self.unverified.is_some();
            match (head.size == size, head.crc64) {
                (true, Some(stored)) if stored == crc64 => {
                    return Ok(self.confirmed(parts, &head.etag));
                }
                // OSS guarantees no CRC for an object with copied parts. Each part was verified,
                // and the multipart upload no longer exists, or is no longer wanted.
                (true, None) if was_created || self.upload_missing.is_some() || self.aborts => {
                    return Ok(self.confirmed(parts, &head.etag));
                }
                _ if was_created => return Ok(CompletionStep::Lost(mismatch(&head, size, crc64))),
                // An object without a CRC, or an earlier one of this key.
                _ => {}
            }
        }
        if self.aborts {
            return Ok(CompletionStep::Abort);
        }
        if let Some(error) = self.upload_missing.take() {
            return Ok(CompletionStep::UploadMissing(error));
        }
        self.retry()
    }

    /// What follows if the credential does not allow HeadObject.
    fn without_head(
        &mut self,
        parts: (ByteCount, Crc64),
        denied: &Error,
    ) -> Result<CompletionStep> {
        if let Some(etag) = self.unverified.take() {
            return Ok(self.confirmed(parts, &etag));
        }
        if self.upload_missing.is_some() && self.retries == COMPLETE_RETRIES_MAX {
            return Ok(CompletionStep::Lost(completion_unknown(
                "the response to CompleteMultipartUpload was lost, and the credential lacks the \
                 permission oss:GetObject, which HeadObject requires",
                denied,
            )));
        }
        self.retry()
    }

    /// Sends CompleteMultipartUpload again, within a limit.
    fn retry(&mut self) -> Result<CompletionStep> {
        if self.retries == COMPLETE_RETRIES_MAX {
            return Err(self.unknown.take().unwrap_or_else(|| {
                let message = "the store confirms neither the object nor that it is missing";
                Error::new(ErrorKind::StoreReplyInvalid, message)
            }));
        }
        self.retries += 1;
        self.unverified = None;
        Ok(CompletionStep::Retry)
    }

    /// Accepts the result of AbortMultipartUpload.
    pub(super) fn on_abort_result(
        &mut self,
        result: Result<OperationOutput>,
    ) -> Result<CompletionStep> {
        match result {
            // Parts that were in flight may survive a call, and a gateway may respond in place of
            // the store: repeat it at least once, and until the upload no longer exists
            // (https://www.alibabacloud.com/help/en/oss/developer-reference/abortmultipartupload).
            Ok(OperationOutput::Aborted(found)) if self.must_abort_again(found) => {
                self.repeated_aborts += 1;
                Ok(CompletionStep::AbortAgain)
            }
            Ok(_) => Ok(CompletionStep::Aborted),
            // Without the permission, the parts remain until the bucket's lifecycle rule applies.
            Err(error) if error.kind() == ErrorKind::AccessDenied => {
                self.leftover_parts_error = Some(error);
                Ok(CompletionStep::Aborted)
            }
            Err(error) => Err(error),
        }
    }

    fn must_abort_again(&self, found: AbortedUpload) -> bool {
        self.repeated_aborts == 0
            || found == AbortedUpload::Deleted && self.repeated_aborts + 1 < ABORTS_MAX
    }

    /// Records that an earlier session completed the upload.
    pub(super) fn set_completed(&mut self, object: CompletedObject) {
        self.object = Some(object);
    }

    pub(super) const fn object(&self) -> Option<&CompletedObject> {
        self.object.as_ref()
    }

    /// Returns why parts of an aborted upload may remain on the store.
    pub(super) const fn leftover_parts_error(&self) -> Option<&Error> {
        self.leftover_parts_error.as_ref()
    }

    fn confirmed(&mut self, parts: (ByteCount, Crc64), etag: &str) -> CompletionStep {
        let (size, crc64) = self.sent_object(parts);
        let etag = etag.trim_matches('"').to_owned();
        let object = CompletedObject { size_bytes: size.bytes(), crc64: crc64.0, etag };
        self.object = Some(object.clone());
        CompletionStep::Confirmed(object)
    }

    fn sent_object(&self, parts: (ByteCount, Crc64)) -> (ByteCount, Crc64) {
        self.single_put.unwrap_or(parts)
    }
}

/// CompleteMultipartUpload has created another object than the one that was sent.
fn mismatch(head: &ObjectHead, size: ByteCount, crc64: Crc64) -> Error {
    let stored = head.crc64.map_or_else(String::new, |crc64| format!(" with CRC-64 {crc64}"));
    let message =
        format!("{size} with CRC-64 {crc64} were sent; the store has {}{stored}", head.size);
    Error::new(ErrorKind::ChecksumMismatch, message)
}

fn completion_unknown(message: &str, cause: &Error) -> Error {
    let error = Error::new(ErrorKind::CompletionUnknown, message);
    match cause.service() {
        Some(store) => error.with_service(store.clone()),
        None => error,
    }
}

/// Whether CompleteMultipartUpload was rejected with a code that no retry changes.
fn rejects_parts(error: &Error) -> bool {
    let code = error.service().map_or("", |store| store.code.as_str());
    matches!(code, "InvalidPart" | "InvalidPartOrder" | "EntityTooSmall" | "EntityTooLarge")
}

/// Number of times that CompleteMultipartUpload is sent again if the store does not have the
/// object.
const COMPLETE_RETRIES_MAX: u8 = 1;

/// Maximum number of calls to AbortMultipartUpload, apart from retries.
const ABORTS_MAX: u8 = 4;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    /// The number of aborts until the upload is aborted, if the store responds `found` to each.
    fn aborts(found: AbortedUpload) -> usize {
        let mut completion = Completion::new(true);
        let mut abort = || completion.on_abort_result(Ok(OperationOutput::Aborted(found))).unwrap();
        (1..100).find(|_| matches!(abort(), CompletionStep::Aborted)).unwrap()
    }

    #[test]
    fn an_abort_is_repeated_once_and_while_the_store_has_deleted_something() {
        assert_eq!(aborts(AbortedUpload::NotFound), 2);
        assert_eq!(aborts(AbortedUpload::Deleted), usize::from(ABORTS_MAX));
    }

    #[test]
    fn an_abort_that_is_denied_reports_that_parts_are_left() {
        let mut completion = Completion::new(true);
        assert!(completion.leftover_parts_error().is_none());
        let denied = Error::new(ErrorKind::AccessDenied, "no");
        let step = completion.on_abort_result(Err(denied)).unwrap();
        assert!(matches!(step, CompletionStep::Aborted));
        assert!(completion.leftover_parts_error().is_some());
    }
}
