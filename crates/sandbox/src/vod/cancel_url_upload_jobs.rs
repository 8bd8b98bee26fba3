//! CancelUrlUploadJobs: cancels jobs that have not started.
//!
//! <https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-cancelurluploadjobs>

use serde_json::{Value, json};

use super::call::Call;
use super::error::VodError;
use super::url_list;
use crate::store::{UrlJob, UrlJobStatus};

pub(super) fn perform(call: &Call<'_>) -> Result<Value, VodError> {
    let (jobs, unknown) = url_list::jobs(call, "UploadUrls")?;
    let mut canceled = Vec::new();
    for job in jobs.into_iter().filter(|job| job.status == UrlJobStatus::Pending) {
        canceled.push(job.id.clone());
        let completed = Some(call.state.clock.now());
        call.state.store.put_url_job(UrlJob {
            status: UrlJobStatus::Canceled,
            completed,
            ..job
        })?;
    }
    Ok(json!({ "CanceledJobs": canceled, "NonExists": unknown }))
}
