//! The records and tokens of media assets that the worker creates.
//!
//! A record exists until the asset is complete, and contains the ID of its newest upload. A token
//! proves that the worker created the asset for the client.

use std::time::Duration;

use vod_uploader::Result;
use vod_uploader::credential::MediaTokenKey;
use vod_uploader::http::{self, MediaClaim, header, media_not_owned};
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{MediaRecord, UploadId, UploadRecord};

use super::kv_lock::KvLock;
use crate::instance::Instance;

/// Checks the token and the record, before the upload is created.
///
/// # Errors
/// Returns [`MediaNotOwned`](vod_uploader::ErrorKind::MediaNotOwned) if one of them is invalid.
pub(crate) async fn verify(instance: &Instance, claim: &MediaClaim) -> Result<()> {
    claim.verify(token_key(instance).as_ref(), instance.now())?;
    match load(instance, &claim.media_id).await? {
        Some(_) => Ok(()),
        None => Err(media_not_owned()),
    }
}

/// Returns true if the media of `record` has a record until it is complete.
pub(super) const fn is_kept(instance: &Instance, record: &UploadRecord) -> bool {
    instance.config.seal_key.is_some() && record.credential_from_vod
}

/// Records that `id` is the newest upload of the asset of `record`, if the worker created it.
pub(super) async fn record(
    instance: &Instance,
    id: &UploadId,
    record: &UploadRecord,
) -> Result<()> {
    if !is_kept(instance, record) {
        return Ok(());
    }
    let expires_at_ms = token_expiry(instance, record).0;
    let media = MediaRecord { upload: id.as_str().to_owned(), expires_at_ms };
    Ok(instance.kv().set(&MediaRecord::key(&record.media_id), &media.encode()?).await?)
}

/// Records that the asset is complete: no upload may continue it.
pub(super) async fn close(instance: &Instance, record: &UploadRecord) -> Result<()> {
    if record.credential_from_vod { delete(instance, &record.media_id).await } else { Ok(()) }
}

/// Deletes the record of a media asset.
pub(super) async fn delete(instance: &Instance, media_id: &str) -> Result<()> {
    Ok(instance.kv().delete(&MediaRecord::key(media_id)).await?)
}

/// The token with which the client can continue the asset of a new upload.
pub(crate) fn token(instance: &Instance, record: &UploadRecord) -> Option<String> {
    let key = token_key(instance).filter(|_| record.credential_from_vod)?;
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

/// The lock for continuing the media asset, held while its previous upload is ended and the new one
/// is created.
pub(super) fn lock<'a>(instance: &'a Instance, media_id: &str) -> KvLock<'a> {
    KvLock::new(instance, MediaRecord::key(media_id))
}

/// Deletes the media record at `key` if its token has expired. Otherwise returns when it expires.
pub(super) async fn clean_up(instance: &Instance, key: &str) -> Result<Option<UnixMillis>> {
    if let Some(bytes) = instance.kv().get(key).await? {
        let expires_at = UnixMillis(MediaRecord::decode(&bytes)?.expires_at_ms);
        if instance.now() < expires_at {
            return Ok(Some(expires_at));
        }
        instance.kv().delete(key).await?;
    }
    KvLock::new(instance, key.to_owned()).clear().await?;
    Ok(None)
}

/// Loads the record of a media asset.
pub(super) async fn load(instance: &Instance, media_id: &str) -> Result<Option<MediaRecord>> {
    let bytes = instance.kv().get(&MediaRecord::key(media_id)).await?;
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
