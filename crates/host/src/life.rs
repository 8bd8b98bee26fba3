//! How long an upload is kept that nobody sends bytes to.

use std::time::Duration;

use vod_uploader::http::tus;
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{Checkpoint, Phase, Role, UploadKey, UploadRecord};
use vod_uploader::{ErrorKind, Result};

use crate::key_value::KeyValue;
use crate::{clock, records};

/// A writer says this often in an upload's life that it is at work: a part may take longer.
const BEATS_A_LIFE: u32 = 4;

/// Until when the upload is kept; `None`: for ever.
///
/// Bytes renew it, and so does a writer that is at work without having finished a part. Uploads that
/// become one are kept as long as any of them.
///
/// # Errors
/// Where the records cannot be read.
pub(crate) async fn end(
    kv: &KeyValue,
    key: &UploadKey,
    record: &UploadRecord,
    checkpoint: &Checkpoint,
    life: Option<Duration>,
) -> Result<Option<UnixMillis>> {
    let Some(life) = life else { return Ok(None) };
    let own = own_end(kv, key, record, checkpoint, life).await?;
    if clock::now() < own {
        return Ok(Some(own));
    }
    let relatives = match &record.role {
        Role::Whole => None,
        Role::Partial => final_end(kv, key, life).await?,
        Role::Final { partials } => partials_end(kv, partials, life).await?,
    };
    Ok(Some(relatives.map_or(own, |end| end.max(own))))
}

/// Says again and again that a writer is at work, and never ends.
pub(crate) async fn beat(kv: &KeyValue, key: &UploadKey, life: Duration) {
    loop {
        clock::sleep(life / BEATS_A_LIFE).await;
        // One that fails is made up for by the next.
        let _ = kv.set(&key.alive(), &clock::now().0.to_le_bytes()).await;
    }
}

/// The end that the upload has by itself.
async fn own_end(
    kv: &KeyValue,
    key: &UploadKey,
    record: &UploadRecord,
    checkpoint: &Checkpoint,
    life: Duration,
) -> Result<UnixMillis> {
    let written = UnixMillis(record.created_at_ms.max(checkpoint.written_at_ms)) + life;
    if clock::now() < written {
        return Ok(written);
    }
    let beat = kv.get(&key.alive()).await?.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
    let beat = beat.map_or(UnixMillis(0), |bytes| UnixMillis(u64::from_le_bytes(bytes)));
    Ok(written.max(beat + life))
}

/// The end of the upload that a partial one becomes a part of, as long as it has not.
async fn final_end(
    kv: &KeyValue,
    partial: &UploadKey,
    life: Duration,
) -> Result<Option<UnixMillis>> {
    let Some(id) = kv.get(&partial.joined_into()).await? else { return Ok(None) };
    let key = String::from_utf8(id).ok().and_then(|id| UploadKey::new(&id));
    let Some(key) = key else { return Ok(None) };
    let Some((record, checkpoint)) = stored(kv, &key).await? else { return Ok(None) };
    let Role::Final { partials } = &record.role else { return Ok(None) };
    if checkpoint.phase != Phase::Receiving {
        return Ok(None);
    }
    let own = own_end(kv, &key, &record, &checkpoint, life).await?;
    Ok(partials_end(kv, partials, life).await?.map(|end| end.max(own)))
}

async fn partials_end(
    kv: &KeyValue,
    partials: &[String],
    life: Duration,
) -> Result<Option<UnixMillis>> {
    let mut last = None;
    for key in partials.iter().filter_map(|address| tus::partial_at(address)) {
        if let Some((record, checkpoint)) = stored(kv, &key).await? {
            last = last.max(Some(own_end(kv, &key, &record, &checkpoint, life).await?));
        }
    }
    Ok(last)
}

/// The records of an upload, as they are; `None` where they are gone.
async fn stored(kv: &KeyValue, key: &UploadKey) -> Result<Option<(UploadRecord, Checkpoint)>> {
    let record = match records::upload_record(kv, key).await {
        Err(error) if error.kind() == ErrorKind::UploadNotFound => return Ok(None),
        record => record?,
    };
    let (_, checkpoint) = records::search(kv, key).await?.finish()?;
    Ok(Some((record, checkpoint)))
}
