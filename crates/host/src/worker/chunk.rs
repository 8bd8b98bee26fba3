//! `PATCH /v1/files/{id}`: more bytes of an upload.

use vod_uploader::credential::UploadCredential;
use vod_uploader::http::{self, Chunk, Head, UploadStatus};
use vod_uploader::units::{ByteCount, UnixMillis};
use vod_uploader::upload::{
    CheckpointSearch, Claim, Outcome, Phase, Purpose, UploadKey, UploadRecord,
};
use vod_uploader::{Error, ErrorKind, Result};

use super::{Turn, Worker};
use crate::request_body::RequestBody;
use crate::source::Source;
use crate::{clock, records};

impl Worker {
    /// `PATCH /v1/files/{id}`.
    pub(crate) async fn chunk(
        &self,
        head: &Head,
        key: &UploadKey,
        body: RequestBody,
    ) -> Result<http::Response> {
        let chunk = match Chunk::parse(head) {
            Ok(chunk) => chunk,
            Err(error) => return Ok(http::chunk_ended(&error, None, "")),
        };
        let (status, search) = self.status_to_take_over(head, key).await?;
        let media_id = status.record.media_id.clone();
        let durable = status.durable();
        if let Some(error) = refusal(&status, chunk) {
            let durable = self.present_status(key).await?.durable();
            return Ok(http::chunk_ended(&error, Some(durable), &media_id));
        }
        if matches!(status.checkpoint.phase, Phase::Completed(_)) {
            return Ok(http::chunk_stored(durable, &media_id));
        }
        let record = status.record;
        let left = record.length().map(|length| length - chunk.offset);
        let outcome = self
            .take_turn(Turn {
                key,
                record: &record,
                claim: Claim::TakeOverFrom(Box::new(search)),
                purpose: Purpose::Receive {
                    offset: chunk.offset,
                    request_len: chunk.length,
                    end_completes: false,
                },
                credential: self.credential(head, key, &record).await?,
                source: Some(Source::new(body, chunk.length, left)),
            })
            .await?;
        Ok(match outcome {
            Outcome::Completed(object) => {
                http::chunk_stored(ByteCount(object.size_bytes), &media_id)
            }
            Outcome::Suspended { durable, refused: None } => http::chunk_stored(durable, &media_id),
            Outcome::Suspended { durable, refused: Some(error) } => {
                http::chunk_ended(&error, Some(durable), &media_id)
            }
            // A session that failed early knows no offset: the records do, if they can be read.
            Outcome::Failed { error, .. } => {
                let durable = self.present_status(key).await.ok().map(|status| status.durable());
                http::chunk_ended(&error, durable, &media_id)
            }
            Outcome::Lost(error) => http::chunk_ended(&error, None, &media_id),
            Outcome::Aborted => {
                let error = Error::new(ErrorKind::UploadAborted, "the upload was aborted");
                http::chunk_ended(&error, None, &media_id)
            }
        })
    }

    /// How the upload stands, for one who is about to take it over: that looks again, so the lease
    /// need not be compared here.
    async fn status_to_take_over(
        &self,
        head: &Head,
        key: &UploadKey,
    ) -> Result<(UploadStatus, CheckpointSearch)> {
        let mut search = records::search(&self.kv, key).await?;
        let record = records::upload_record(&self.kv, key).await?;
        let (_, mut checkpoint) = search.clone().finish()?;
        if checkpoint.phase == Phase::Completing {
            self.settled_status(head, key).await?;
            search = records::search(&self.kv, key).await?;
            checkpoint = search.clone().finish()?.1;
        }
        Ok((UploadStatus { record, checkpoint }, search))
    }

    /// The credential for a request to an existing upload: the client's, or the one that was kept.
    pub(super) async fn credential(
        &self,
        head: &Head,
        key: &UploadKey,
        record: &UploadRecord,
    ) -> Result<Option<UploadCredential>> {
        let source = self.credential_source(key, record);
        let Some(brought) = http::client_credential(head, None, clock::now())? else {
            return source.kept(&self.kv).await;
        };
        let same = brought.address.object == record.target.object
            && brought.address.bucket == record.target.bucket;
        if !same {
            let message = "the credential is for another object than this upload's";
            return Err(Error::new(ErrorKind::CredentialForOtherObject, message));
        }
        source.keep(&self.kv, &brought).await?;
        Ok(Some(brought))
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
        Ok(status)
    }

    /// How the upload stands now. A writer that took it over and then stopped without a word is
    /// fenced: nobody could tell what the one before it may still store.
    pub(super) async fn present_status(&self, key: &UploadKey) -> Result<UploadStatus> {
        for _ in 0..FENCES_MAX {
            if let Some(status) = records::status(&self.kv, key).await? {
                return Ok(status);
            }
            let record = records::upload_record(&self.kv, key).await?;
            let outcome = self
                .take_turn(Turn {
                    key,
                    record: &record,
                    claim: Claim::TakeOver,
                    purpose: Purpose::Fence,
                    credential: None,
                    source: None,
                })
                .await?;
            match outcome {
                Outcome::Failed { error, .. } if error.kind() != ErrorKind::TakenOver => {
                    return Err(error);
                }
                _ => {}
            }
        }
        Err(Error::new(ErrorKind::Busy, "the upload changes hands too fast to be read"))
    }

    async fn settle(&self, head: &Head, key: &UploadKey, record: &UploadRecord) -> Result<()> {
        let outcome = self
            .take_turn(Turn {
                key,
                record,
                claim: Claim::TakeOver,
                purpose: Purpose::Settle,
                credential: self.credential(head, key, record).await?,
                source: None,
            })
            .await?;
        match outcome {
            Outcome::Failed { error, .. } if error.kind() != ErrorKind::TakenOver => Err(error),
            _ => Ok(()),
        }
    }
}

/// A Complete that another request has sent may be under way this long before it is settled.
const COMPLETE_PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);
const COMPLETE_POLL: std::time::Duration = std::time::Duration::from_millis(100);
const COMPLETE_POLLS_MAX: u32 = 50;

/// How often one request tries to find out how an upload ended.
const SETTLEMENTS_MAX: u32 = 3;

/// How many silent writers one request fences.
const FENCES_MAX: u32 = 4;

/// Why a chunk is refused before anything is taken over.
fn refusal(status: &UploadStatus, chunk: Chunk) -> Option<Error> {
    let durable = status.durable();
    match &status.checkpoint.phase {
        Phase::Aborted => {
            return Some(Error::new(ErrorKind::UploadAborted, "the upload was aborted"));
        }
        Phase::Lost { code } => {
            let message = format!("the upload ended before with {code}");
            return Some(Error::new(ErrorKind::UploadLost, message));
        }
        Phase::Receiving | Phase::Completing | Phase::Completed(_) => {}
    }
    if chunk.offset != durable {
        let message = format!(
            "the request starts at {} and the upload is at {}",
            chunk.offset.bytes(),
            durable.bytes()
        );
        return Some(Error::new(ErrorKind::OffsetMismatch, message));
    }
    let left = status.record.length().map(|length| length - durable);
    match (left, chunk.length) {
        (Some(left), Some(length)) if length > left => {
            let message = format!("the request brings {length} and the upload takes {left} more");
            Some(Error::new(ErrorKind::LengthMismatch, message))
        }
        _ => None,
    }
}
