//! The calls of one session to the store: attempts, deadlines and clock skew.
//!
//! A call waits for its next attempt, for a usable credential, or for its response. What follows
//! from a response is up to the session.

use std::time::Duration;

use super::credential_state::CredentialState;
use super::errors::misuse;
use super::ids::{CallId, FillId};
use super::operation::{Operation, OperationOutput, TargetObject};
use super::options::SessionOptions;
use super::output::Output;
use super::retry::{Attempts, Jitter, RetryPolicy};
use crate::crc64::Crc64;
use crate::credential::UploadCredential;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::oss::{ClockSkew, HttpResponse, is_temporary};
use crate::units::{ByteCount, KIB, MIB, UnixMillis};

/// The timeout of CompleteMultipartUpload is that of other calls times this: it may take minutes
/// for a large object.
pub const COMPLETE_TIMEOUT_FACTOR: u32 = 10;

/// The calls in progress.
#[derive(Debug)]
pub(super) struct StoreCalls {
    target: TargetObject,
    policy: RetryPolicy,
    timeout: Duration,
    jitter: Jitter,
    credential: CredentialState,
    clock_skew: ClockSkew,
    next_id: u32,
    calls: Vec<Call>,
    /// The last rejection of a credential, until a new one has arrived.
    credential_rejection: Option<Error>,
}

#[derive(Debug)]
struct Call {
    operation: Operation,
    attempts: Attempts,
    status: Status,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// To be sent at this instant.
    Waiting(UnixMillis),
    /// To be sent as soon as there is a usable credential.
    AwaitingCredential,
    /// Waiting for the response.
    Sent(Attempt),
}

/// One attempt of a call. Its own ID distinguishes the response to an aborted attempt from that of
/// the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Attempt {
    id: CallId,
    /// When the attempt is aborted; `None` while its body is being streamed.
    deadline: Option<UnixMillis>,
    credential: u32,
}

/// A call that has ended.
#[derive(Debug)]
pub(super) struct CompletedCall {
    pub(super) operation: Operation,
    pub(super) result: Result<OperationOutput>,
}

impl StoreCalls {
    pub(super) fn new(target: TargetObject, options: SessionOptions) -> Self {
        Self {
            target,
            policy: options.retry,
            timeout: options.request_timeout,
            jitter: Jitter::seeded(options.seed),
            credential: CredentialState::new(options.credential, options.can_refresh),
            clock_skew: ClockSkew::default(),
            next_id: 0,
            calls: Vec::new(),
            credential_rejection: None,
        }
    }

    /// Adds a call, to be sent by the next [`Self::send_due`].
    pub(super) fn start(&mut self, now: UnixMillis, operation: Operation) {
        let attempts = Attempts::first(now);
        self.calls.push(Call { operation, attempts, status: Status::Waiting(now) });
    }

    pub(super) fn has(&self, matches: impl Fn(&Operation) -> bool) -> bool {
        self.calls.iter().any(|call| matches(&call.operation))
    }

    /// Drops all calls except those to `keep`; those that were sent are aborted.
    pub(super) fn cancel_all_except(
        &mut self,
        keep: impl Fn(&Operation) -> bool,
        outputs: &mut impl Extend<Output>,
    ) {
        let canceled = self.calls.extract_if(.., |call| !keep(&call.operation));
        let sent = canceled.filter_map(|call| call.status.attempt());
        outputs.extend(sent.map(|attempt| Output::Cancel { call: attempt.id }));
    }

    /// Records the CRC of a streamed part whose bytes have been sent. The timeout of its response
    /// starts now.
    pub(super) fn body_sent(&mut self, now: UnixMillis, sent: FillId, crc: Crc64) {
        for call in &mut self.calls {
            if let Operation::UploadPart { fill, crc64, .. } = &mut call.operation
                && *fill == sent
            {
                *crc64 = Some(crc);
                if let Status::Sent(attempt) = &mut call.status {
                    attempt.deadline = Some(now + self.timeout);
                }
            }
        }
    }

    /// Sends the calls that are due.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CredentialRequired`] if a call needs a credential and there is none.
    pub(super) fn send_due(
        &mut self,
        now: UnixMillis,
        outputs: &mut impl Extend<Output>,
    ) -> Result<()> {
        if !self.calls.iter().any(|call| call.is_due_at(now)) {
            return Ok(());
        }
        let due = self.calls.iter_mut().filter(|call| call.is_due_at(now));
        let signed_at = self.clock_skew.now_at_server(now);
        let usable = self.credential.usable_credential(signed_at, outputs)?;
        let Some((credential, generation)) = usable else {
            due.for_each(|call| call.status = Status::AwaitingCredential);
            return Ok(());
        };
        for call in due {
            let key = &credential.auth.credential;
            let request = call.operation.request(&self.target, key, signed_at);
            let id = CallId(self.next_id);
            self.next_id += 1;
            let deadline = deadline(&call.operation, now, self.timeout);
            call.status = Status::Sent(Attempt { id, deadline, credential: generation });
            let fill = call.operation.fill();
            outputs.extend([Output::Send { call: id, request: Box::new(request), fill }]);
        }
        Ok(())
    }

