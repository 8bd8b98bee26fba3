//! The HTTP interface of the relay, over ports in memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the test"
)]

mod concatenation;
mod content;
mod expiry;
mod filepond;
mod forms;
mod ietf;
mod maintenance;
mod pages;
mod places;
mod refusals;
mod single_requests;
mod slow_clients;
mod status;
mod stores;
mod support;
mod tus;
