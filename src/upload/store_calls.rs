//! The calls of one session to the store: attempts, deadlines and clock skew.
//!
//! A call waits for its time, for a usable credential, or for its answer; what to do with an
//! answer is the session's business.

use std::time::Duration;

use super::credential_state::CredentialState;
use super::errors::misuse;
use super::ids::{CallId, FillId};
use super::operation::{Operation, OperationOutput, TargetObject};
use super::output::Output;
use super::retry::{Attempts, Jitter, RetryPolicy};
use crate::crc64::Crc64;
use crate::credential::UploadCredential;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::oss::Reply;
use crate::oss::error_reply::{is_clock_skew, is_temporary};
use crate::units::{ByteCount, KIB, MIB, UnixMillis};

/// The slowest link to the store that is waited for: a body has this much time per byte on top of
/// the request's timeout.
const BODY_BYTES_PER_SEC_MIN: u64 = 64 * KIB;

/// The slowest copy within the store that is waited for: 5 GiB may take less than three minutes.
const COPY_BYTES_PER_SEC_MIN: u64 = 32 * MIB;

/// Complete may take minutes for a large object: its timeout is that of other calls times this.
pub const COMPLETE_TIMEOUT_FACTOR: u32 = 10;

/// Where the calls go and what they may cost.
#[derive(Debug)]
pub(super) struct StoreCalls {
    target: TargetObject,
    policy: RetryPolicy,
    timeout: Duration,
    jitter: Jitter,
    credential: CredentialState,
    clock_skew_ms: i64,
    next_id: u32,
    calls: Vec<Call>,
    /// The last refusal of a credential, until a new one has come.
    credential_refusal: Option<Error>,
}

/// What the calls are configured with.
#[derive(Debug)]
pub(super) struct StoreCallOptions {
    pub(super) target: TargetObject,
    pub(super) policy: RetryPolicy,
    pub(super) timeout: Duration,
    pub(super) seed: u64,
    pub(super) credential: Option<UploadCredential>,
    pub(super) can_refresh: bool,
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
    /// Waits for its answer.
    Sent(Attempt),
}

/// One attempt of a call. Each has an id of its own, so that the answer to one that was cut off
/// is not taken for the next one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Attempt {
    id: CallId,
    /// Given up at this instant; `None` while the body is paced by the client.
    deadline: Option<UnixMillis>,
    credential: u32,
}

/// An operation that has ended.
#[derive(Debug)]
pub(super) struct CompletedCall {
    pub(super) operation: Operation,
    pub(super) result: Result<OperationOutput>,
}

impl StoreCalls {
    pub(super) fn new(options: StoreCallOptions) -> Self {
        Self {
            target: options.target,
            policy: options.policy,
            timeout: options.timeout,
            jitter: Jitter::seeded(options.seed),
            credential: CredentialState::new(options.credential, options.can_refresh),
            clock_skew_ms: 0,
            next_id: 0,
            calls: Vec::new(),
            credential_refusal: None,
        }
    }

    /// Adds a call, to be sent by the next [`Self::send_due`].
    pub(super) fn start(&mut self, now: UnixMillis, operation: Operation) {
        let attempts = Attempts::first(now);
        self.calls.push(Call { operation, attempts, status: Status::Waiting(now) });
    }

    pub(super) fn has(&self, wanted: impl Fn(&Operation) -> bool) -> bool {
        self.calls.iter().any(|call| wanted(&call.operation))
    }

    /// Drops every call; those that were sent are cut off.
    pub(super) fn cancel_all(&mut self, outputs: &mut impl Extend<Output>) {
        self.cancel_all_except(|_| false, outputs);
    }

    /// Drops every other call than those to `keep`.
    pub(super) fn cancel_all_except(
        &mut self,
        keep: impl Fn(&Operation) -> bool,
        outputs: &mut impl Extend<Output>,
    ) {
        let canceled = self.calls.extract_if(.., |call| !keep(&call.operation));
        let sent = canceled.filter_map(|call| call.status.attempt());
        outputs.extend(sent.map(|attempt| Output::Cancel { call: attempt.id }));
    }

    /// Notes the CRC of a streamed part, now that its bytes have passed: from here on the store is
    /// what is waited for.
    pub(super) fn body_sent(&mut self, now: UnixMillis, passed: FillId, crc: Crc64) {
        for call in &mut self.calls {
            if let Operation::UploadPart { fill, crc64, .. } = &mut call.operation
                && *fill == passed
            {
                *crc64 = Some(crc);
                if let Status::Sent(attempt) = &mut call.status {
                    attempt.deadline = Some(now + self.timeout);
                }
            }
        }
    }

