//! VOD's event notifications over HTTP: verification and parsing, as pure functions.
//!
//! VOD signs the callback URL and the time with the account's authentication key, but not the body
//! (<https://www.alibabacloud.com/help/en/vod/developer-reference/http-callback-authentication>).
//! An attacker who observes a notification can send another body with its signature until the
//! tolerance has elapsed. Therefore serve the callback only over HTTPS, and query VOD before any
//! irreversible action.
//!
//! VOD expects the status 200 and sends an event up to three times, so the same event may arrive
//! more than once.

mod callback;
mod event;
mod event_time;
mod lenient_json;

pub use callback::{Callback, TIMESTAMP_TOLERANCE_DEFAULT};
pub use event::{Event, EventStatus, EventType};
