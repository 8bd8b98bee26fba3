//! VOD's event notifications over HTTP: is one genuine, and what does it say. Pure functions over
//! what a request brought.
//!
//! VOD signs the address of the callback and the time with the account's authentication key, and
//! not the body
//! (<https://www.alibabacloud.com/help/en/vod/developer-reference/http-callback-authentication>).
//! Somebody who has seen one notification on its way can therefore send another body under its
//! signature for as long as the tolerance allows: serve the callback over HTTPS alone, and ask VOD
//! before anything is done that could not be undone.
//!
//! VOD expects the status 200 and tries three times in all, so that the same event may come more
//! than once.

mod callback;
mod event;
mod event_time;
mod lenient_json;

pub use callback::{Callback, TIMESTAMP_TOLERANCE_DEFAULT};
pub use event::{Event, EventStatus, EventType};
