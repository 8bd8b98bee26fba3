//! When an upload that receives no bytes expires.

use std::time::Duration;

use vod_uploader::http::tus;
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{Checkpoint, UploadId, UploadKind, UploadPhase, UploadRecord};
use vod_uploader::{ErrorKind, Result};

use super::records::{self, load_upload_record};
use crate::instance::Instance;

/// An active writer refreshes the upload this often per TTL: a part may take longer than one.
const HEARTBEATS_PER_TTL: u32 = 4;

/// When the upload expires; `None`: never.
///
/// Bytes renew it, and so does an active writer that has not finished a part. Uploads that are
/// concatenated expire with the last of them.
///
/// # Errors
/// Those of the key-value store.
pub(super) async fn expires_at(
    instance: &Instance,
    id: &UploadId,
    record: &UploadRecord,
    checkpoint: &Checkpoint,
) -> Result<Option<UnixMillis>> {
    let Some(ttl) = instance.config.expire_after else { return Ok(None) };
    let own = own_expiry(instance, id, record, checkpoint, ttl).await?;
    if instance.now() < own {
        return Ok(Some(own));
    }
    let related = match &record.kind {
        UploadKind::Regular => None,
        UploadKind::Partial => final_upload_expiry(instance, id, ttl).await?,
        UploadKind::Final { partials } => partial_uploads_expiry(instance, partials, ttl).await?,
    };
    Ok(Some(related.map_or(own, |expiry| expiry.max(own))))
}

/// Records at regular intervals that a writer is active. Never resolves.
pub(super) async fn heartbeat(instance: &Instance, id: &UploadId, ttl: Duration) {
    loop {
        instance.sleep(ttl / HEARTBEATS_PER_TTL).await;
        // The next heartbeat makes up for a failed one.
        let _ = instance.kv().set(&id.heartbeat_key(), &instance.now().0.to_le_bytes()).await;
    }
}

/// The expiry of the upload regardless of others.
async fn own_expiry(
    instance: &Instance,
    id: &UploadId,
    record: &UploadRecord,
    checkpoint: &Checkpoint,
    ttl: Duration,
) -> Result<UnixMillis> {
    let written = UnixMillis(record.created_at_ms.max(checkpoint.written_at_ms)) + ttl;
    if instance.now() < written {
        return Ok(written);
    }
    let heartbeat = instance.kv().get(&id.heartbeat_key()).await?;
    let heartbeat = heartbeat.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
    let heartbeat = heartbeat.map_or(UnixMillis(0), |bytes| UnixMillis(u64::from_le_bytes(bytes)));
    Ok(written.max(heartbeat + ttl))
}

/// The expiry of the final upload that a partial one belongs to, until it is complete.
async fn final_upload_expiry(
    instance: &Instance,
    partial: &UploadId,
    ttl: Duration,
) -> Result<Option<UnixMillis>> {
    let Some(id) = instance.kv().get(&partial.final_upload_key()).await? else { return Ok(None) };
    let id = String::from_utf8(id).ok().and_then(|id| UploadId::new(&id));
    let Some(id) = id else { return Ok(None) };
    let Some((record, checkpoint)) = stored(instance, &id).await? else { return Ok(None) };
    let UploadKind::Final { partials } = &record.kind else { return Ok(None) };
    if checkpoint.phase != UploadPhase::Receiving {
        return Ok(None);
    }
    let own = own_expiry(instance, &id, &record, &checkpoint, ttl).await?;
    let partials = partial_uploads_expiry(instance, partials, ttl).await?;
    Ok(partials.map(|expiry| expiry.max(own)))
}

async fn partial_uploads_expiry(
    instance: &Instance,
    partials: &[String],
    ttl: Duration,
) -> Result<Option<UnixMillis>> {
    let mut last = None;
    for id in partials.iter().filter_map(|address| tus::partial_upload_id(address)) {
        if let Some((record, checkpoint)) = stored(instance, &id).await? {
            last = last.max(Some(own_expiry(instance, &id, &record, &checkpoint, ttl).await?));
        }
    }
    Ok(last)
}

/// The records of an upload as they are; `None` if they are deleted.
async fn stored(instance: &Instance, id: &UploadId) -> Result<Option<(UploadRecord, Checkpoint)>> {
    let record = match load_upload_record(instance, id).await {
        Err(error) if error.kind() == ErrorKind::UploadNotFound => return Ok(None),
        record => record?,
    };
    let (_, checkpoint) = records::find_checkpoint(instance, id).await?.finish()?;
    Ok(Some((record, checkpoint)))
}