    /// Sends what is due. Ends with an error where a call needs a credential that nobody can
    /// renew.
    pub(super) fn send_due(
        &mut self,
        now: UnixMillis,
        outputs: &mut impl Extend<Output>,
    ) -> Result<()> {
        if !self.calls.iter().any(|call| call.is_due_at(now)) {
            return Ok(());
        }
        let due = self.calls.iter_mut().filter(|call| call.is_due_at(now));
        let Some((credential, generation)) = self.credential.usable_credential(now, outputs)?
        else {
            due.for_each(|call| call.status = Status::AwaitingCredential);
            return Ok(());
        };
        let signed_at = now.shifted(self.clock_skew_ms);
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

    /// Takes the driver's new credential, or why there is none.
    pub(super) fn credential_arrived(&mut self, result: Result<UploadCredential>) -> Result<()> {
        let calls_wait = self.await_credential();
        if result.is_ok() {
            self.credential_refusal = None;
        }
        self.credential.arrived(result, calls_wait)
    }

    /// True while calls wait for a credential.
    pub(super) fn await_credential(&self) -> bool {
        self.calls.iter().any(|call| call.status == Status::AwaitingCredential)
    }

    pub(super) const fn credential_refusal(&self) -> Option<&Error> {
        self.credential_refusal.as_ref()
    }

    /// Fails where no call of this name was ever sent.
    pub(super) fn check_sent(&self, id: CallId) -> Result<()> {
        if id.0 < self.next_id { Ok(()) } else { Err(misuse("no such call was sent")) }
    }

    /// Takes the reply to a call, or the text of a transport error. The answer to an attempt that
    /// was cut off before counts for nothing.
    pub(super) fn replied(
        &mut self,
        now: UnixMillis,
        id: CallId,
        reply: std::result::Result<Reply, String>,
    ) -> Option<CompletedCall> {
        let sent = |call: &Call| call.status.attempt().is_some_and(|attempt| attempt.id == id);
        let found = self.calls.iter().enumerate().find(|(_, call)| sent(call));
        let (index, Call { operation, .. }) = found?;
        let result = match reply {
            Ok(reply) => operation.parse(&self.target.key, &reply),
            Err(transport) => Err(unreachable_store(operation, &transport)),
        };
        match result {
            Ok(answer) => {
                self.credential.accepted();
                let Call { operation, .. } = self.calls.remove(index);
                Some(CompletedCall { operation, result: Ok(answer) })
            }
            Err(error) => {
                let error = self.credential.redact(error);
                self.failed(now, index, error)
            }
        }
    }

    /// Gives up the first call that has been waited for too long, if there is one.
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
                Some((index, attempt, unreachable_store(&call.operation, "no answer in time")))
            });
            let (index, attempt, error) = late?;
            outputs.extend([Output::Cancel { call: attempt.id }]);
            // A Complete that took so long is asked about before it is asked for again.
            let asks = matches!(self.calls.get(index)?.operation, Operation::Complete { .. });
            if asks {
                return Some(self.ended(index, error));
            }
            if let Some(finished) = self.failed(now, index, error) {
                return Some(finished);
            }
        }
    }

    /// The next instant at which something is due.
    pub(super) fn next_wakeup(&self) -> Option<UnixMillis> {
        let at = |call: &Call| match call.status {
            Status::Waiting(at) => Some(at),
            Status::AwaitingCredential => None,
            Status::Sent(attempt) => attempt.deadline,
        };
        self.calls.iter().filter_map(at).min()
    }

    /// Decides whether a failed attempt is followed by another. Returns the call where it is not.
    fn failed(&mut self, now: UnixMillis, index: usize, error: Error) -> Option<CompletedCall> {
        if let Some(server_time) = is_clock_skew(&error) {
            self.clock_skew_ms = signed_difference_ms(server_time, now);
        }
        let expires_at = self.credential.expires_at();
        let call = self.calls.get_mut(index)?;
        // A streamed body has passed and is not held: its call has one attempt.
        if !call.operation.is_streamed() {
            let generation = call.status.attempt().map_or(0, |attempt| attempt.credential);
            if error.kind().retry() == Retry::WithNewCredential
                && self.credential.refused(generation)
            {
                call.status = Status::AwaitingCredential;
                self.credential_refusal = Some(error);
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
            tries => format!("{} (tried {tries} times)", operation.name()),
        };
        CompletedCall { operation, result: Err(error.while_doing(&context)) }
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

fn unreachable_store(operation: &Operation, why: &str) -> Error {
    let what = match operation {
        Operation::UploadPart { number, .. } => format!("sending part {number}: {why}"),
        Operation::CopyPart { number, .. } => format!("copying part {number}: {why}"),
        _ => why.to_owned(),
    };
    Error::new(ErrorKind::StoreUnavailable, what)
}

fn signed_difference_ms(a: UnixMillis, b: UnixMillis) -> i64 {
    i64::try_from(i128::from(a.0) - i128::from(b.0)).unwrap_or(0)
}
