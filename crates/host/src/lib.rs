//! Implements the relay's ports on the APIs of a WASI 0.3 host.
//!
//! Only this crate uses `wasi:http`, `wasi:clocks`, `wasi:random`, `spin:key-value` and
//! `spin:variables`. It has one file per port, the handler of the edge worker ([`serve`]), and the
//! driver of the engine's queue ([`Uploader`]), whose wake-ups depend on the component model.

mod body;
mod clock;
mod http_client;
mod instance;
mod key_value;
mod log;
mod random;
mod serve;
mod spawn;
mod uploader;
mod variables;

pub use instance::ports;
pub use serve::serve;
pub use uploader::{Events, SupplyEnd, Uploader};
/// The engine, for the components above.
pub use vod_uploader as engine;
/// Calls of UploadMediaByURL and its jobs.
pub use vod_uploader_relay::url_upload;
