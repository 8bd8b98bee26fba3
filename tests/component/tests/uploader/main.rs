//! Tests of the built `uploader.wasm`, composed with an app.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the test"
)]

mod cancel;
mod contract;
mod crash;
mod events;
mod example;
mod expiry;
mod faults;
mod large_parts;
mod memory;
mod misuse;
mod queue;
mod stop;
mod support;
mod takeover;
mod url_uploads;
mod webhooks;
