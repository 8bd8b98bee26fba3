//! The machine of one upload, driven against a store and a key-value store that live in memory:
//! a virtual clock, seeded or enumerated orders, faults, crashes and take-overs.

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
mod harness;
mod late_lengths;
mod lost_uploads;
mod misuse;
mod open_ends;
mod requests;
mod retries;
mod sizes;
mod streamed_parts;
mod takeovers;
mod writer_activity;
