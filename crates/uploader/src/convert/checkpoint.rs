//! Converts the stored records of a file.

use vod_uploader_host::engine::queue::StoredFile;

use crate::bindings::exports::vod::uploader::uploader as wit;

/// `None` if there is no upload to resume: a media ID alone is no checkpoint.
pub(crate) fn to_wit(stored: StoredFile) -> Option<wit::Checkpoint> {
    let written_at = stored.last_written_at().0;
    let media_id = stored.media_id.clone();
    let upload = stored.resumable()?;
    let target = upload.record.target;
    Some(wit::Checkpoint {
        media_id,
        endpoint: target.endpoint,
        bucket: target.bucket,
        object: target.object,
        durable: upload.checkpoint.durable().bytes(),
        upload_id: upload.checkpoint.upload_id,
        written_at,
    })
}
