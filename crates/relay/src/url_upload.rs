//! Calls of UploadMediaByURL and its jobs, with the caller's token.

use vod_uploader::Result;
use vod_uploader::queue::{self, REGION_DEFAULT, StsToken};
use vod_uploader::vod::Action;

use crate::ports::Ports;
use crate::retrying_client::RetryingClient;

/// The VOD service, the token for it and the limits of a call. `None` selects the default.
#[derive(Clone, Debug)]
pub struct VodClientOptions {
    /// The token.
    pub token: StsToken,
    /// The region of the VOD service.
    pub region: Option<String>,
    /// The URL of the VOD service.
    pub vod_endpoint: Option<String>,
    /// Time limit of one attempt: 100 ms to an hour.
    pub timeout_ms: Option<u64>,
    /// Retries of a call: 0 to 100.
    pub retry_count: Option<u32>,
}

/// Sends `action` to VOD. An attempt that may have been processed is repeated only if
/// [`Action::can_repeat`] allows it.
///
/// # Errors
/// Returns [`RequestInvalid`](vod_uploader::ErrorKind::RequestInvalid) with the field's name if the
/// options or the action exceed a limit, and the errors of [`Action::parse`].
pub async fn call<A: Action>(
    ports: &Ports,
    options: &VodClientOptions,
    action: &A,
) -> Result<A::Output> {
    action.check()?;
    let region = options.region.as_deref().unwrap_or(REGION_DEFAULT);
    let endpoint = queue::vod_endpoint(region, options.vod_endpoint.as_deref())?;
    let client = RetryingClient {
        ports,
        timeout: queue::timeout(options.timeout_ms)?,
        retry: queue::retry_policy(options.retry_count, None)?,
    };
    let token = options.token.clone().checked(ports.clock.now())?;
    client.call_vod(&endpoint, &token.credential, action).await
}
