//! A strict emulator of Alibaba Cloud OSS and ApsaraVideo VOD on a loopback port, for tests and for
//! development without an account.
//!
//! It rejects what the services reject: invalid signatures (V1 and V4, in header and query; RPC for
//! VOD), expired or mismatched tokens, dates more than 15 minutes off, wrong ETags and checksums,
//! parts out of order or too small. It shares no code with the uploader, so that an error in the
//! uploader is not masked by the same error here; `tests/interop` verifies it with the vendor's
//! clients.
//!
//! With requests below `/_sandbox/` a test injects faults, sets the clock, denies operations, and
//! inspects stored data and request counts. The README of this crate lists them.
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
