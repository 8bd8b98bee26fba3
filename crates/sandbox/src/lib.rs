//! A strict stand-in for Alibaba Cloud OSS and ApsaraVideo VOD on a loopback port, for tests and
//! for trying things out without an account.
//!
//! It refuses what the services refuse: wrong signatures (V1 and V4, in header and query; RPC for
//! VOD), expired or foreign tokens, dates more than 15 minutes off, wrong ETags and checksums,
//! parts out of order or too small. It shares no code with the uploader, so that agreement of the
//! two means something; `tests/interop` holds it against the vendor's own clients.
//!
//! Under `/_sandbox/` a test plants faults, moves the clock, takes rights away, and looks at what
//! arrived. The README of this crate lists it all.
//!
//! ```no_run
//! # async fn example() -> Result<(), vod_uploader_sandbox::StartError> {
//! use vod_uploader_sandbox::{Sandbox, SandboxConfig};
//!
//! let sandbox = Sandbox::start(SandboxConfig::in_dir("target/sandbox")).await?;
//! println!("OSS and VOD at {}", sandbox.origin());
//! sandbox.stop().await;
//! # Ok(())
//! # }
//! ```

mod clock;
mod config;
mod control;
mod counters;
mod credential;
mod encoding;
mod fault;
mod fault_effects;
mod http;
mod oss;
mod server;
mod service;
mod sign;
mod state;
mod store;
mod vod;

pub use config::SandboxConfig;
pub use counters::OperationCount;
pub use fault::{Fault, FaultKind, FaultReport};
pub use server::{Sandbox, StartError};
