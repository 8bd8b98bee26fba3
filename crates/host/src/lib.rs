//! The driver: runs the sans-io engine on a WASI 0.3 host.
//!
//! The only crate that names the host's APIs: `wasi:http`, `wasi:clocks`, `wasi:random`,
//! `spin:key-value` and `spin:variables`. One file per port, one for the loop that drives a session
//! (`drive`), and one for each thing that a client can ask for.
//!
//! ```text
//! serve → worker (plain_put, chunk, status, …) → drive → session (engine)
//!                                                  ├→ store_client (outbound HTTP)
//!                                                  ├→ key_value
//!                                                  └→ source ← request_body (inbound HTTP)
//! ```

mod buffer_budget;
mod clock;
mod config;
mod credential_source;
mod drive;
mod key_value;
mod outbox;
mod random;
mod records;
mod request_body;
mod serve;
mod source;
mod store_client;
mod worker;

pub use serve::serve;
