//! Resumable uploads for HTTP, the IETF draft
//! (<https://datatracker.ietf.org/doc/draft-ietf-httpbis-resumable-upload/>): the heads of its
//! requests and its responses, in the interop versions 3 to 10.
//!
//! "The draft" without a number is its newest text (-13, interop 10). [`InteropVersion`]
//! describes the differences of older texts. The interim response 104 is not supported: a component
//! of `wasi:http@0.3.0` returns one response to a request. A client that needs to resume creates
//! its upload first, with `Upload-Complete: ?0` (§12.2 "Careful Upload Creation").

mod append_request;
mod bodiless_request;
mod creation_request;
mod error_response;
mod length;
mod limits;
mod offset_state;
mod response;
mod version;

pub use append_request::AppendRequest;
pub use bodiless_request::check_bodiless;
pub use creation_request::CreationRequest;
pub use error_response::{ErrorContext, error_response};
pub use limits::Limits;
pub use offset_state::OffsetState;
pub use response::{
    append_response, completion_response, creation_response, delete_response, head_response,
    with_status_headers,
};
pub use version::InteropVersion;

#[cfg(test)]
mod testing {
    use ::http::Method;

    use crate::http::RequestHead;

    pub(super) fn head(method: Method, headers: &[(&str, &str)]) -> RequestHead {
        RequestHead::new(method, "/v1/files", headers.iter().copied())
    }
}
