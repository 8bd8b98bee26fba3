//! Simulations of the engine and the relay, for tests.
//!
//! A [`World`] has the models of everything that they use: virtual time, a key-value store, OSS,
//! VOD and an application server, with seeded orders and faults. Three hosts run in it, and can
//! crash between any two steps:
//!
//! - [`session`]: upload sessions, one writer or several of one upload;
//! - [`queue`]: the queue and an app;
//! - [`relay`]: instances of the relay and clients.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the run"
)]

pub mod queue;
pub mod relay;
pub mod session;
mod world;

pub use world::{
    AppServer, Clock, Content, Fault, Faults, Grant, KeyValueStore, Media, Operation, Random,
    Response, START, Schedule, Store, StoredObject, VOD_FAULTS, Vod, World, crc64,
};
