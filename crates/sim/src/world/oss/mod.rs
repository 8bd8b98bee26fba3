//! OSS.

mod operation;
mod reply;
mod store;

pub use operation::Operation;
pub(crate) use operation::query;
pub use store::{Response, Store, StoredObject};
