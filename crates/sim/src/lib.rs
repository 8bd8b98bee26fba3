//! A world in memory for the engine, for its tests alone: an object store, VOD, a key-value store
//! and an app, under a virtual clock, with seeded orders, faults, and a crash between any two
//! steps.
//!
//! [`World`] drives a [`Queue`](vod_uploader::queue::Queue) step by step, by the contract of that
//! module, and after each step checks what must hold at every moment (see the module `audit`).
//! [`simulate`] runs a whole story from one seed: files, credentials that end, stops, cancels,
//! crashes and faults.
//!
//! The module [`relay`] runs the edge worker in the same models.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "for tests alone: a failed assumption fails the run"
)]

mod acts;
mod app;
mod audit;
mod content;
mod ending;
mod fault;
mod kv;
mod lane;
mod operation;
mod random;
pub mod relay;
mod reply;
mod setting;
mod store;
mod story;
mod vod;
mod world;

pub use app::{App, BadCredential, BadSource, Credentials};
pub use content::{Content, crc64};
pub use fault::{Fault, Faults};
pub use kv::Kv;
pub use lane::Supply;
pub use operation::Operation;
pub use random::Random;
pub use store::{Answered, Store, Stored};
pub use story::{Report, narrate, simulate};
pub use vod::{Grant, Media, VOD_FAULTS, Vod};
pub use world::{Order, PlannedFile, START, World};
