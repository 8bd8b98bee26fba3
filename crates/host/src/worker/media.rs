//! Media that the worker issues: which of them a new upload may continue.
//!
//! A media id is public, so a client proves with a token that the worker issued the media for it.
//! A record exists for each issued media until the media is complete, and names its newest upload: a
//! complete media, whose object is published, is never overwritten.

use std::time::Duration;

use vod_uploader::credential::MediaTokenKey;
use vod_uploader::http::{self, MediaClaim, media_not_owned};
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{MediaRecord, Outcome, Phase, UploadKey, UploadRecord};
use vod_uploader::{ErrorKind, Result};

use super::Worker;
use super::plain::is_settled;
use crate::clock;

/// The media that a new upload continues.
pub(super) enum Continued {
    /// Named by this request, which has to prove that its client owns it.
    Claimed(MediaClaim),
    /// Named by an earlier request, which has proved it.
    Verified(String),
}

impl Continued {
    pub(super) fn media_id(&self) -> &str {
        match self {
            Self::Claimed(claim) => &claim.media_id,
            Self::Verified(media_id) => media_id,
        }
    }
}

impl Worker {
    /// Checks that a new upload may continue `media`, and ends the upload that the media has.
    ///
    /// # Errors
    /// [`ErrorKind::MediaNotOwned`] unless the client owns the media, this worker issued it and it
    /// was never complete.
    pub(super) async fn continue_media(&self, media: &Continued) -> Result<()> {
        if let Continued::Claimed(claim) = media {
            self.verify_claim(claim).await?;
        }
        let media_id = media.media_id();
        let record = self.media_record(media_id).await?.ok_or_else(media_not_owned)?;
        let Some(previous) = record.upload() else { return Ok(()) };
        if self.end_previous(&previous).await? {
            return Ok(());
        }
        self.kv.delete(&MediaRecord::name(media_id)).await?;
        Err(media_not_owned())
    }

    /// Checks what can be checked before the upload is created: the token, and the record.
    pub(super) async fn verify_claim(&self, claim: &MediaClaim) -> Result<()> {
        claim.verify(self.token_key().as_ref(), clock::now())?;
        match self.media_record(&claim.media_id).await? {
            Some(_) => Ok(()),
            None => Err(media_not_owned()),
        }
    }

    /// Records that `key` is the newest upload of the media that `record` names, if the worker
    /// issued it.
    pub(super) async fn record_media(&self, key: &UploadKey, record: &UploadRecord) -> Result<()> {
        if self.config.seal_key.is_none() || !record.minted {
            return Ok(());
        }
        let expires_at_ms = self.token_expiry(record).0;
        let media = MediaRecord { upload: key.as_str().to_owned(), expires_at_ms };
        self.kv.set(&MediaRecord::name(&record.media_id), &media.encode()?).await
    }

    /// Records that the media is complete: no upload may continue it.
    pub(super) async fn close_media(&self, record: &UploadRecord) -> Result<()> {
        if !record.minted {
            return Ok(());
        }
        self.kv.delete(&MediaRecord::name(&record.media_id)).await
    }

    /// The token with which the client can continue the media of a new upload.
    pub(super) fn media_token(&self, record: &UploadRecord) -> Option<String> {
        let key = self.token_key().filter(|_| record.minted)?;
        Some(key.issue(&record.media_id, self.token_expiry(record)))
    }

    /// `response` with the media's token, if there is one.
    pub(super) fn with_token(
        &self,
        response: http::Response,
        record: &UploadRecord,
    ) -> http::Response {
        match self.media_token(record) {
            Some(token) => response.with_header(http::ISSUED_TOKEN_HEADER, token),
            None => response,
        }
    }

    /// Deletes the media record called `name` if its token has expired, and returns whether it did.
    pub(super) async fn sweep_media(&self, name: &str) -> Result<bool> {
        let Some(bytes) = self.kv.get(name).await? else { return Ok(false) };
        let expired = clock::now() >= UnixMillis(MediaRecord::decode(&bytes)?.expires_at_ms);
        if expired {
            self.kv.delete(name).await?;
        }
        Ok(expired)
    }

    /// Ends the upload that the media has, so that only the new one can write its object. Returns
    /// false if that upload is complete.
    async fn end_previous(&self, key: &UploadKey) -> Result<bool> {
        let status = match self.present_status(key).await {
            Err(error) if error.kind() == ErrorKind::UploadNotFound => return Ok(true),
            status => status?,
        };
        match status.checkpoint.phase {
            Phase::Completed(_) => Ok(false),
            Phase::Aborted => Ok(true),
            Phase::Receiving | Phase::Completing | Phase::Lost { .. } => {
                let credential = self.stored_credential(key, &status.record).await?;
                let ended = self.abort(key, &status.record, credential).await;
                if is_settled(&ended) {
                    return Ok(!matches!(ended, Ok(Outcome::Completed(_))));
                }
                ended.map(|_| false)
            }
        }
    }

    async fn media_record(&self, media_id: &str) -> Result<Option<MediaRecord>> {
        let bytes = self.kv.get(&MediaRecord::name(media_id)).await?;
        bytes.map(|bytes| MediaRecord::decode(&bytes)).transpose()
    }

    fn token_key(&self) -> Option<MediaTokenKey> {
        self.config.seal_key.as_ref().map(MediaTokenKey::derive)
    }

    fn token_expiry(&self, record: &UploadRecord) -> UnixMillis {
        UnixMillis(record.created_at_ms) + self.config.expire_after.unwrap_or(TOKEN_LIFETIME)
    }
}

/// How long a token is valid if uploads do not expire: a week.
const TOKEN_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);
