//! Lets VOD fetch files that are online already: one call to VOD each.

use vod_uploader::Result;
use vod_uploader::queue::{self, REGION_DEFAULT, StsToken};
use vod_uploader::vod::{
    Action, CancelUrlUploadJobs, CanceledUrlJobs, GetUrlUploadInfos, QueuedUrlJobs,
    UploadMediaByUrl, UrlUploadInfos,
};

use crate::clock;
use crate::retrying_client::RetryingClient;

/// With what VOD is called, and where; `None` stands for the default.
#[derive(Clone, Debug)]
pub struct Access {
    /// The token.
    pub token: StsToken,
    /// The region of the VOD service.
    pub region: Option<String>,
    /// The URL of the VOD service.
    pub vod_endpoint: Option<String>,
    /// Time for an answer: 100 ms to an hour.
    pub timeout_ms: Option<u64>,
    /// Retries of a call: 0 to 100.
    pub retry_count: Option<u32>,
}

/// Submits files to be fetched. A submission that VOD may have taken is not repeated, unless its
/// session id makes VOD notice.
///
/// # Errors
/// [`RequestInvalid`](vod_uploader::ErrorKind::RequestInvalid) with the field, and those
/// of [`Action::parse`].
pub async fn upload_media_by_url(
    access: &Access,
    submission: &UploadMediaByUrl<'_>,
) -> Result<QueuedUrlJobs> {
    call(access, submission).await
}

/// How jobs stand.
///
/// # Errors
/// As [`upload_media_by_url`].
pub async fn url_upload_infos(
    access: &Access,
    query: &GetUrlUploadInfos<'_>,
) -> Result<UrlUploadInfos> {
    call(access, query).await
}

/// Cancels jobs that have not begun.
///
/// # Errors
/// As [`upload_media_by_url`].
pub async fn cancel_url_upload_jobs(
    access: &Access,
    cancel: &CancelUrlUploadJobs<'_>,
) -> Result<CanceledUrlJobs> {
    call(access, cancel).await
}

async fn call<A: Action>(access: &Access, action: &A) -> Result<A::Output> {
    action.check()?;
    let region = access.region.as_deref().unwrap_or(REGION_DEFAULT);
    let endpoint = queue::vod_endpoint(region, access.vod_endpoint.as_deref())?;
    let client = RetryingClient {
        timeout: queue::timeout(access.timeout_ms)?,
        retry: queue::retry_policy(access.retry_count, None)?,
    };
    let token = access.token.clone().checked(clock::now())?;
    client.call_vod(&endpoint, &token.credential, action).await
}
