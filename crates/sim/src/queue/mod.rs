//! Simulations of the queue: a [`Queue`](vod_uploader::queue::Queue) in a
//! [`World`](crate::World), and an app that uses it.
//!
//! [`Simulation`] drives the queue step by step, by the contract of its module, and checks the
//! invariants after each step (see the module `checker`). [`run_seed`] runs a scenario that follows
//! from a seed: files, credentials that expire, stops, cancels, crashes and faults.

mod actions;
mod app;
mod calls;
mod checker;
mod in_flight;
mod scenario;
mod scenario_files;
mod scenario_run;
mod session_input;
mod simulation;

pub use app::{App, BadCredential, BadSource, Credentials};
pub use calls::PlannedFile;
pub use scenario_run::{Report, run_seed, trace_seed};
pub use session_input::Supply;
pub use simulation::Simulation;
