//! Lets VOD fetch files that are online already: one call to VOD each.

use vod_uploader::oss::{Reply, Request};
use vod_uploader::queue::{self, REGION_DEFAULT, StsToken};
use vod_uploader::vod::{
    CancelUrlUploadJobs, CanceledUrlJobs, GetUrlUploadInfos, QueuedUrlJobs, RamKey,
    UploadMediaByUrl, UrlUploadInfos, VodEndpoint,
};
use vod_uploader::{ErrorKind, Result};

use crate::clock;
use crate::small_calls::{Attempt, Repeat, SmallCalls};

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
/// [`ErrorKind::RequestInvalid`] with the field, and those
/// of [`UploadMediaByUrl::parse`].
pub async fn upload_media_by_url(
    access: &Access,
    submission: &UploadMediaByUrl<'_>,
) -> Result<QueuedUrlJobs> {
    submission.check()?;
    let again = submission.session_id.is_some_and(|id| !id.is_empty());
    let repeat = if again { Repeat::Always } else { Repeat::UnlessTaken };
    let request = |endpoint: &VodEndpoint, key: &RamKey, attempt: &Attempt| {
        submission.request(endpoint, key, &attempt.nonce, attempt.signed_at)
    };
    call(access, repeat, request, |reply| submission.parse(reply)).await
}

/// How jobs stand.
///
/// # Errors
/// As [`upload_media_by_url`].
pub async fn url_upload_infos(
    access: &Access,
    query: &GetUrlUploadInfos<'_>,
) -> Result<UrlUploadInfos> {
    query.check()?;
    let request = |endpoint: &VodEndpoint, key: &RamKey, attempt: &Attempt| {
        query.request(endpoint, key, &attempt.nonce, attempt.signed_at)
    };
    call(access, Repeat::Always, request, |reply| query.parse(reply)).await
}

/// Cancels jobs that have not begun.
///
/// # Errors
/// As [`upload_media_by_url`].
pub async fn cancel_url_upload_jobs(
    access: &Access,
    cancel: &CancelUrlUploadJobs<'_>,
) -> Result<CanceledUrlJobs> {
    cancel.check()?;
    let request = |endpoint: &VodEndpoint, key: &RamKey, attempt: &Attempt| {
        cancel.request(endpoint, key, &attempt.nonce, attempt.signed_at)
    };
    call(access, Repeat::Always, request, |reply| cancel.parse(reply)).await
}

async fn call<T>(
    access: &Access,
    repeat: Repeat,
    request: impl Fn(&VodEndpoint, &RamKey, &Attempt) -> Request,
    parse: impl Fn(&Reply) -> Result<T>,
) -> Result<T> {
    let region = access.region.as_deref().unwrap_or(REGION_DEFAULT);
    let endpoint = queue::vod_endpoint(region, access.vod_endpoint.as_deref())?;
    let client = SmallCalls {
        timeout: queue::timeout(access.timeout_ms)?,
        retry: queue::retry_policy(access.retry_count, None)?,
        repeat,
        unavailable: ErrorKind::VodUnavailable,
    };
    let token = access.token.clone().checked(clock::now())?;
    client.call(|attempt| request(&endpoint, &token.credential, attempt), parse).await
}
