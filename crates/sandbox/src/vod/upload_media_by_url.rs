//! UploadMediaByURL: jobs that download files. Nothing is downloaded: a test sets the status of
//! each job through the control API.
//!
//! <https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-uploadmediabyurl>

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::call::Call;
use super::error::VodError;
use super::parameters::extension;
use super::url_list;
use crate::credential::random_hex;
use crate::store::{UrlJob, UrlJobStatus};

pub(super) fn perform(call: &Call<'_>) -> Result<Value, VodError> {
    let parameters = &call.parameters;
    let urls = url_list::urls(call, "UploadURLs", MAX_URLS)?;
    let metadata = metadata(call, &urls)?;
    for url in &urls {
        let own = metadata.iter().find(|entry| entry["SourceURL"] == url.as_str());
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or_default();
        if own.is_none_or(|entry| !entry["FileExtension"].is_string()) {
            extension("UploadURLs", name)?;
        }
    }
    parameters.flag("EnableFirstFrameCover")?;
    parameters.flag("GenerateThumbnail")?;
    if let Some(session_id) = parameters.at_most("SessionId", 50)? {
        check_session(call, session_id)?;
    }
    let mut jobs = Vec::new();
    for url in urls {
        let job = UrlJob {
            id: random_hex(32),
            source_url: url,
            status: UrlJobStatus::Pending,
            media_id: None,
            file_size_bytes: None,
            error_code: None,
            error_message: None,
            parameters: parameters.media_parameters(),
            created: call.state.clock.now(),
            completed: None,
        };
        jobs.push(json!({ "JobId": job.id, "SourceURL": job.source_url }));
        call.state.store.put_url_job(job)?;
    }
    Ok(json!({ "UploadJobs": jobs }))
}

/// The entries of `UploadMetadatas`, each of which must be for a URL of this call.
fn metadata(call: &Call<'_>, urls: &[String]) -> Result<Vec<Value>, VodError> {
    let Some(text) = call.parameters.optional("UploadMetadatas") else {
        return Ok(Vec::new());
    };
    let invalid = |why: &str| VodError::invalid("UploadMetadatas", why);
    let entries: Vec<Value> =
        serde_json::from_str(text).map_err(|_| invalid("it is not a JSON array"))?;
    for entry in &entries {
        let own = entry["SourceURL"].as_str();
        if own.is_none_or(|own| !urls.iter().any(|url| url == own)) {
            return Err(invalid("a SourceURL is none of UploadURLs"));
        }
        match entry["Title"].as_str() {
            Some(title) if (1..=128).contains(&title.len()) => {}
            _ => return Err(invalid("a Title is not of 1 to 128 bytes")),
        }
        if entry["Description"].as_str().is_some_and(|text| text.len() > 1024) {
            return Err(invalid("a Description has more than 1024 bytes"));
        }
    }
    Ok(entries)
}

/// Checks that the `SessionId` was not used within the last 10 minutes.
fn check_session(call: &Call<'_>, session_id: &str) -> Result<(), VodError> {
    let now = call.state.clock.now();
    let repeated = call.state.store.url_jobs().iter().any(|job| {
        job.parameters.get("SessionId").is_some_and(|own| own == session_id)
            && now.duration_since(job.created) < SESSION_ID_TTL
    });
    if repeated {
        return Err(VodError::invalid("SessionId", "it was used in the last 10 minutes"));
    }
    Ok(())
}

const MAX_URLS: usize = 20;
const SESSION_ID_TTL: SignedDuration = SignedDuration::from_mins(10);
