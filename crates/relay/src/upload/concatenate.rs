//! tus concatenation: partial uploads are separate objects in temporary storage, which OSS copies
//! into the object of the media (UploadPartCopy). Their bytes pass through the worker once; only
//! ranges too small for a part are read back.
//!
//! A credential of VOD is for one object and cannot read others, so the worker's own access key
//! signs all requests here and needs the permissions for them.

use std::rc::Rc;

use vod_uploader::crc64::Crc64;
use vod_uploader::http::{Metadata, UploadStatus};
use vod_uploader::units::{ByteCount, UnixMillis};
use vod_uploader::upload::{
    ConcatSource, LeaseAcquisition, Purpose, SessionOutcome, UploadId, UploadKind, UploadPhase,
    UploadRecord,
};
use vod_uploader::{Error, ErrorKind, Result};

use super::create::{CreatedUpload, NewUpload, create};
use super::credential::worker_credential;
use super::expiry_index;
use super::limits::{size_max, too_large};
use super::reconcile::reconcile_if_stale;
use super::records::{self, load_final_upload_id, load_upload_record, partial_ids};
use super::run_session::{SessionRequest, run_session};
use super::status::current_status;
use super::temporary_storage::{delete_temporary, temporary_storage, temporary_target};
use crate::body::ReadbackStream;
use crate::instance::Instance;
use crate::request::Caller;
use crate::session::Source;

/// Creates a partial upload, which has no media asset.
///
/// # Errors
/// Returns [`ErrorKind::ConcatenationUnavailable`] or [`ErrorKind::FileTooLarge`].
pub(crate) async fn create_partial(
    instance: &Rc<Instance>,
    caller: &Caller,
    length: Option<ByteCount>,
    metadata: &Metadata,
) -> Result<CreatedUpload> {
    reject_credentials(caller)?;
    let storage = temporary_storage(instance)?;
    let size_max = size_max(&instance.config, &UploadKind::Partial);
    if length.is_some_and(|length| length > size_max) {
        return Err(too_large(size_max));
    }
    let id = UploadId::from_random(instance.ports.random.bits128());
    let target = temporary_target(instance, format!("{}{}", storage.prefix, id.as_str()))?;
    let credential = worker_credential(instance, &target)?;
    let record = UploadRecord {
        created_at_ms: instance.now().0,
        file_name: String::new(),
        length_bytes: length.map(ByteCount::bytes),
        media_id: String::new(),
        target,
        content_type: None,
        client_metadata: metadata.without_credentials(),
        credential_from_vod: false,
        kind: UploadKind::Partial,
    };
    let slot = expiry_index::enter_new(instance, &id, None).await?;
    records::create(instance, &id, &record).await?;
    let slot = expiry_index::enter_again_if_late(instance, &id, None, slot).await?;
    Ok(CreatedUpload { id, record, credential, slot })
}

/// Creates the final upload of `partials`. The request that completes the last of them concatenates
/// them. Returns the offset too, if all of them are complete now.
///
/// # Errors
/// Returns [`ErrorKind::ConcatenationUnavailable`], [`ErrorKind::FileTooLarge`], or
/// [`ErrorKind::UploadLost`] if a partial upload is gone.
pub(crate) async fn create_final(
    instance: &Rc<Instance>,
    caller: &Caller,
    new: NewUpload,
    partials: &[String],
) -> Result<(CreatedUpload, Option<ByteCount>)> {
    temporary_storage(instance)?;
    reject_credentials(caller)?;
    let mut total = Some(ByteCount::ZERO);
    for partial in partial_ids(partials) {
        let status = partial_status(instance, &partial).await?;
        total = total.zip(status.length()).map(|(total, length)| total + length);
    }
    if total.is_some_and(|total| total > instance.config.upload_max) {
        return Err(too_large(instance.config.upload_max));
    }
    let created = create(instance, caller, NewUpload { length: total, ..new }).await?;
    for partial in partial_ids(partials) {
        instance.kv().set(&partial.final_upload_key(), created.id.as_str().as_bytes()).await?;
    }
    let complete = concatenate_if_ready(instance, &created.id, &created.record, partials).await;
    let is_complete = match complete {
        // The upload exists: the next request for it concatenates the partial uploads.
        Err(error) if error.kind().retry().is_later() => false,
        complete => complete?,
    };
    Ok((created, total.filter(|_| is_complete)))
}

/// The state after the partial uploads of a final one are concatenated, if that is due. A writer
/// that is concatenating them is not interrupted for as long as one response of OSS may take.
pub(super) async fn concatenated_status(
    instance: &Rc<Instance>,
    id: &UploadId,
    status: UploadStatus,
) -> Result<UploadStatus> {
    let UploadKind::Final { partials } = &status.record.kind else { return Ok(status) };
    if status.is_completed() {
        // The writer that concatenated them may have stopped before it deleted them.
        after_completion(instance, id, &status.record).await;
        return Ok(status);
    }
    let written_at = UnixMillis(status.checkpoint.written_at_ms);
    let has_writer = status.checkpoint.writer_active
        && instance.now().since(written_at) < instance.config.request_timeout;
    if status.checkpoint.phase == UploadPhase::Receiving
        && !has_writer
        && concatenate_if_ready(instance, id, &status.record, partials).await?
    {
        return current_status(instance, id).await;
    }
    Ok(status)
}

