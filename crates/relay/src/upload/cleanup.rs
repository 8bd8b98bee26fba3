//! Deletes expired uploads.
//!
//! No timer triggers the cleanup: from time to time, a request that creates an upload cleans up
//! after its response.

use std::rc::Rc;
use std::time::Duration;

use vod_uploader::Result;
use vod_uploader::http::{FilePondTransfer, UploadStatus};
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{MediaRecord, SessionOutcome, UploadId, UploadPhase};

use super::abort::{abort, is_cleanup_done};
use super::credential::stored_credential;
use super::delete::delete_completed;
use super::records::{self, decode_instant, load_upload_record};
use super::status::current_status;
use super::{expiry, filepond_transfer, media_record};
use crate::instance::Instance;

/// When the last cleanup started, in milliseconds since the Unix epoch.
const LAST_CLEANUP_KEY: &str = "sweep";

/// Cleanups per TTL, and the shortest time between two.
const CLEANUPS_PER_TTL: u32 = 24;
const CLEANUP_INTERVAL_MIN: Duration = Duration::from_secs(60);

/// The largest number of uploads that one request cleans up.
const CLEANUP_BATCH_MAX: usize = 100;

/// Deletes expired uploads if a cleanup is due. The next cleanup retries what fails.
pub(crate) async fn clean_up_expired(instance: &Rc<Instance>) {
    let Some(ttl) = instance.config.expire_after else { return };
    let interval = (ttl / CLEANUPS_PER_TTL).max(CLEANUP_INTERVAL_MIN).min(ttl);
    if matches!(is_due(instance, interval).await, Ok(true)) {
        let _ = clean_up_all(instance).await;
    }
}

/// Returns true if a cleanup is due, and records that it starts. Concurrent cleanups are harmless.
async fn is_due(instance: &Instance, interval: Duration) -> Result<bool> {
    let now = instance.now();
    let last = instance.kv().get(LAST_CLEANUP_KEY).await?;
    let last_at = last.as_deref().and_then(decode_instant);
    // A clock that goes back must not prevent cleanups.
    if last_at.is_some_and(|last_at| now.since(last_at) < interval && last_at <= now) {
        return Ok(false);
    }
    instance.kv().set(LAST_CLEANUP_KEY, &now.0.to_le_bytes()).await?;
    Ok(true)
}

async fn clean_up_all(instance: &Rc<Instance>) -> Result<()> {
    let mut cleaned = 0;
    for name in instance.kv().keys().await? {
        let done = if let Some(id) = UploadId::from_record_key(&name) {
            clean_up(instance, &id).await
        } else if let Some(id) = FilePondTransfer::id_of(&name) {
            filepond_transfer::clean_up(instance, &id).await
        } else if MediaRecord::is_key(&name) {
            media_record::clean_up(instance, &name).await
        } else {
            continue;
        };
        if done.unwrap_or(false) {
            cleaned += 1;
        }
        if cleaned == CLEANUP_BATCH_MAX {
            break;
        }
    }
    Ok(())
}

/// Aborts the upload and deletes its records if it has expired. Returns whether it did.
async fn clean_up(instance: &Rc<Instance>, id: &UploadId) -> Result<bool> {
    let created_at = UnixMillis(load_upload_record(instance, id).await?.created_at_ms);
    let ttl = instance.config.expire_after;
    if ttl.is_none_or(|ttl| instance.now() < created_at + ttl) {
        return Ok(false);
    }
    // Fences a writer that stopped before it stored a checkpoint; otherwise the upload would never
    // expire.
    let status = current_status(instance, id).await?;
    let UploadStatus { record, checkpoint, .. } = &status;
    let expires_at = expiry::expires_at(instance, id, record, checkpoint).await?;
    if expires_at.is_none_or(|at| instance.now() < at) {
        return Ok(false);
    }
    match &checkpoint.phase {
        UploadPhase::Receiving | UploadPhase::Completing | UploadPhase::Lost { .. } => {
            let credential = stored_credential(instance, id, record).await?;
            // Without a credential, the bucket's lifecycle rule deletes the parts.
            let aborted = abort(instance, id, record, credential).await;
            if matches!(aborted, Ok(SessionOutcome::Completed(_))) {
                // The response to CompleteMultipartUpload was lost.
                delete_completed(instance, id, record).await?;
                return Ok(true);
            }
            if !is_cleanup_done(&aborted) {
                return aborted.map(|_| false);
            }
        }
        UploadPhase::Completed(_) => {
            delete_completed(instance, id, record).await?;
            return Ok(true);
        }
        UploadPhase::Aborted => {}
    }
    records::delete_records(instance, id).await?;
    Ok(true)
}
