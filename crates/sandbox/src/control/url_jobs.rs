//! The jobs of UploadMediaByURL. Nothing is fetched: a test sets the status of each job.

use std::io;

use http::StatusCode;
use serde::Deserialize;

use super::response::{bad_request, changed, parse};
use crate::credential::random_hex;
use crate::http::{Response, json as json_response};
use crate::state::SandboxState;
use crate::store::{Media, MediaKind, UrlJob, UrlJobStatus};

/// All jobs, oldest first.
pub(super) fn list(state: &SandboxState) -> Response {
    json_response(StatusCode::OK, &state.store.url_jobs())
}

/// Sets the status of a job. A successful one gets a video ID.
pub(super) fn finish_job(state: &SandboxState, id: &str, body: &[u8]) -> Response {
    match parse(body) {
        Ok(outcome) => changed(change(state, id, outcome), &format!("job {id}")),
        Err(why) => bad_request(&why),
    }
}

fn change(state: &SandboxState, id: &str, outcome: JobOutcome) -> io::Result<bool> {
    let Some(job) = state.store.url_job(id) else {
        return Ok(false);
    };
    let now = state.clock.now();
    let media_id = match outcome.status {
        UrlJobStatus::Success => Some(create_media(state, &job)?),
        _ => None,
    };
    let is_finished = !matches!(outcome.status, UrlJobStatus::Pending | UrlJobStatus::Processing);
    state.store.put_url_job(UrlJob {
        status: outcome.status,
        media_id,
        file_size_bytes: outcome.file_size,
        error_code: outcome.error_code,
        error_message: outcome.error_message,
        completed: is_finished.then_some(now),
        ..job
    })?;
    Ok(true)
}

fn create_media(state: &SandboxState, job: &UrlJob) -> io::Result<String> {
    let id = random_hex(32);
    state.store.put_media(Media {
        id: id.clone(),
        kind: MediaKind::Video,
        bucket: state.vod_bucket().to_owned(),
        key: format!("sv/{}-{id}/{id}.mp4", random_hex(8)),
        parameters: job.parameters.clone(),
        created: state.clock.now(),
    })?;
    Ok(id)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JobOutcome {
    status: UrlJobStatus,
    /// In bytes.
    #[serde(default)]
    file_size: Option<u64>,
    #[serde(default)]
    error_code: Option<String>,
    #[serde(default)]
    error_message: Option<String>,
}
