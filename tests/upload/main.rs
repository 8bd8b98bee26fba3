//! Upload sessions in the simulations of `crates/sim`: virtual time, seeded or enumerated orders,
//! faults, crashes and takeovers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the test"
)]

mod architecture;
mod atomic_requests;
mod checkpoints;
mod completion;
mod concatenation;
mod crashes;
mod credentials;
mod etag_pages;
mod failed_writes;
mod kept_open;
mod late_lengths;
mod lost_uploads;
mod misuse;

mod requests;
mod retries;
mod session_costs;
mod sizes;
mod streamed_parts;
mod takeovers;
mod writer_activity;
