//! HTTP/1.1 (RFC 9112) by hand, one request a connection: bodies that stop half way, malformed
//! fields, trailers, and every interim response.

mod client;
mod exchange;
mod pending;
mod request;
mod response;

pub use self::client::Client;
pub use self::exchange::Exchange;
pub use self::pending::Pending;
pub use self::request::{Body, Request};
pub use self::response::{Head, Response};
