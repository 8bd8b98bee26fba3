//! The queue in the in-memory simulation of `crates/sim`: events, credentials, states and calls,
//! defects of the SDK that this engine does not have, and crashes.

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
