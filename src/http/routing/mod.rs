//! The route and the protocol of a request.

mod protocol;
mod route;

pub use protocol::Protocol;
pub use route::{Route, route};
