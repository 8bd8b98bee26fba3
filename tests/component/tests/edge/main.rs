//! The built worker, run as a user runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the test"
)]

mod crash;
mod credentials;
mod disconnect;
mod expiry;
mod fault_mixes;
mod faults;
mod imports;
mod large;
mod lifecycle;
mod permissions;
mod problems;
mod records;
mod sizes;
mod streamed;
