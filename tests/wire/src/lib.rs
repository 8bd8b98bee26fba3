//! The HTTP/1.1 client (RFC 9112) of the tests, the benchmarks and the demo: blocking, over a bare
//! socket.
//!
//! The caller controls every byte of a request. It can stop in the middle of a body, send malformed
//! headers and framing, leave a connection open, read interim responses, and reuse a connection.
//! HTTP libraries prevent most of that. [`tus`] and [`ietf`] contain the request headers of the two
//! resumable upload protocols.
//!
//! This crate depends on no other package of the workspace: a test that shared code with what it
//! tests would not find the errors in it.

pub mod ietf;
pub mod tus;

mod client;
mod connection;
mod head;
mod lines;
mod options;
mod request;
mod response;
mod socket;
mod transcript;

pub use self::client::Client;
pub use self::connection::{Connection, Exchange};
pub use self::head::Head;
pub use self::lines::Lines;
pub use self::request::{Framing, Headers, Request};
pub use self::response::Response;
pub use self::transcript::{Record, Transcript, contains};
