//! The driver: runs the sans-io engine on a WASI 0.3 host.
//!
//! The only crate that names the host's APIs: `wasi:http`, `wasi:clocks`, `wasi:random`,
//! `spin:key-value` and `spin:variables`. One file per port; a *lane* holds what one session of the
//! engine has at work, and two drivers use it: that of the worker, for one session (`drive`), and
//! that of an [`Uploader`], for a queue of them.
//!
//! ```text
//! serve → worker (tus, ietf, plain, form, …) → drive ────┐
//! Uploader → queue (engine) ← driver ───────────────────┴→ lane → outbox → store_client, key_value
//!                                                            └→ source ← request_body, or supply
//! ```

mod alarm;
mod buffer_budget;
mod byte_stream;
mod clock;
mod config;
mod credential_source;
mod drive;
mod fill;
mod form_body;
mod join_stream;
mod key_value;
mod lane;
mod life;
mod once;
mod outbox;
mod random;
mod records;
mod request_body;
mod retrying_client;
mod serve;
mod source;
mod stop_sign;
mod store_client;
mod tasks;
mod uploader;
pub mod url_upload;
mod worker;

pub use serve::serve;
pub use uploader::{Events, SupplyEnd, Uploader};
/// The engine, for those above the driver.
pub use vod_uploader as engine;
