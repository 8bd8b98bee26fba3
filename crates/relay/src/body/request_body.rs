//! The body of an inbound request.

use std::cell::Cell;
use std::future::pending;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::{Either, LocalBoxFuture, select};
use vod_uploader::http::{ContentChecks, RequestHead};
use vod_uploader::upload::SourceStatus;
use vod_uploader::{Error, ErrorKind, Result};

use super::ByteStream;
use super::pace::Pace;
use crate::ports::{Body, BodyStatus, Ports};

/// The bytes of a request.
///
/// The unread rest is drained after the response, within limits: a host that closes a connection
/// with unread bytes resets it, and the client never receives the response. A client that waits for
/// `100 Continue` sends no bytes unless the body is read, so its body is not drained.
pub(crate) struct RequestBody {
    /// `None` once the body is being drained.
    body: Option<Box<dyn Body>>,
    ports: Ports,
    /// Whether the client sends the body only once it is read.
    awaits_read: bool,
    checks: ContentChecks,
    /// Receives the report when the body is dropped.
    report: Option<oneshot::Sender<BodyReport>>,
    stop: Option<LocalBoxFuture<'static, ()>>,
    pace: Pace,
    end: Option<SourceStatus>,
}

/// Why a read ends without waiting for bytes any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CancelCause {
    Deadline,
    Stop,
}

impl RequestBody {
    /// The body of the request `head`.
    pub(crate) fn new(head: &RequestHead, body: Box<dyn Body>, ports: Ports) -> Self {
        let mut new = Self::empty(ports);
        (new.body, new.end) = (Some(body), None);
        new.awaits_read = head.expects_continue();
        new
    }

    /// A body without bytes.
    pub(crate) fn empty(ports: Ports) -> Self {
        Self {
            body: None,
            ports,
            awaits_read: false,
            checks: ContentChecks::default(),
            report: None,
            stop: None,
            pace: Pace::default(),
            end: Some(SourceStatus::Eof),
        }
    }

    /// Compares the bytes with the client's checksums, and reports the result once the body is
    /// dropped.
    pub(crate) fn with_checks(mut self, checks: ContentChecks) -> (Self, BodyReportReceiver) {
        let (sender, receiver) = oneshot::channel();
        self.report = Some(sender);
        self.checks = checks;
        (self, BodyReportReceiver(receiver))
    }

    /// Ends the body when `stop` resolves.
    pub(crate) fn with_stop_signal(mut self, stop: impl Future<Output = ()> + 'static) -> Self {
        self.stop = Some(stop.boxed_local());
        self
    }

    /// Reads a small body to its end.
    ///
    /// # Errors
    /// Returns [`ErrorKind::RequestInvalid`] above `size_max` bytes, and
    /// [`ErrorKind::LengthMismatch`] if the request is interrupted.
    pub(crate) async fn read_to_end(mut self, size_max: usize) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            body.reserve(SMALL_READ_BYTES);
            let end;
            (body, end) = self.read(body).await;
            if body.len() > size_max {
                let allowed = format!("at most {size_max} bytes long");
                return Err(Error::field_invalid("body", allowed));
            }
            match end {
                None => {}
                Some(SourceStatus::Eof) => return Ok(body),
                Some(_) => return Err(interrupted()),
            }
        }
    }

    /// Checks that the body of an empty file has no bytes.
    ///
    /// # Errors
    /// Returns [`ErrorKind::LengthMismatch`] if it has.
    pub(crate) async fn check_empty(&mut self) -> Result<()> {
        loop {
            match self.read(Vec::with_capacity(1)).await {
                (bytes, _) if !bytes.is_empty() => {
                    let message = "the file has no bytes, but the request has";
                    return Err(Error::new(ErrorKind::LengthMismatch, message));
                }
                (_, Some(_)) => return Ok(()),
                (_, None) => {}
            }
        }
    }

    fn verified_status(&mut self, trailers: &[(String, String)]) -> SourceStatus {
        let is_checksum = |name: &str| name.eq_ignore_ascii_case(CHECKSUM_TRAILER);
        let trailer = trailers.iter().find(|(name, _)| is_checksum(name));
        let matches = self.checks.matches(trailer.map(|(_, value)| value.as_str()));
        if matches { SourceStatus::Eof } else { SourceStatus::ChecksumMismatch }
    }
}

