//! Media that the worker issues: which of them a new upload may continue.
//!
//! A media id is public, so a client proves with a token that the worker issued the media for it.
//! A record exists for each issued media until the media is complete, and names its newest upload: a
//! complete media, whose object is published, is never overwritten.

use std::rc::Rc;
use std::time::Duration;

use vod_uploader::credential::MediaTokenKey;
use vod_uploader::http::{self, MediaClaim, header, media_not_owned};
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{MediaRecord, Outcome, Phase, UploadKey, UploadRecord};
use vod_uploader::{ErrorKind, Result};

use super::{append, current_status, terminate};
use crate::instance::Instance;

/// The media that a new upload continues.
pub(crate) enum Continued {
    /// Named by this request, which has to prove that its client owns it.
    Claimed(MediaClaim),
    /// Named by an earlier request, which has proved it.
    Verified(String),
}

impl Continued {
    pub(crate) fn media_id(&self) -> &str {
        match self {
            Self::Claimed(claim) => &claim.media_id,
            Self::Verified(media_id) => media_id,
        }
    }
}

/// Checks that a new upload may continue `media`, and ends the upload that the media has.
///
/// # Errors
/// [`ErrorKind::MediaNotOwned`] unless the client owns the media, this worker issued it and it was
/// never complete.
pub(super) async fn continue_media(instance: &Rc<Instance>, media: &Continued) -> Result<()> {
    if let Continued::Claimed(claim) = media {
        verify(instance, claim).await?;
    }
    let media_id = media.media_id();
    let record = load(instance, media_id).await?.ok_or_else(media_not_owned)?;
    let Some(previous) = record.upload() else { return Ok(()) };
    if end_previous(instance, &previous).await? {
        return Ok(());
    }
    instance.kv().delete(&MediaRecord::name(media_id)).await?;
    Err(media_not_owned())
}

/// Checks what can be checked before the upload is created: the token, and the record.
///
/// # Errors
/// [`ErrorKind::MediaNotOwned`].
pub(crate) async fn verify(instance: &Instance, claim: &MediaClaim) -> Result<()> {
    claim.verify(token_key(instance).as_ref(), instance.now())?;
    match load(instance, &claim.media_id).await? {
        Some(_) => Ok(()),
        None => Err(media_not_owned()),
    }
}

/// Records that `key` is the newest upload of the media of `record`, if the worker issued it.
pub(super) async fn record(
    instance: &Instance,
    key: &UploadKey,
    record: &UploadRecord,
) -> Result<()> {
    if instance.config.seal_key.is_none() || !record.minted {
        return Ok(());
    }
    let expires_at_ms = token_expiry(instance, record).0;
    let media = MediaRecord { upload: key.as_str().to_owned(), expires_at_ms };
    Ok(instance.kv().set(&MediaRecord::name(&record.media_id), &media.encode()?).await?)
}

/// Records that the media is complete: no upload may continue it.
pub(super) async fn close(instance: &Instance, record: &UploadRecord) -> Result<()> {
    if record.minted {
        instance.kv().delete(&MediaRecord::name(&record.media_id)).await?;
    }
    Ok(())
}

/// The token with which the client can continue the media of a new upload.
pub(crate) fn token(instance: &Instance, record: &UploadRecord) -> Option<String> {
    let key = token_key(instance).filter(|_| record.minted)?;
    Some(key.issue(&record.media_id, token_expiry(instance, record)))
}

/// `response` with the media's token, if there is one.
pub(crate) fn with_token(
    instance: &Instance,
    response: http::Response,
    record: &UploadRecord,
) -> http::Response {
    match token(instance, record) {
        Some(token) => response.with_header(header::MEDIA_TOKEN, token),
        None => response,
    }
}

/// Deletes the media record called `name` if its token has expired. Returns whether it did.
pub(super) async fn clean_up(instance: &Instance, name: &str) -> Result<bool> {
    let Some(bytes) = instance.kv().get(name).await? else { return Ok(false) };
    let is_expired = instance.now() >= UnixMillis(MediaRecord::decode(&bytes)?.expires_at_ms);
    if is_expired {
        instance.kv().delete(name).await?;
    }
    Ok(is_expired)
}

/// Ends the upload that the media has, so that only the new one can write its object. Returns false
/// if that upload is complete.
async fn end_previous(instance: &Rc<Instance>, key: &UploadKey) -> Result<bool> {
    let status = match current_status(instance, key).await {
        Err(error) if error.kind() == ErrorKind::UploadNotFound => return Ok(true),
        status => status?,
    };
    match status.checkpoint.phase {
        Phase::Completed(_) => Ok(false),
        Phase::Aborted => Ok(true),
        Phase::Receiving | Phase::Completing | Phase::Lost { .. } => {
            let credential = append::stored_credential(instance, key, &status.record).await?;
            let ended = terminate::abort(instance, key, &status.record, credential).await;
            if terminate::is_cleanup_done(&ended) {
                return Ok(!matches!(ended, Ok(Outcome::Completed(_))));
            }
            ended.map(|_| false)
        }
    }
}

async fn load(instance: &Instance, media_id: &str) -> Result<Option<MediaRecord>> {
    let bytes = instance.kv().get(&MediaRecord::name(media_id)).await?;
    bytes.map(|bytes| MediaRecord::decode(&bytes)).transpose()
}

fn token_key(instance: &Instance) -> Option<MediaTokenKey> {
    instance.config.seal_key.as_ref().map(MediaTokenKey::derive)
}

fn token_expiry(instance: &Instance, record: &UploadRecord) -> UnixMillis {
    UnixMillis(record.created_at_ms) + instance.config.expire_after.unwrap_or(TOKEN_LIFETIME)
}

/// How long a token is valid if uploads do not expire: a week.
const TOKEN_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);
