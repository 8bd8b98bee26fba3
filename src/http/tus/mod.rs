//! tus 1.0.0 with its extensions (<https://tus.io/protocols/resumable-upload>).

mod answer;
mod chunk;
mod concat;
mod creation;

pub use answer::{
    chunk_ended, chunk_stored, discovered, offset, refused, resource_created, terminated,
    wrong_version,
};
pub use chunk::Chunk;
pub use concat::{Concat, partial_at};
pub use creation::Creation;

use super::Response;
use super::header::TUS_RESUMABLE;

/// The version of the protocol that is spoken.
pub const PROTOCOL_VERSION: &str = "1.0.0";

/// The Content-Type of a request that brings bytes.
const CHUNK_CONTENT_TYPE: &str = "application/offset+octet-stream";

fn with_version(response: Response) -> Response {
    response.with_header(TUS_RESUMABLE, PROTOCOL_VERSION)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
