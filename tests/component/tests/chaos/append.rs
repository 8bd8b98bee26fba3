//! One append request, with the fault of its client.

use std::io;
use std::ops::Range;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use vod_uploader_component_tests::source::Source;
use vod_uploader_wire::{Exchange, Response};

use crate::client::Client;
use crate::client_fault::ClientFault;
use crate::context::count;
use crate::expected_state::OffsetHistory;
use crate::upload_handle::{RemoteState, UploadHandle, WireFormat};

/// The result of an append request for its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestResult {
    /// All bytes up to this offset are stored.
    Stored(u64),
    /// The file is complete.
    Complete,
    /// Unknown: the client has to query the offset.
    Nothing,
    /// The client has deleted the upload.
    Deleted,
    /// The upload no longer exists; the status.
    Gone(u16),
}

/// A request in whose middle its client stalled.
pub(crate) struct StalledRequest {
    exchange: Exchange,
    range: Range<u64>,
    unsent: Range<u64>,
    since: Instant,
}

/// The bytes of one request.
pub(crate) struct Request<'a> {
    pub(crate) upload: &'a UploadHandle,
    pub(crate) source: &'a Source,
    pub(crate) range: Range<u64>,
}

impl Client<'_> {
    /// Appends the bytes of `range`, with a checksum if `checked`.
    ///
    /// # Errors
    /// Returns an error if the worker violates a rule.
    pub(crate) fn append(
        &mut self,
        upload: &UploadHandle,
        source: &Source,
        range: Range<u64>,
        history: &mut OffsetHistory,
        checked: bool,
    ) -> Result<RequestResult, String> {
        count(&self.context.counts.requests);
        let length = range.end - range.start;
        let fault = match length > 0 && self.is_faulty(2) {
            true => ClientFault::choose(&mut self.random, upload, range.start, checked),
            false => ClientFault::None,
        };
        self.log_event(&format!("PATCH {} {range:?} {fault:?}", upload.path));
        let request = Request { upload, source, range: range.clone() };
        let mut bytes = request.bytes(range.clone());
        let checksum = format!("sha1 {}", STANDARD.encode(Sha1::digest(&bytes)));
        let more = checked.then_some(("upload-checksum", checksum.as_str()));
        let Ok(mut exchange) = upload.start_append(&self.context.http(), &range, more) else {
            return Ok(self.without_response());
        };
        let middle =
            usize::try_from(self.random.below(length.max(1))).expect("an offset in memory");
        if fault == ClientFault::Corrupt {
            count(&self.context.counts.corrupted);
            bytes[middle] ^= 1;
        }
        self.send(&mut exchange, &bytes[..middle]);
        let superseded = match fault {
            ClientFault::None | ClientFault::Corrupt => None,
            ClientFault::Disconnect => {
                count(&self.context.counts.interrupted);
                drop(exchange);
                return self.check_after_incomplete(checked, &request, history);
            }
            ClientFault::Stall => {
                count(&self.context.counts.stalled);
                let unsent = range.start + middle as u64..range.end;
                self.stalled.push(StalledRequest {
                    exchange,
                    range,
                    unsent,
                    since: Instant::now(),
                });
                self.sleep_up_to(300);
                return Ok(RequestResult::Nothing);
            }
            ClientFault::QueryOffset => {
                count(&self.context.counts.offset_queries);
                self.query_offset(upload, history)?;
                Some(RequestResult::Nothing)
            }
            ClientFault::Duplicate => Some(self.send_duplicate(&request, history)?),
            ClientFault::Pause => Some(self.pause(&request, history)?),
            ClientFault::Delete => Some(self.delete(upload)?),
        };
        self.send(&mut exchange, &bytes[middle..]);
        let response = exchange.finish();
        let Some(concurrent) = superseded else {
            if fault == ClientFault::Corrupt {
                return self.check_after_corruption(&request, &response, history);
            }
            return self.interpret(&request, response, history);
        };
        if fault == ClientFault::Pause {
            self.resume(upload)?;
        }
        match (concurrent, self.interpret(&request, response, history)?) {
            (RequestResult::Deleted, RequestResult::Stored(_) | RequestResult::Complete) => {
                Err("a request succeeded whose upload was deleted before its end".to_owned())
            }
            (RequestResult::Deleted, _) => Ok(RequestResult::Deleted),
            (RequestResult::Complete, _) | (_, RequestResult::Complete) => {
                Ok(RequestResult::Complete)
            }
            (_, RequestResult::Gone(status)) => Ok(RequestResult::Gone(status)),
            _ => Ok(RequestResult::Nothing),
        }
    }

    /// Queries the offset of the upload.
    ///
    /// # Errors
    /// Returns an error if it is lower than an acknowledged offset.
    pub(crate) fn query_offset(
        &mut self,
        upload: &UploadHandle,
        history: &mut OffsetHistory,
    ) -> Result<RemoteState, String> {
        let Ok(state) = upload.state(&self.context.http()) else {
            return Ok(RemoteState::Later(0));
        };
        let state = state?;
        self.log_event(&format!("HEAD {} {state:?}", upload.path));
        if let RemoteState::At(offset) = state {
            history.verify(offset, upload.granularity())?;
        }
        Ok(state)
    }

    /// Resumes the stalled requests. The upload has continued over other connections, so the worker
    /// has to end them now. Some stay stalled.
    ///
    /// # Errors
    /// Returns an error if one does not end, or one succeeds although `is_deleted`.
    pub(crate) fn resume_stalled(
        &mut self,
        upload: &UploadHandle,
        source: &Source,
        history: &mut OffsetHistory,
        is_deleted: bool,
    ) -> Result<(), String> {
        for mut stalled in std::mem::take(&mut self.stalled) {
            if self.context.elapsed() < STALLED_BEFORE && self.random.below(2) == 0 {
                self.context.leave_stalled(stalled.exchange, stalled.since);
                continue;
            }
            let request = Request { upload, source, range: stalled.range };
            let since = Instant::now();
            let unsent = request.bytes(stalled.unsent);
            self.send(&mut stalled.exchange, &unsent);
            let response = stalled.exchange.response();
            let duration = since.elapsed();
            self.log_event(&format!(
                "the request {:?} that stalled ended after {duration:?}",
                request.range
            ));
            if duration > SUPERSEDED_MAX {
                return Err(format!("a superseded request took {duration:?}"));
            }
            let result = self.interpret(&request, response, history)?;
            if is_deleted && matches!(result, RequestResult::Stored(_) | RequestResult::Complete) {
                return Err("a stalled request succeeded after its upload was deleted".to_owned());
            }
        }
        Ok(())
    }

    /// Counts a request without a response, and waits before the next attempt.
    pub(crate) fn without_response(&mut self) -> RequestResult {
        count(&self.context.counts.without_response);
        self.log_event("no response");
        self.sleep_up_to(100);
        RequestResult::Nothing
    }

    /// Interprets a response, and checks that it is allowed.
    pub(crate) fn interpret(
        &mut self,
        request: &Request<'_>,
        response: io::Result<Response>,
        history: &mut OffsetHistory,
    ) -> Result<RequestResult, String> {
        let Ok(response) = response else {
            return Ok(self.without_response());
        };
        let offset = response.header("upload-offset").and_then(|value| value.parse().ok());
        let code = response.code();
        self.log_event(&format!("{} {code} at {offset:?} to {:?}", response.status, request.range));
        if response.is_success() {
            let end = request.range.end;
            if offset != Some(end) {
                return Err(format!("success at {offset:?} for {:?}", request.range));
            }
            history.acknowledged(end);
            return Ok(if end == request.upload.length {
                RequestResult::Complete
            } else {
                RequestResult::Stored(end)
            });
        }
        // FilePond's own client uses only the offset of HEAD.
        if let (Some(offset), WireFormat::Tus | WireFormat::Ietf(_)) =
            (offset, request.upload.format)
        {
            history.acknowledged(offset);
        }
        match (response.status, code.as_str()) {
            (404 | 410, _) => Ok(RequestResult::Gone(response.status)),
            (409, "taken-over" | "offset-mismatch" | "upload-ended")
            | (400, "upload-ended" | "length-mismatch") => Ok(RequestResult::Nothing),
            (409, "upload-paused") => {
                self.resume(request.upload)?;
                Ok(RequestResult::Nothing)
            }
            (502 | 503, _) => {
                count(&self.context.counts.rejected);
                self.sleep_up_to(200);
                Ok(RequestResult::Nothing)
            }
            (status, _) => Err(format!("{status}: {}", response.text())),
        }
    }

    /// Checks the upload after a request whose bytes did not match their checksum.
    fn check_after_corruption(
        &mut self,
        request: &Request<'_>,
        response: &io::Result<Response>,
        history: &mut OffsetHistory,
    ) -> Result<RequestResult, String> {
        match response {
            Ok(response) if response.is_success() => {
                return Err("bytes with a wrong checksum were accepted".to_owned());
            }
            Ok(response) => self.log_event(&format!("{} {}", response.status, response.code())),
            Err(_) => drop(self.without_response()),
        }
        self.check_after_incomplete(true, request, history)
    }

    /// Checks the upload after an incomplete request. If it had a checksum, none of its bytes are
    /// stored.
    fn check_after_incomplete(
        &mut self,
        checked: bool,
        request: &Request<'_>,
        history: &mut OffsetHistory,
    ) -> Result<RequestResult, String> {
        if !checked {
            self.sleep_up_to(100);
            return Ok(RequestResult::Nothing);
        }
        loop {
            self.check_time()?;
            match self.query_offset(request.upload, history)? {
                RemoteState::At(offset) if offset == request.range.start => {
                    return Ok(RequestResult::Nothing);
                }
                RemoteState::At(offset) => {
                    return Err(format!("{offset} after {:?} without its end", request.range));
                }
                RemoteState::Gone(status) => return Ok(RequestResult::Gone(status)),
                RemoteState::Later(_) => self.sleep_up_to(100),
            }
        }
    }
}

impl Request<'_> {
    /// The bytes of `range`, which is relative to the upload.
    pub(crate) fn bytes(&self, range: Range<u64>) -> Vec<u8> {
        let base = self.upload.base;
        self.source.bytes(base + range.start..base + range.end)
    }
}

/// Requests that stall later are resumed. The worker ends the others only after its idle time,
/// which would extend the run by as much.
const STALLED_BEFORE: Duration = Duration::from_secs(11);

/// The maximum duration of a request whose upload has continued on another connection. Its calls to
/// OSS have their own timeouts.
const SUPERSEDED_MAX: Duration = Duration::from_secs(20);
