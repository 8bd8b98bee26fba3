//! Simulations of upload sessions: writers of one upload in a [`World`](crate::World).
//!
//! [`Simulation`] drives each [`Session`](vod_uploader::upload::Session) step by step, by the
//! contract of its module: several writers at the same time, requests of clients, crashes, and
//! calls that take effect after their writer has crashed. The module `checker` checks the
//! invariants after each step.

mod checker;
mod client_request;
mod operation;
mod records;
mod simulation;
mod source;
mod writer;

pub use client_request::ClientRequest;
pub use records::{OBJECT, upload_id};
pub use simulation::{LateWrites, RefreshResult, Simulation};
pub use source::Readback;
pub use writer::{Writer, WriterId};
