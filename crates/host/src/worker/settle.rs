//! How an upload stands, and finding it out where its last writer did not say.

use std::time::Duration;

use vod_uploader::http::{Head, UploadStatus};
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{Claim, Outcome, Phase, Purpose, Role, UploadKey, UploadRecord};
use vod_uploader::{Error, ErrorKind, Result};

use super::{NO_SOURCE, Turn, Worker};
use crate::stop_sign::StopSign;
use crate::{clock, records};

/// A Complete that another request has sent may be under way this long before it is settled.
const COMPLETE_PATIENCE: Duration = Duration::from_secs(5);
const COMPLETE_POLL: Duration = Duration::from_millis(100);
const COMPLETE_POLLS_MAX: u32 = 50;

/// How often one request tries to find out how an upload ended.
const SETTLEMENTS_MAX: u32 = 3;

/// How many silent writers one request fences.
const FENCES_MAX: u32 = 4;

/// How long a writer that was asked to stop may take to store what it has: the answer is to be
/// there within 0.2 s.
const STOP_PATIENCE: Duration = Duration::from_millis(120);
const STOP_POLL: Duration = Duration::from_millis(10);

impl Worker {
    /// How the upload stands once nobody writes to it. A writer that is at work is asked to stop,
    /// and fenced where it does not: a client that asks for the offset has given its last request
    /// up, and continues from what it is told.
    pub(super) async fn stopped_status(
        &self,
        head: &Head,
        key: &UploadKey,
    ) -> Result<UploadStatus> {
        let mut status = self.present_status(key).await?;
        let joins = matches!(status.record.role, Role::Final { .. });
        if status.checkpoint.writing && status.checkpoint.phase == Phase::Receiving && !joins {
            StopSign::raise(&self.kv, key).await?;
            let asked_at = clock::now();
            // The polls bound the wait where the clock has gone back, too.
            let mut polls = 0;
            while status.checkpoint.writing
                && polls * STOP_POLL < STOP_PATIENCE
                && clock::now().since(asked_at) < STOP_PATIENCE
            {
                clock::sleep(STOP_POLL).await;
                polls += 1;
                status = self.present_status(key).await?;
            }
            if status.checkpoint.writing && status.checkpoint.phase == Phase::Receiving {
                self.fence(key).await?;
                status = self.present_status(key).await?;
            }
        }
        if status.checkpoint.phase == Phase::Completing {
            return self.settled_status(head, key).await;
        }
        Ok(status)
    }

    /// How the upload stands. One that may be completing is waited for a while, and then its end
    /// is found out: whoever touches it next settles it.
    pub(super) async fn settled_status(
        &self,
        head: &Head,
        key: &UploadKey,
    ) -> Result<UploadStatus> {
        let mut status = self.present_status(key).await?;
        let (mut polls, mut settlements) = (0, 0);
        while status.checkpoint.phase == Phase::Completing && settlements < SETTLEMENTS_MAX {
            let written_at = UnixMillis(status.checkpoint.written_at_ms);
            // The polls bound the wait where the clock has gone back, too.
            if polls < COMPLETE_POLLS_MAX && clock::now().since(written_at) < COMPLETE_PATIENCE {
                clock::sleep(COMPLETE_POLL).await;
                polls += 1;
            } else {
                self.settle(head, key, &status.record).await?;
                settlements += 1;
            }
            status = self.present_status(key).await?;
        }
        // With this answer in hand: of a partial upload nothing may be left after it.
        if settlements > 0 && status.is_completed() {
            self.after_completion(key, &status.record).await;
        }
        Ok(status)
    }

    /// How the upload stands now. A writer that took it over and then stopped without a word is
    /// fenced: nobody could tell what the one before it may still store.
    pub(super) async fn present_status(&self, key: &UploadKey) -> Result<UploadStatus> {
        for _ in 0..FENCES_MAX {
            let status = records::status(&self.kv, key, self.config.expire_after).await?;
            if let Some(status) = status {
                return Ok(status);
            }
            self.fence(key).await?;
        }
        Err(Error::new(ErrorKind::Busy, "the upload changes hands too fast to be read"))
    }

    /// Takes the upload over, so that nobody who wrote before can change it any more.
    async fn fence(&self, key: &UploadKey) -> Result<()> {
        let record = records::upload_record(&self.kv, key).await?;
        let outcome = self
            .take_turn(Turn {
                key,
                record: &record,
                claim: Claim::TakeOver,
                purpose: Purpose::Fence,
                credential: None,
                source: NO_SOURCE,
            })
            .await?;
        match outcome {
            Outcome::Failed { error, .. } if error.kind() != ErrorKind::TakenOver => Err(error),
            _ => Ok(()),
        }
    }

    async fn settle(&self, head: &Head, key: &UploadKey, record: &UploadRecord) -> Result<()> {
        let outcome = self
            .take_turn(Turn {
                key,
                record,
                claim: Claim::TakeOver,
                purpose: Purpose::Settle,
                credential: self.credential(head, key, record).await?,
                source: NO_SOURCE,
            })
            .await?;
        match outcome {
            Outcome::Failed { error, .. } if error.kind() != ErrorKind::TakenOver => Err(error),
            _ => Ok(()),
        }
    }
}
