//! The harness of the component tests: it starts the sandbox and the local host with the built
//! `edge.wasm`, or with an app that `uploader.wasm` is plugged into, speaks HTTP to both, and
//! computes what must come out on its own.
//!
//! Nothing here is linked with what is under test: checksums, signatures and the tus protocol are
//! spoken from their specifications.

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
