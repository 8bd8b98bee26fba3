//! Asking for an upload's offset and state, and ending it.

use vod_uploader::http::{self, Head};
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{Claim, Outcome, Phase, Purpose, UploadKey};
use vod_uploader::{Error, ErrorKind, Result};

use super::{Turn, Worker};
use crate::{clock, records};

impl Worker {
    /// `HEAD /v1/files/{id}`.
    pub(crate) async fn offset(&self, head: &Head, key: &UploadKey) -> Result<http::Response> {
        let status = self.settled_status(head, key).await?;
        Ok(match &status.checkpoint.phase {
            Phase::Aborted => gone(ErrorKind::UploadAborted, "the upload was aborted"),
            Phase::Lost { code } => {
                gone(ErrorKind::UploadLost, &format!("the upload ended with {code}"))
            }
            _ => http::offset(&status),
        })
    }

    /// `GET /v1/files/{id}`. One who only looks takes nothing over from a writer that may still wait
    /// for its Complete; where the end cannot be found out now, the state says so.
    pub(crate) async fn status(&self, head: &Head, key: &UploadKey) -> Result<http::Response> {
        let mut status = self.present_status(key).await?;
        let written_at = UnixMillis(status.checkpoint.written_at_ms);
        let completing = status.checkpoint.phase == Phase::Completing;
        if completing && clock::now().since(written_at) > self.complete_timeout() {
            status = self.settled_status(head, key).await.unwrap_or(status);
        }
        Ok(status.response())
    }

    /// `DELETE /v1/files/{id}`: drops the parts of an open upload; of one that has ended, the
    /// records alone, since the object is VOD's.
    pub(crate) async fn terminate(&self, head: &Head, key: &UploadKey) -> Result<http::Response> {
        let status = self.settled_status(head, key).await?;
        let open = matches!(status.checkpoint.phase, Phase::Receiving | Phase::Lost { .. });
        if !open {
            records::forget(&self.kv, key).await?;
            return Ok(http::terminated());
        }
        let record = status.record;
        let outcome = self
            .take_turn(Turn {
                key,
                record: &record,
                claim: Claim::TakeOver,
                purpose: Purpose::Abort,
                credential: self.credential(head, key, &record).await?,
                source: None,
            })
            .await?;
        match outcome {
            Outcome::Failed { error, .. } => Err(error),
            _ => Ok(http::terminated()),
        }
    }
}

fn gone(kind: ErrorKind, message: &str) -> http::Response {
    http::chunk_ended(&Error::new(kind, message), None, "")
}
