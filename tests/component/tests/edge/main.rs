//! Tests of the built worker.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the test"
)]

mod abandoned;
mod bad_input;
mod checksums;
mod concatenation;
mod crash;
mod credentials;
mod cross_origin;
mod deferred_length;
mod disconnect;
mod events;
mod expiry;
mod fault_mixes;
mod faults;
mod file_names;
mod filepond;
mod forms;
mod ietf;
mod imports;
mod large;
mod lifecycle;
mod media_ownership;
mod permissions;
mod problems;
mod records;
mod refusals;
mod repr_digest;
mod size_limit;
mod sizes;
mod states;
mod streamed;
