//! The harness of the component tests: it starts the sandbox and the local host with the built
//! `edge.wasm`, or with an app composed with `uploader.wasm`, sends requests to both, and computes
//! the expected results.
//!
//! Nothing here is linked with the code under test: checksums, signatures and the tus protocol are
//! implemented from their specifications.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the test"
)]

pub mod app_host;
pub mod app_server;
pub mod application;
pub mod binaries;
pub mod body;
pub mod checksum;
pub mod conversation;
pub mod edge;
pub mod events;
pub mod fault_case;
pub mod host;
pub mod ietf;
pub mod imports;
pub mod key_value;
pub mod process;
pub mod random;
pub mod sandbox;
pub mod source;
pub mod tus;
pub mod vod;
pub mod wait;
