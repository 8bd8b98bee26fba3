//! Lists in one parameter: comma-separated IDs, and URLs that are encoded separately.

use super::call::Call;
use super::error::VodError;
use crate::encoding::{percent_decode, percent_encode};
use crate::store::UrlJob;

/// The URLs of a parameter, decoded.
///
/// VOD decodes each of them in addition to the form. One that is not encoded would result in
/// another URL, or in two, so it is rejected.
pub(super) fn urls(call: &Call<'_>, name: &str, max: usize) -> Result<Vec<String>, VodError> {
    let listed = ids(call, name, max)?;
    listed.into_iter().map(|url| decoded(name, &url)).collect()
}

/// The jobs of a call, and the IDs or URLs without a job. `JobIds` takes precedence.
pub(super) fn jobs(
    call: &Call<'_>,
    urls_name: &str,
) -> Result<(Vec<UrlJob>, Vec<String>), VodError> {
    let all = call.state.store.url_jobs();
    let by_id = call.parameters.optional("JobIds").is_some();
    let requested = match by_id {
        true => ids(call, "JobIds", MAX_JOBS)?,
        false => urls(call, urls_name, MAX_JOBS)?,
    };
    let is = |job: &UrlJob, requested: &str| {
        if by_id { job.id == requested } else { job.source_url == requested }
    };
    let (found, unknown): (Vec<_>, Vec<_>) =
        requested.into_iter().partition(|requested| all.iter().any(|job| is(job, requested)));
    let jobs = all.into_iter().filter(|job| found.iter().any(|requested| is(job, requested)));
    Ok((jobs.collect(), unknown))
}

fn ids(call: &Call<'_>, name: &str, max: usize) -> Result<Vec<String>, VodError> {
    let listed: Vec<_> = call.parameters.required(name)?.split(',').map(str::to_owned).collect();
    if listed.len() > max {
        return Err(VodError::invalid(name, &format!("it has more than {max}")));
    }
    if listed.iter().any(String::is_empty) {
        return Err(VodError::invalid(name, "one of them is empty"));
    }
    Ok(listed)
}

fn decoded(name: &str, url: &str) -> Result<String, VodError> {
    percent_decode(url)
        .filter(|decoded| percent_encode(decoded) == url)
        .filter(|decoded| decoded.starts_with("http://") || decoded.starts_with("https://"))
        .ok_or_else(|| VodError::invalid(name, "one of them is not a URL that is URL-encoded"))
}

const MAX_JOBS: usize = 10;