    /// Accepts the driver's new credential, or why there is none.
    pub(super) fn credential_arrived(&mut self, result: Result<UploadCredential>) -> Result<()> {
        let calls_wait = self.are_awaiting_credential();
        if result.is_ok() {
            self.credential_rejection = None;
        }
        self.credential.arrived(result, calls_wait)
    }

    /// Returns true if calls wait for a credential.
    pub(super) fn are_awaiting_credential(&self) -> bool {
        self.calls.iter().any(|call| call.status == Status::AwaitingCredential)
    }

    pub(super) const fn credential_rejection(&self) -> Option<&Error> {
        self.credential_rejection.as_ref()
    }

    /// Checks that a call with this ID was sent.
    pub(super) fn check_sent(&self, id: CallId) -> Result<()> {
        if id.0 < self.next_id { Ok(()) } else { Err(misuse("no such call was sent")) }
    }

    /// Accepts the response to a call, or the text of a transport error. The response to an aborted
    /// attempt is ignored.
    pub(super) fn on_response(
        &mut self,
        now: UnixMillis,
        id: CallId,
        response: Result<HttpResponse, String>,
    ) -> Option<CompletedCall> {
        let sent = |call: &Call| call.status.attempt().is_some_and(|attempt| attempt.id == id);
        let found = self.calls.iter().enumerate().find(|(_, call)| sent(call));
        let (index, Call { operation, .. }) = found?;
        let result = match response {
            Ok(response) => operation.parse(&self.target, &response),
            Err(transport) => Err(store_unreachable(operation, &transport)),
        };
        match result {
            Ok(output) => {
                self.credential.accepted();
                let Call { operation, .. } = self.calls.remove(index);
                Some(CompletedCall { operation, result: Ok(output) })
            }
            Err(error) => {
                let error = self.credential.redact(error);
                self.failed(now, index, error)
            }
        }
    }

    /// Aborts attempts whose deadline has passed, until one of them ends its call.
    pub(super) fn time_out(
        &mut self,
        now: UnixMillis,
        outputs: &mut impl Extend<Output>,
    ) -> Option<CompletedCall> {
        loop {
            let is_late =
                |attempt: &Attempt| attempt.deadline.is_some_and(|deadline| deadline <= now);
            let late = self.calls.iter().enumerate().find_map(|(index, call)| {
                let attempt = call.status.attempt().filter(is_late)?;
                let message = "no response within the timeout";
                Some((index, attempt, store_unreachable(&call.operation, message)))
            });
            let (index, attempt, error) = late?;
            outputs.extend([Output::Cancel { call: attempt.id }]);
            // Its result is determined before CompleteMultipartUpload is sent again.
            let is_complete =
                matches!(self.calls.get(index)?.operation, Operation::Complete { .. });
            if is_complete {
                return Some(self.ended(index, error));
            }
            if let Some(completed) = self.failed(now, index, error) {
                return Some(completed);
            }
        }
    }

    /// Returns when the next attempt or deadline is due.
    pub(super) fn next_wakeup(&self) -> Option<UnixMillis> {
        let at = |call: &Call| match call.status {
            Status::Waiting(at) => Some(at),
            Status::AwaitingCredential => None,
            Status::Sent(attempt) => attempt.deadline,
        };
        self.calls.iter().filter_map(at).min()
    }

    /// Schedules another attempt after a failed one. Returns the call if there is none.
    fn failed(&mut self, now: UnixMillis, index: usize, error: Error) -> Option<CompletedCall> {
        self.clock_skew.observe(&error, now);
        let expires_at = self.credential.expires_at().map(|at| self.clock_skew.local_time_of(at));
        // A credential that seems to have expired, and was used, has not: the clock is wrong.
        let expires_at = expires_at.filter(|at| *at > now);
        let call = self.calls.get_mut(index)?;
        // A streamed body is not buffered: its call has one attempt.
        if !call.operation.is_streamed() {
            let generation = call.status.attempt().map_or(0, |attempt| attempt.credential);
            if error.kind().retry() == Retry::WithNewCredential
                && self.credential.on_rejected(generation)
            {
                call.status = Status::AwaitingCredential;
                self.credential_rejection = Some(error);
                return None;
            }
            if is_temporary(&error) || error.kind() == ErrorKind::ChecksumMismatch {
                let next = call.attempts.next(&self.policy, now, expires_at, &mut self.jitter);
                if let Some(at) = next {
                    call.status = Status::Waiting(at);
                    return None;
                }
            }
        }
        Some(self.ended(index, error))
    }

