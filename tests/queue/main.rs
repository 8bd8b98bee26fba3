//! The list of files and the run of their uploads, in the world in memory of `crates/sim`: events,
//! credentials, states and calls, defects of the SDK that are not repeated, crashes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the test"
)]

mod actions;
mod checkpoints;
mod credentials;
mod event_queries;
mod fixture;
mod images;
mod order;
mod sdk_defects;
mod states_and_calls;
mod stopping;
mod tokens;
mod unread_events;