impl ByteStream for RequestBody {
    async fn read(&mut self, mut buffer: Vec<u8>) -> (Vec<u8>, Option<SourceStatus>) {
        self.awaits_read = false;
        let clock = Rc::clone(&self.ports.clock);
        loop {
            let (None, Some(body)) = (self.end, &mut self.body) else { return (buffer, self.end) };
            let (before, started_at) = (buffer.len(), clock.now());
            let (wait_max, canceled) = (self.pace.wait_max(), Cell::new(None));
            let deadline = clock.sleep(wait_max);
            let stop = &mut self.stop;
            let cancel = async {
                let cause = match stop {
                    None => deadline.map(|()| CancelCause::Deadline).await,
                    Some(stop) => match select(deadline, stop).await {
                        Either::Left(_) => CancelCause::Deadline,
                        Either::Right(_) => CancelCause::Stop,
                    },
                };
                canceled.set(Some(cause));
            };
            let status;
            (buffer, status) = body.read(buffer, cancel.boxed_local()).await;
            let read = buffer.get(before..).unwrap_or_default();
            self.checks.update(read);
            let waited = match canceled.get() {
                Some(CancelCause::Deadline) => wait_max,
                _ => clock.now().since(started_at),
            };
            let is_in_time = self.pace.observe(waited, read.len());
            self.end = match status {
                BodyStatus::Canceled if canceled.get() == Some(CancelCause::Stop) => {
                    Some(SourceStatus::StopRequested)
                }
                // A window of the pace has ended.
                BodyStatus::Canceled if is_in_time && read.is_empty() => continue,
                BodyStatus::Open | BodyStatus::Canceled if is_in_time => None,
                // A slow client counts as disconnected; the bytes that it has sent are stored.
                BodyStatus::Open | BodyStatus::Canceled | BodyStatus::Interrupted => {
                    Some(SourceStatus::Interrupted)
                }
                BodyStatus::Complete(trailers) => Some(self.verified_status(&trailers)),
            };
            return (buffer, self.end);
        }
    }

    fn status_at_declared_length(&mut self) -> SourceStatus {
        self.verified_status(&[])
    }
}

/// What is known about a body that was read.
#[derive(Default)]
pub(crate) struct BodyReport {
    /// The checksums, and the digest of the entire representation, as far as the body was read.
    pub(crate) checks: ContentChecks,
    /// Whether its end was read, and was not an interruption.
    pub(crate) has_ended: bool,
}

/// Receives the report of a body.
pub(crate) struct BodyReportReceiver(oneshot::Receiver<BodyReport>);

impl BodyReportReceiver {
    /// The report; empty if the body still exists.
    pub(crate) fn into_report(mut self) -> BodyReport {
        self.0.try_recv().ok().flatten().unwrap_or_default()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(receiver) = self.report.take() {
            let checks = std::mem::take(&mut self.checks);
            let has_ended = self.end == Some(SourceStatus::Eof);
            let _ = receiver.send(BodyReport { checks, has_ended });
        }
        if let (None, false, Some(body)) = (self.end, self.awaits_read, self.body.take()) {
            let limit = self.ports.clock.sleep(DRAIN_TIME_MAX);
            self.ports.spawn.spawn(drain(body, limit).boxed_local());
        }
    }
}

/// The error for a body that ended before its declared length.
pub(crate) fn interrupted() -> Error {
    Error::new(ErrorKind::LengthMismatch, "the request ended before its declared length")
}

async fn drain(mut body: Box<dyn Body>, limit: LocalBoxFuture<'static, ()>) {
    let read_all = async {
        let (mut drained_bytes, mut buffer) = (0, Vec::with_capacity(DRAIN_READ_BYTES));
        while drained_bytes < DRAIN_BYTES_MAX {
            let status;
            (buffer, status) = body.read(buffer, pending().boxed_local()).await;
            if status != BodyStatus::Open {
                return;
            }
            drained_bytes += buffer.len();
            buffer.clear();
        }
    };
    select(pin!(read_all), limit).await;
}

/// Bytes per read of a small body.
const SMALL_READ_BYTES: usize = 4 << 10;

/// Maximum bytes and time for draining a rejected body, and the bytes per read: enough for one
/// chunk of a typical client on a typical connection.
const DRAIN_BYTES_MAX: usize = 16 << 20;
const DRAIN_TIME_MAX: Duration = Duration::from_secs(2);
const DRAIN_READ_BYTES: usize = 64 << 10;

/// The trailer with a checksum that a client has only at the end of the body
/// (<https://tus.io/protocols/resumable-upload#checksum>).
const CHECKSUM_TRAILER: &str = "upload-checksum";
