//! The route and the protocol of a request.

mod content_check;
mod protocol;
mod route;

pub use content_check::check_content;
pub use protocol::Protocol;
pub use route::{Route, route};
