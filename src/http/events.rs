//! `GET /v1/files/{id}/events`: an upload's progress as server-sent events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! Who follows an upload sees its records and not the writer: any instance can tell its progress.

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

/// A comment is sent after so long without an event: proxies cut off what is silent.
const COMMENT_INTERVAL: Duration = Duration::from_secs(15);

/// An `expiring` event is sent so long before the end.
const EXPIRING_MARGIN: Duration = Duration::from_secs(300);

/// After so long a browser connects again, in milliseconds.
const RECONNECT_MS: u32 = 2_000;

/// What one client has been told, and what it is told next.
///
/// An event's id is the acknowledged offset, and for other events than `progress` their name after
/// it: `1048576`, `1048576-succeeded`.
#[derive(Clone, Debug, Default)]
pub struct SseEncoder {
    told: Option<Told>,
    told_expiring: [Option<UnixMillis>; 2],
    silent: Duration,
    over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Told {
    durable: ByteCount,
    state: Option<&'static str>,
}

impl SseEncoder {
    /// The encoder that `head` asks for. `Last-Event-ID` names what the client has seen before.
    #[must_use]
    pub fn from_request(head: &RequestHead) -> Self {
        let mut encoder = Self::default();
        let Some(last) = head.header("last-event-id") else { return encoder };
        let (offset, name) = last.split_once('-').unwrap_or((last, ""));
        if let Ok(offset) = offset.parse() {
            encoder.told = Some(Told { durable: ByteCount(offset), state: None });
            encoder.over = matches!(name, "succeeded" | "failed");
        }
        encoder
    }

    /// The head of the answer. A client that has seen the last event is told with 204 to come no
    /// more.
    #[must_use]
    pub fn response(&self) -> Response {
        if self.over {
            return Response::empty(StatusCode::NO_CONTENT);
        }
        Response::empty(StatusCode::OK)
            .with_header(CONTENT_TYPE, "text/event-stream")
            .with_header(CACHE_CONTROL, "no-store")
            // nginx would hold the events back (https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering).
            .with_header(X_ACCEL_BUFFERING, "no")
    }

    /// What is sent first.
    #[must_use]
    pub fn preamble() -> String {
        format!("retry: {RECONNECT_MS}\n\n")
    }

    /// What is sent after `pause` without an event: a comment every 15 s, and otherwise nothing.
    #[must_use]
    pub fn keep_alive(&mut self, pause: Duration) -> &'static str {
        self.silent += pause;
        if self.silent < COMMENT_INTERVAL {
            return "";
        }
        self.silent = Duration::ZERO;
        ": still here\n\n"
    }

    /// True once the last event has been told.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.over
    }

    /// The events that are new with `status`, at the instant `now`; empty where none are.
    /// `credential_ends_at` is for an upload whose credential only its owner can replace.
    pub fn encode_status(
        &mut self,
        status: &UploadStatus,
        credential_ends_at: Option<UnixMillis>,
        now: UnixMillis,
    ) -> String {
        let mut events = String::new();
        let durable = status.durable();
        if self.over {
            return events;
        }
        let seen = Told { durable, state: Some(status.state()) };
        // What a client saw before it was cut off is not told again.
        let known = self.told.is_some_and(|told| {
            told.durable == durable && told.state.is_none_or(|state| state == status.state())
        });
        if !known {
            let progress = json!({
                "state": status.state(),
                "bytes_durable": durable.bytes(),
                "bytes_total": status.length().map(ByteCount::bytes),
            });
            write_event(&mut events, "progress", &durable.bytes().to_string(), &progress);
        }
        self.told = Some(seen);
        if status.is_completed() {
            self.end(&mut events, "succeeded", durable, &status.to_body());
        } else if status.has_ended() {
            self.end(&mut events, "failed", durable, &status.to_body());
        } else if status.expired {
            let error = Error::new(ErrorKind::UploadExpired, "the upload was left alone too long");
            self.end(&mut events, "failed", durable, &failure(&error));
        } else {
            let ends = [("upload", status.expires_at), ("credential", credential_ends_at)];
            for (place, (what, ends_at)) in ends.into_iter().enumerate() {
                self.tell_expiring(&mut events, place, what, ends_at, durable, now);
            }
        }
        if !events.is_empty() {
            self.silent = Duration::ZERO;
        }
        events
    }

    /// The last event, for an upload that cannot be read any more.
    pub fn encode_error(&mut self, error: &Error) -> String {
        let mut events = String::new();
        if !self.over {
            let durable = self.told.map_or(ByteCount::ZERO, |told| told.durable);
            self.end(&mut events, "failed", durable, &failure(error));
        }
        events
    }

    fn end(&mut self, events: &mut String, name: &str, durable: ByteCount, told: &impl Serialize) {
        write_event(events, name, &format!("{}-{name}", durable.bytes()), told);
        self.over = true;
    }

    fn tell_expiring(
        &mut self,
        events: &mut String,
        place: usize,
        what: &str,
        ends_at: Option<UnixMillis>,
        durable: ByteCount,
        now: UnixMillis,
    ) {
        let Some(ends_at) = ends_at.filter(|end| now + EXPIRING_MARGIN >= *end) else { return };
        let Some(told) = self.told_expiring.get_mut(place) else { return };
        if *told == Some(ends_at) {
            return;
        }
        *told = Some(ends_at);
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

fn write_event(events: &mut String, name: &str, id: &str, told: &impl Serialize) {
    // JSON has no line breaks outside of its strings, and none in them.
    let told = serde_json::to_string(told).unwrap_or_default();
    let _ = write!(events, "id: {id}\nevent: {name}\ndata: {told}\n\n");
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;