    fn ended(&mut self, index: usize, error: Error) -> CompletedCall {
        let Call { operation, attempts, .. } = self.calls.remove(index);
        let context = match attempts.made() {
            1 => operation.name().to_owned(),
            attempts => format!("{} (tried {attempts} times)", operation.name()),
        };
        CompletedCall { operation, result: Err(error.with_context(&context)) }
    }
}

impl Call {
    fn is_due_at(&self, now: UnixMillis) -> bool {
        match self.status {
            Status::Waiting(at) => at <= now,
            Status::AwaitingCredential => true,
            Status::Sent(_) => false,
        }
    }
}

impl Status {
    const fn attempt(self) -> Option<Attempt> {
        match self {
            Self::Sent(attempt) => Some(attempt),
            Self::Waiting(_) | Self::AwaitingCredential => None,
        }
    }
}

fn deadline(operation: &Operation, now: UnixMillis, timeout: Duration) -> Option<UnixMillis> {
    let body = |len: ByteCount| Duration::from_secs(len.bytes() / BODY_BYTES_PER_SEC_MIN);
    match operation {
        Operation::UploadPart { crc64: None, .. } => None,
        Operation::CopyPart { len, .. } => {
            let copying = Duration::from_secs(len.bytes() / COPY_BYTES_PER_SEC_MIN);
            Some(now + timeout + copying)
        }
        Operation::Complete { .. } => Some(now + timeout * COMPLETE_TIMEOUT_FACTOR),
        _ => Some(now + timeout + body(operation.body_bytes())),
    }
}

fn store_unreachable(operation: &Operation, why: &str) -> Error {
    let what = match operation {
        Operation::UploadPart { number, .. } => format!("sending part {number}: {why}"),
        Operation::CopyPart { number, .. } => format!("copying part {number}: {why}"),
        _ => why.to_owned(),
    };
    Error::new(ErrorKind::StoreUnavailable, what)
}

/// Minimum supported rate of a link to the store: the timeout of a request is extended by the
/// transfer time of its body at this rate.
const BODY_BYTES_PER_SEC_MIN: u64 = 64 * KIB;

/// Minimum supported rate of a copy within the store: less than three minutes for 5 GiB.
const COPY_BYTES_PER_SEC_MIN: u64 = 32 * MIB;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::super::operation::CopySource;
    use super::*;
    use crate::oss::MultipartUploadId;
    use crate::units::{BUFFERED_PART_SIZE_MAX, PartNumber};

    const NOW: UnixMillis = UnixMillis(1_000_000);
    const TIMEOUT: Duration = Duration::from_secs(30);

    fn upload_id() -> MultipartUploadId {
        MultipartUploadId("upload".to_owned())
    }

    fn part(len: u64, crc64: Option<Crc64>) -> Operation {
        let number = PartNumber::new(7).unwrap();
        let (len, fill) = (ByteCount(len), FillId(0));
        Operation::UploadPart { upload_id: upload_id(), number, len, crc64, fill }
    }

    fn copy(len: u64) -> Operation {
        let number = PartNumber::new(8).unwrap();
        let (bucket, object) = ("b".to_owned(), "o".to_owned());
        let source = CopySource { index: 0, bucket, object, range: None };
        let (len, crc64) = (ByteCount(len), None);
        Operation::CopyPart { upload_id: upload_id(), number, source, len, crc64 }
    }

    #[test]
    fn the_timeout_of_a_call_includes_the_transfer_of_its_bytes_at_the_minimum_rate() {
        let after = |operation: &Operation| {
            deadline(operation, NOW, TIMEOUT).map(|deadline| deadline.since(NOW).as_secs())
        };
        let complete = Operation::Complete { upload_id: upload_id(), parts: Vec::new() };
        assert_eq!(after(&Operation::Head), Some(30));
        assert_eq!(after(&complete), Some(300));
        assert_eq!(after(&part(640 * KIB, Some(Crc64(1)))), Some(30 + 10));
        assert_eq!(after(&copy(320 * MIB)), Some(30 + 10));
        // The client determines how long a streamed body takes.
        assert_eq!(after(&part(32 * MIB, None)), None);
    }

    #[test]
    fn a_transport_error_names_the_part() {
        let message = |operation: &Operation| store_unreachable(operation, "refused").to_string();
        assert!(message(&part(1, None)).contains("sending part 7: refused"));
        assert!(message(&copy(1)).contains("copying part 8: refused"));
    }

    #[test]
    fn a_part_of_the_largest_buffer_is_not_streamed() {
        let largest = BUFFERED_PART_SIZE_MAX.bytes();
        assert!(!part(largest, None).is_streamed() && part(largest + 1, None).is_streamed());
    }
}
