//! A simulation in memory for the engine, for its tests alone: an object store, VOD, a key-value
//! store and an app, under a virtual clock, with seeded orders, faults, and a crash between any two
//! steps.
//!
//! [`Simulation`] drives a [`Queue`](vod_uploader::queue::Queue) step by step, by the contract of
//! that module, and after each step checks what must hold at every moment (see the module
//! `checker`). [`simulate`] runs a whole scenario_run from one seed: files, credentials that end,
//! stops, cancels, crashes and faults.
//!
//! The module [`relay`] runs the edge worker in the same models.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "for tests alone: a failed assumption fails the run"
)]

mod actions;
mod app;
mod checker;
mod content;
mod fault;
mod kv;
mod operation;
mod quiesce;
mod random;
pub mod relay;
mod reply;
mod scenario;
mod scenario_run;
mod session_input;
mod simulation;
mod store;
mod vod;

pub use app::{App, BadCredential, BadSource, Credentials};
pub use content::{Content, crc64};
pub use fault::{Fault, Faults};
pub use kv::Kv;
pub use operation::Operation;
pub use random::Random;
pub use scenario_run::{Report, narrate, simulate};
pub use session_input::Supply;
pub use simulation::{PlannedFile, START, Schedule, Simulation};
pub use store::{Answered, Store, Stored};
pub use vod::{Grant, Media, VOD_FAULTS, Vod};
