//! tus 1.0.0 with its extensions (<https://tus.io/protocols/resumable-upload>).

mod concat;
mod creation_request;
mod patch_request;
mod response;

pub use concat::{Concat, partial_upload_id};
pub use creation_request::CreationRequest;
pub use patch_request::PatchRequest;
pub use response::{
    creation_response, delete_response, error_response, head_response, options_response,
    patch_error_response, patch_response, unsupported_version,
};

use super::Response;
use super::header::TUS_RESUMABLE;

/// The supported version of the protocol.
pub const PROTOCOL_VERSION: &str = "1.0.0";

pub(super) fn with_version(response: Response) -> Response {
    response.with_header(TUS_RESUMABLE, PROTOCOL_VERSION)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