/// Follows up on a completion: a partial upload may be the last one that its final upload waits
/// for, and a final upload no longer needs its partial ones. Errors are ignored: the next request
/// for the final upload concatenates it, and expired uploads are cleaned up.
pub(super) async fn after_completion(
    instance: &Rc<Instance>,
    id: &UploadId,
    record: &UploadRecord,
) {
    match &record.kind {
        UploadKind::Regular => {}
        UploadKind::Partial => {
            let _ = Box::pin(concatenate_final(instance, id)).await;
        }
        UploadKind::Final { partials } => {
            for partial in partial_ids(partials) {
                let _ = delete_partial(instance, &partial).await;
            }
        }
    }
}

/// Concatenates the partial uploads into the object of `record` if all of them are complete.
/// Returns whether the object is complete.
async fn concatenate_if_ready(
    instance: &Rc<Instance>,
    id: &UploadId,
    record: &UploadRecord,
    partials: &[String],
) -> Result<bool> {
    let Some(sources) = complete_sources(instance, partials).await? else { return Ok(false) };
    let total = sources.iter().fold(ByteCount::ZERO, |total, source| total + source.len);
    if total > instance.config.upload_max {
        return Err(too_large(instance.config.upload_max));
    }
    let credential = worker_credential(instance, &record.target)?;
    let key_pair = credential.auth.credential.clone();
    let storage = temporary_target(instance, String::new())?;
    let (stream, mut interrupted) =
        ReadbackStream::new(Rc::clone(instance), storage, key_pair, sources.clone());
    let request = SessionRequest {
        id,
        record,
        lease: LeaseAcquisition::TakeOver,
        purpose: Purpose::Concatenate { sources },
        credential: Some(credential),
        source: Some(Source::new(stream, None, None)),
    };
    match run_session(instance, request).await? {
        SessionOutcome::Completed(_) => {
            after_completion(instance, id, record).await;
            Ok(true)
        }
        SessionOutcome::Failed { error, .. } if error.kind() == ErrorKind::TakenOver => Ok(false),
        SessionOutcome::Failed { error, .. }
        | SessionOutcome::Lost(error)
        | SessionOutcome::Suspended { rejection: Some(error), .. } => {
            Err(interrupted.try_recv().ok().flatten().unwrap_or(error))
        }
        SessionOutcome::Suspended { rejection: None, .. } | SessionOutcome::Aborted => Ok(false),
    }
}

/// The objects of the partial uploads, or `None` if one of them is incomplete.
async fn complete_sources(
    instance: &Rc<Instance>,
    partials: &[String],
) -> Result<Option<Vec<ConcatSource>>> {
    let mut sources = Vec::new();
    for partial in partial_ids(partials) {
        let status = match partial_status(instance, &partial).await {
            // Deleted, or part of another upload.
            Err(error) if error.kind() == ErrorKind::RequestInvalid => return Err(partial_gone()),
            status => status?,
        };
        let UploadPhase::Completed(object) = &status.checkpoint.phase else { return Ok(None) };
        sources.push(ConcatSource {
            bucket: status.record.target.bucket,
            object: status.record.target.object,
            len: ByteCount(object.size_bytes),
            crc64: Crc64(object.crc64),
        });
    }
    Ok(Some(sources))
}

async fn concatenate_final(instance: &Rc<Instance>, partial: &UploadId) -> Result<()> {
    let Some(id) = load_final_upload_id(instance, partial).await? else { return Ok(()) };
    let record = load_upload_record(instance, &id).await?;
    if let UploadKind::Final { partials } = &record.kind {
        concatenate_if_ready(instance, &id, &record, partials).await?;
    }
    Ok(())
}

/// Deletes a partial upload. The object is deleted first, because the record identifies it.
async fn delete_partial(instance: &Instance, id: &UploadId) -> Result<()> {
    let record = load_upload_record(instance, id).await?;
    delete_temporary(instance, &record).await?;
    records::delete_records(instance, id).await
}

async fn partial_status(instance: &Rc<Instance>, id: &UploadId) -> Result<UploadStatus> {
    let status = match current_status(instance, id).await {
        Err(error) if error.kind() == ErrorKind::UploadNotFound => {
            let allowed = "final; and URLs of uploads that exist";
            return Err(Error::field_invalid("upload-concat", allowed));
        }
        status => status?,
    };
    if status.record.kind != UploadKind::Partial {
        let allowed = "final; and URLs of uploads that were created as partial";
        return Err(Error::field_invalid("upload-concat", allowed));
    }
    // Its client may send no further request for it that would reconcile it.
    let status = reconcile_if_stale(instance, id, status).await?;
    match &status.checkpoint.phase {
        UploadPhase::Aborted | UploadPhase::Lost { .. } => Err(partial_gone()),
        UploadPhase::Receiving | UploadPhase::Completing | UploadPhase::Completed(_) => Ok(status),
    }
}

/// Checks that the client sent no credential, which is for one object and cannot read others.
fn reject_credentials(caller: &Caller) -> Result<()> {
    if caller.credential()?.is_none() {
        return Ok(());
    }
    let message = "concatenation does not accept a client's credential, which is for one object";
    Err(Error::new(ErrorKind::ConcatenationUnavailable, message))
}

fn partial_gone() -> Error {
    Error::new(ErrorKind::UploadLost, "a partial upload no longer exists: send the file again")
}
