//! `GET /v1/files/{id}/events`: an upload's progress as server-sent events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! The events are read from the upload's records, so any instance can send them.

use std::fmt::Write as _;
use std::time::Duration;

use ::http::StatusCode;
use ::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::Serialize;
use serde_json::{Value, json};

use super::header::X_ACCEL_BUFFERING;
use super::{RequestHead, Response, UploadStatus};
use crate::error::{Error, ErrorKind};
use crate::timestamp::iso8601_extended;
use crate::units::{ByteCount, UnixMillis};

/// The events that one client has received, from which the next ones follow.
///
/// The ID of a `progress` event is the acknowledged offset. Other events append their name:
/// `1048576`, `1048576-succeeded`.
#[derive(Clone, Debug, Default)]
pub struct SseEncoder {
    reported: Option<ReportedStatus>,
    reported_expiry: [Option<UnixMillis>; 2],
    idle: Duration,
    finished: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ReportedStatus {
    durable: ByteCount,
    state: Option<&'static str>,
}

impl SseEncoder {
    /// The encoder for the request `head`. `Last-Event-ID` is the last event that the client has
    /// received.
    #[must_use]
    pub fn from_request(head: &RequestHead) -> Self {
        let mut encoder = Self::default();
        let Some(last) = head.header("last-event-id") else { return encoder };
        let (offset, name) = last.split_once('-').unwrap_or((last, ""));
        if let Ok(offset) = offset.parse() {
            encoder.reported = Some(ReportedStatus { durable: ByteCount(offset), state: None });
            encoder.finished = matches!(name, "succeeded" | "failed");
        }
        encoder
    }

    /// The head of the response. The status 204 prevents a client that has received the last event
    /// from reconnecting.
    #[must_use]
    pub fn response(&self) -> Response {
        if self.finished {
            return Response::empty(StatusCode::NO_CONTENT);
        }
        Response::empty(StatusCode::OK)
            .with_header(CONTENT_TYPE, "text/event-stream")
            .with_header(CACHE_CONTROL, "no-store")
            // nginx would buffer the events
            // (https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering).
            .with_header(X_ACCEL_BUFFERING, "no")
    }

    /// The start of the stream.
    #[must_use]
    pub fn preamble() -> String {
        format!("retry: {RECONNECT_MS}\n\n")
    }

    /// The text to send after `pause` without an event: a comment every 15 s, otherwise nothing.
    #[must_use]
    pub fn keep_alive(&mut self, pause: Duration) -> &'static str {
        self.idle += pause;
        if self.idle < COMMENT_INTERVAL {
            return "";
        }
        self.idle = Duration::ZERO;
        ": still here\n\n"
    }

    /// Returns true if the last event has been encoded.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.finished
    }

    /// The new events for `status` at `now`; may be empty. `credential_ends_at` is the expiry of a
    /// credential that only the upload's owner can replace.
    pub fn encode_status(
        &mut self,
        status: &UploadStatus,
        credential_ends_at: Option<UnixMillis>,
        now: UnixMillis,
    ) -> String {
        let mut events = String::new();
        let durable = status.durable();
        if self.finished {
            return events;
        }
        let status_to_report = ReportedStatus { durable, state: Some(status.state()) };
        // A reconnected client has already received this progress.
        let is_known = self.reported.is_some_and(|reported| {
            reported.durable == durable
                && reported.state.is_none_or(|state| state == status.state())
        });
        if !is_known {
            let progress = json!({
                "state": status.state(),
                "bytes_durable": durable.bytes(),
                "bytes_total": status.length().map(ByteCount::bytes),
            });
            write_event(&mut events, "progress", &durable.bytes().to_string(), &progress);
        }
        self.reported = Some(status_to_report);
        if status.is_completed() {
            self.end(&mut events, "succeeded", durable, &status.to_body());
        } else if status.has_ended() {
            self.end(&mut events, "failed", durable, &status.to_body());
        } else if status.expired {
            let error = Error::new(
                ErrorKind::UploadExpired,
                "the upload received no bytes before it expired",
            );
            self.end(&mut events, "failed", durable, &failure(&error));
        } else {
            let ends = [("upload", status.expires_at), ("credential", credential_ends_at)];
            for (place, (what, ends_at)) in ends.into_iter().enumerate() {
                self.write_expiring(&mut events, place, what, ends_at, durable, now);
            }
        }
        if !events.is_empty() {
            self.idle = Duration::ZERO;
        }
        events
    }

    /// The last event, for an upload whose records can no longer be read.
    pub fn encode_error(&mut self, error: &Error) -> String {
        let mut events = String::new();
        if !self.finished {
            let durable = self.reported.map_or(ByteCount::ZERO, |reported| reported.durable);
            self.end(&mut events, "failed", durable, &failure(error));
        }
        events
    }

    fn end(&mut self, events: &mut String, name: &str, durable: ByteCount, data: &impl Serialize) {
        write_event(events, name, &format!("{}-{name}", durable.bytes()), data);
        self.finished = true;
    }

    fn write_expiring(
        &mut self,
        events: &mut String,
        place: usize,
        what: &str,
        ends_at: Option<UnixMillis>,
        durable: ByteCount,
        now: UnixMillis,
    ) {
        let Some(ends_at) = ends_at.filter(|end| now + EXPIRING_MARGIN >= *end) else { return };
        let Some(reported) = self.reported_expiry.get_mut(place) else { return };
        if *reported == Some(ends_at) {
            return;
        }
        *reported = Some(ends_at);
        let id = format!("{}-expiring", durable.bytes());
        let event = json!({ "what": what, "ends_at": iso8601_extended(ends_at) });
        write_event(events, "expiring", &id, &event);
    }
}

fn failure(error: &Error) -> Value {
    json!({
        "state": "failed",
        "code": error.kind().code(),
        "detail": error.message(),
        "action": error.kind().action(),
    })
}

fn write_event(events: &mut String, name: &str, id: &str, data: &impl Serialize) {
    // JSON text contains no line breaks.
    let data = serde_json::to_string(data).unwrap_or_default();
    let _ = write!(events, "id: {id}\nevent: {name}\ndata: {data}\n\n");
}

/// Interval without an event after which a comment is sent: proxies close idle connections.
const COMMENT_INTERVAL: Duration = Duration::from_secs(15);

/// An `expiring` event is sent this long before the expiry.
const EXPIRING_MARGIN: Duration = Duration::from_secs(300);

/// Delay before a browser reconnects, in milliseconds.
const RECONNECT_MS: u32 = 2_000;

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;
