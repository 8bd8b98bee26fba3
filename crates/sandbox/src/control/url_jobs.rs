//! Jobs that fetch online files: nothing is fetched, a test says how each of them ends.

use std::io;

use http::StatusCode;
use serde::Deserialize;

use super::response::{bad_request, changed, parse};
use crate::credential::random_hex;
use crate::http::{Reply, json as json_reply};
use crate::state::SandboxState;
use crate::store::{Media, MediaKind, UrlJob, UrlJobStatus};

/// All jobs, the oldest first.
pub(super) fn list(state: &SandboxState) -> Reply {
    json_reply(StatusCode::OK, &state.store.url_jobs())
}

/// Brings a job to a status. One that succeeds gets a video id.
pub(super) fn settle(state: &SandboxState, id: &str, body: &[u8]) -> Reply {
    match parse(body) {
        Ok(settled) => changed(change(state, id, settled), &format!("job {id}")),
        Err(why) => bad_request(&why),
    }
}

fn change(state: &SandboxState, id: &str, settled: Settled) -> io::Result<bool> {
    let Some(job) = state.store.url_job(id) else {
        return Ok(false);
    };
    let now = state.clock.now();
    let media_id = match settled.status {
        UrlJobStatus::Success => Some(create_media(state, &job)?),
        _ => None,
    };
    let is_end = !matches!(settled.status, UrlJobStatus::Pending | UrlJobStatus::Processing);
    state.store.put_url_job(UrlJob {
        status: settled.status,
        media_id,
        file_size_bytes: settled.file_size,
        error_code: settled.error_code,
        error_message: settled.error_message,
        completed: is_end.then_some(now),
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
struct Settled {
    status: UrlJobStatus,
    /// In bytes.
    #[serde(default)]
    file_size: Option<u64>,
    #[serde(default)]
    error_code: Option<String>,
    #[serde(default)]
    error_message: Option<String>,
}
