//! One VOD request.

use http::Method;

use super::parameters::Parameters;
use crate::state::SandboxState;

/// A VOD request, and what its handler needs.
pub(crate) struct Call<'a> {
    /// The state of the sandbox.
    pub(crate) state: &'a SandboxState,
    /// The method, which is part of the string to sign.
    pub(crate) method: &'a Method,
    /// The host as the caller reached it, port included.
    pub(crate) host: &'a str,
    /// The parameters of query and form.
    pub(crate) parameters: &'a Parameters,
}
