//! The capabilities that a server announces.

use vod_uploader_wire::Request;

use crate::case::CaseAbort;
use crate::setup::Setup;

/// The response to OPTIONS (section OPTIONS).
#[derive(Clone, Debug, Default)]
pub struct ServerCapabilities {
    /// `Tus-Extension`.
    pub extensions: Vec<String>,
    /// `Tus-Max-Size`, if it is a number.
    pub size_max_bytes: Option<u64>,
    /// `Tus-Checksum-Algorithm`.
    pub checksum_algorithms: Vec<String>,
}

impl ServerCapabilities {
    pub(super) fn request(setup: &Setup) -> Result<Self, CaseAbort> {
        let client = setup.client();
        let response = client.send(&Request::new("OPTIONS", setup.url.as_str()))?;
        let list = |name| response.header(name).map(list).unwrap_or_default();
        Ok(Self {
            extensions: list("Tus-Extension"),
            size_max_bytes: response.header("Tus-Max-Size").and_then(|value| value.parse().ok()),
            checksum_algorithms: list("Tus-Checksum-Algorithm"),
        })
    }
}

/// The members of a comma-separated list.
pub(super) fn list(value: &str) -> Vec<String> {
    value.split(',').map(|member| member.trim().to_owned()).collect()
}
