//! Creates the upload of a chunked file with its first chunk, which may arrive several times
//! concurrently: FilePond repeats a chunk whose connection was closed while the previous request
//! continues.

use std::rc::Rc;
use std::time::Duration;

use vod_uploader::http::{FilePondChunk, FilePondTransfer, RequestHead};
use vod_uploader::upload::UploadKind;
use vod_uploader::{Error, ErrorKind, Result};

use crate::instance::Instance;
use crate::request::Caller;
use crate::upload::continue_media::ContinuedMedia;
use crate::upload::create::{NewUpload, create_granted, create_media, create_with_id, file_name};
use crate::upload::filepond_transfer::{self as transfer, lock};
use crate::upload::terminate::terminate;
use crate::upload::{current_status, existing, not_found};

/// Creates the upload under the ID that the client has. One of several concurrent requests creates
/// it, and the others wait.
///
/// # Errors
/// Returns [`ErrorKind::Busy`] if another request takes too long.
pub(super) async fn create_upload(
    instance: &Rc<Instance>,
    head: &RequestHead,
    chunk: &FilePondChunk,
) -> Result<()> {
    let lock = lock(instance, &chunk.id);
    let mut waited = Duration::ZERO;
    loop {
        let guard = lock.try_acquire().await?;
        // Read after the lock is acquired: since the last read, the upload may have been created,
        // or the file reverted.
        let transfer = match existing(transfer::load(instance, &chunk.id).await)? {
            Some(transfer) if !transfer.is_upload_created() => transfer,
            found => {
                lock.clear().await?;
                return found.map(drop).ok_or_else(not_found);
            }
        };
        if let Some(guard) = guard {
            guard.run(create_as_holder(instance, head, chunk, transfer)).await?;
            return lock.clear().await;
        }
        if waited >= instance.config.request_timeout {
            let message = "another request is creating the upload";
            return Err(Error::new(ErrorKind::Busy, message));
        }
        waited += lock.pause().await;
    }
}

async fn create_as_holder(
    instance: &Rc<Instance>,
    head: &RequestHead,
    chunk: &FilePondChunk,
    transfer: FilePondTransfer,
) -> Result<()> {
    let id = &chunk.id;
    // The request that created the upload may have stopped before it stored this.
    if existing(current_status(instance, id).await)?.is_some() {
        return transfer::store(instance, id, &transfer.mark_upload_created()).await;
    }
    let caller = Caller::new(instance, head);
    let new = NewUpload {
        file_name: file_name(instance, &chunk.file_name)?,
        length: Some(chunk.file_length),
        content_type: None,
        metadata: transfer.metadata(),
        kind: UploadKind::Regular,
    };
    let media = match (caller.media()?, transfer.media_id(), transfer.created_media_id()) {
        (Some(claim), ..) => Some(ContinuedMedia::Claimed(claim)),
        (None, Some(media_id), _) => Some(ContinuedMedia::Verified(media_id.to_owned())),
        (None, None, created) => created.map(|id| ContinuedMedia::Created(id.to_owned())),
    };
    // Stored before the upload is created: without it, a wrong offset could be returned.
    let mut transfer = transfer.with_chunk_size(chunk.length);
    transfer::store(instance, id, &transfer).await?;
    let credential = match caller.credential()? {
        Some(credential) => Some(credential),
        None => transfer::credential_source(instance, id).load().await?,
    };
    if media.is_none() && credential.is_none() {
        let grant = create_media(instance, &new).await?;
        // Stored before the upload: a write of the upload record that failed may take effect after
        // another request has created the upload, which must have the same media ID.
        transfer = transfer::load(instance, id).await?.with_created_media(&grant.media_id);
        transfer::store(instance, id, &transfer).await?;
        create_granted(instance, id.clone(), grant, new).await?;
    } else {
        create_with_id(instance, id.clone(), credential, media, new).await?;
    }
    if existing(transfer::load(instance, id).await)?.is_none() {
        // The file was reverted in the meantime.
        return terminate(instance, &caller, id).await;
    }
    transfer::store(instance, id, &transfer.mark_upload_created()).await
}
