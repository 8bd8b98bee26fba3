//! When an upload that receives no bytes expires.

use std::time::Duration;

use vod_uploader::Result;
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{Checkpoint, UploadId, UploadKind, UploadPhase, UploadRecord};

use super::records::{
    self, decode_instant, existing, load_final_upload_id, load_upload_record, partial_ids,
};
use crate::instance::Instance;

/// Heartbeats of an active writer per TTL: a part may take longer than one TTL.
const HEARTBEATS_PER_TTL: u32 = 4;

/// When the upload expires; `None`: never.
///
/// Stored bytes and the heartbeats of an active writer renew it. Uploads that are concatenated
/// expire with the last of them.
///
/// # Errors
/// Returns the errors of the key-value store.
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

/// Stores heartbeats of an active writer. Never resolves.
pub(super) async fn heartbeat(instance: &Instance, id: &UploadId, ttl: Duration) {
    loop {
        instance.sleep(ttl / HEARTBEATS_PER_TTL).await;
        // A failed heartbeat is replaced by the next one.
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
    let stored = instance.kv().get(&id.heartbeat_key()).await?;
    let heartbeat = stored.as_deref().and_then(decode_instant);
    Ok(heartbeat.map_or(written, |heartbeat| written.max(heartbeat + ttl)))
}

/// The expiry of the final upload that a partial one belongs to, until it is complete.
async fn final_upload_expiry(
    instance: &Instance,
    partial: &UploadId,
    ttl: Duration,
) -> Result<Option<UnixMillis>> {
    let Some(id) = load_final_upload_id(instance, partial).await? else { return Ok(None) };
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
    for id in partial_ids(partials) {
        if let Some((record, checkpoint)) = stored(instance, &id).await? {
            last = last.max(Some(own_expiry(instance, &id, &record, &checkpoint, ttl).await?));
        }
    }
    Ok(last)
}

/// The stored records of an upload; `None` if they are deleted.
async fn stored(instance: &Instance, id: &UploadId) -> Result<Option<(UploadRecord, Checkpoint)>> {
    let Some(record) = existing(load_upload_record(instance, id).await)? else { return Ok(None) };
    let (_, checkpoint) = records::find_checkpoint(instance, id).await?.finish()?;
    Ok(Some((record, checkpoint)))
}
