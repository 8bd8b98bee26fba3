//! Simulations of the relay: instances over one [`World`](crate::World), clients, faults and
//! crashes.
//!
//! Every operation of a port takes effect some time after it starts, and its result arrives some
//! time after that. Both are crash points: [`Setting::crash_at`] selects one. [`storm`] derives
//! everything from one seed. After every step, the `checker` compares what was written, stored and
//! returned with the invariants. At the end, every client has completed and every other upload has
//! expired, and nothing is left except the [`KnownException`]s.

mod body;
mod checker;
mod cleanup;
mod client;
#[cfg(test)]
mod costs;
mod environment;
mod known_exceptions;
mod message;
mod parallel;
mod ports;
#[cfg(test)]
mod requests;
mod run;
mod scenario;
mod scripts;
mod sent;
mod setting;
mod simulation;
mod variables;
#[cfg(test)]
mod violations;
#[cfg(test)]
mod writer_requests;

pub use checker::EndCause;
pub use known_exceptions::KnownException;
pub use parallel::{Summary, run_all};
pub use run::{RunReport, run};
pub use scenario::{BASE_SCENARIOS, Scenario, expiry_storm, storm};
pub use scripts::{Script, TusOptions};
pub use setting::{OperationFault, Orphans, Rates, Setting};
