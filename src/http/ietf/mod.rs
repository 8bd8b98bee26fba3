//! Resumable uploads for HTTP, the IETF draft
//! (<https://datatracker.ietf.org/doc/draft-ietf-httpbis-resumable-upload/>): the heads of its
//! requests and its answers, in the interop versions 3, 4, 5, 6 and 8.
//!
//! "The draft" without a number is its newest text (-11 and what follows it, interop 8). Where an
//! older text differs, [`InteropVersion`] says how. What this module cannot do is the interim
//! response 104: a component of `wasi:http@0.3.0` returns one response to a request, so a client
//! that wants to be able to resume creates its upload first, with `Upload-Complete: ?0` (§12.2
//! "Careful Upload Creation").

mod answer;
mod append;
mod creation;
mod length;
mod limits;
mod progress;
mod refusal;
mod version;

pub use answer::{appended, completed, created, described, offset, terminated};
pub use append::Append;
pub use creation::Creation;
pub use limits::Limits;
pub use progress::Progress;
pub use refusal::{Refusal, refused};
pub use version::InteropVersion;

/// The media type of a PATCH that appends ("Media Type `application/partial-upload`").
pub const PARTIAL_UPLOAD: &str = "application/partial-upload";

#[cfg(test)]
mod testing {
    use ::http::Method;

    use crate::http::RequestHead;

    pub(super) fn head(method: Method, headers: &[(&str, &str)]) -> RequestHead {
        RequestHead::new(method, "/v1/files", headers.iter().copied())
    }
}
