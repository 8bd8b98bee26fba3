//! Clearing away uploads that nobody has sent bytes to for too long.
//!
//! A worker has no time of its own: from time to time, the request that creates an upload looks
//! through the others after it has been answered.

use std::time::Duration;

use vod_uploader::Result;
use vod_uploader::http::{FilePondTransfer, UploadStatus};
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{MediaRecord, Phase, UploadKey};

use super::Worker;
use super::plain::is_settled;
use crate::{clock, life, records};

/// When somebody looked last, in milliseconds since the Unix epoch.
const LOOKED_KEY: &str = "sweep";

/// Uploads are looked through this often in their life, and no more often than every minute.
const LOOKS_A_LIFE: u32 = 24;
const LOOK_INTERVAL_MIN: Duration = Duration::from_secs(60);

/// One request clears away no more than this many.
const SWEPT_MAX: usize = 100;

impl Worker {
    /// Looks through all uploads where nobody has for long enough, and ends those that have
    /// expired. What fails is tried by the next one who looks.
    pub(crate) async fn sweep(&self) {
        let Some(life) = self.config.expire_after else { return };
        let interval = (life / LOOKS_A_LIFE).max(LOOK_INTERVAL_MIN).min(life);
        if matches!(self.is_due(interval).await, Ok(true)) {
            let _ = self.sweep_all().await;
        }
    }

    /// Whether somebody has to look. Two who do so at once do no harm.
    async fn is_due(&self, interval: Duration) -> Result<bool> {
        let now = clock::now();
        let looked = self.kv.get(LOOKED_KEY).await?;
        let looked = looked.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
        let looked_at = looked.map_or(UnixMillis(0), |bytes| UnixMillis(u64::from_le_bytes(bytes)));
        // A clock that was put back must not end the sweeping.
        if now.since(looked_at) < interval && looked_at <= now {
            return Ok(false);
        }
        self.kv.set(LOOKED_KEY, &now.0.to_le_bytes()).await?;
        Ok(true)
    }

    async fn sweep_all(&self) -> Result<()> {
        let mut swept = 0;
        for name in self.kv.keys().await? {
            let gone = if let Some(key) = UploadKey::of_upload_record(&name) {
                self.sweep_one(&key).await
            } else if let Some(key) = FilePondTransfer::key_of(&name) {
                self.sweep_transfer(&key).await
            } else if MediaRecord::is_name(&name) {
                self.sweep_media(&name).await
            } else {
                continue;
            };
            if gone.unwrap_or(false) {
                swept += 1;
            }
            if swept == SWEPT_MAX {
                break;
            }
        }
        Ok(())
    }

    /// Ends the upload where it has expired: its parts are dropped, its records forgotten. Returns
    /// whether it has.
    async fn sweep_one(&self, key: &UploadKey) -> Result<bool> {
        let expire_after = self.config.expire_after;
        let created_at = UnixMillis(records::upload_record(&self.kv, key).await?.created_at_ms);
        if expire_after.is_none_or(|life| clock::now() < created_at + life) {
            return Ok(false);
        }
        // A writer that died before its first word would keep the upload for ever: it is fenced.
        let status = self.present_status(key).await?;
        let UploadStatus { record, checkpoint, .. } = &status;
        let end = life::end(&self.kv, key, record, checkpoint, expire_after).await?;
        if end.is_none_or(|end| clock::now() < end) {
            return Ok(false);
        }
        match &status.checkpoint.phase {
            Phase::Receiving | Phase::Completing | Phase::Lost { .. } => {
                let credential = self.stored_credential(key, record).await?;
                // Without a credential the bucket's lifecycle rule takes the parts.
                let aborted = self.abort(key, record, credential).await;
                if !is_settled(&aborted) {
                    return aborted.map(|_| false);
                }
            }
            Phase::Completed(_) => {
                self.forget_completed(key, record).await?;
                return Ok(true);
            }
            Phase::Aborted => {}
        }
        records::forget(&self.kv, key).await?;
        Ok(true)
    }
}
