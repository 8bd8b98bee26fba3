//! One VOD request.

use http::Method;

use super::parameters::Parameters;
use crate::state::SandboxState;

/// A VOD request, and what its handler needs.
pub(crate) struct Call<'a> {
    /// The state of the sandbox.
    pub(crate) state: &'a SandboxState,
    /// The verb, which is part of what is signed.
    pub(crate) method: &'a Method,
    /// The host as the caller reached it, port included.
    pub(crate) host: &'a str,
    /// Query and form taken together.
    pub(crate) parameters: &'a Parameters,
}
