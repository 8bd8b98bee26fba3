//! Appends the bytes of one request to an upload.

use std::rc::Rc;

use futures::future::{try_join, try_join4};
use vod_uploader::http::UploadStatus;
use vod_uploader::units::{ByteCount, UnixMillis};
use vod_uploader::upload::{
    CheckpointSearch, CompletedObject, LeaseAcquisition, Purpose, ReceiveOptions, SessionOutcome,
    UploadId, UploadKind, UploadPhase,
};
use vod_uploader::{Error, ErrorKind, Result};

use super::concatenate;
use super::create::CreatedUpload;
use super::credential::{client_credential, credential_source, open_credential};
use super::limits::{length_max, size_max, too_large};
use super::reconciled_status::reconciled_status;
use super::records::{find_checkpoint, is_paused, load_upload_record, not_found, read, search_on};
use super::run_session::{SessionRequest, run_session};
use super::status::{build_status, current_status, ended_error, upload_expires_at};
use super::stop_signal::StopSignal;
use crate::body::{ByteStream, RequestBody};
use crate::config::Config;
use crate::instance::Instance;
use crate::request::Caller;
use crate::session::Source;

/// The bytes of one request, as its protocol describes them.
pub(crate) struct AppendParams {
    /// The offset of the first byte.
    pub(crate) offset: ByteCount,
    /// Length of the request body in bytes, if declared.
    pub(crate) length: Option<ByteCount>,
    /// Length of the file, if this request declares it.
    pub(crate) file_length: Option<ByteCount>,
    /// Whether the file ends with the request.
    pub(crate) complete_at_end: bool,
    /// Whether the file is incomplete after the request, whatever it contains.
    pub(crate) keep_open: bool,
    /// Whether nothing is stored unless all bytes match the client's checksum.
    pub(crate) atomic: bool,
    pub(crate) body: RequestBody,
}

/// The result of an append.
pub(crate) enum Appended {
    /// All bytes are durable, up to this offset.
    Stored { durable: ByteCount, expires_at: Option<UnixMillis> },
    /// The object is complete.
    Completed(CompletedObject),
    /// Some bytes were rejected. The client continues at the offset, if it is known.
    Rejected { error: Error, durable: Option<ByteCount> },
}

impl Appended {
    /// The same result, except that a file of unknown `length` that exceeds `limit` is too large:
    /// it has no declared length to differ from.
    fn within(self, limit: ByteCount, length: Option<ByteCount>) -> Self {
        match self {
            Self::Rejected { error, durable }
                if length.is_none() && error.kind() == ErrorKind::LengthMismatch =>
            {
                Self::Rejected { error: too_large(limit), durable }
            }
            appended => appended,
        }
    }
}

/// Appends `params` to the upload `id`. Returns the previous state too.
///
/// # Errors
/// Returns the errors of reading the upload. All other failures are results.
pub(crate) async fn append(
    instance: &Rc<Instance>,
    caller: &Caller,
    id: &UploadId,
    params: AppendParams,
) -> Result<(UploadStatus, Appended)> {
    let BeforeTakeover { stop, status, search, sealed_credential } =
        before_takeover(instance, caller, id, &params).await?;
    if let Some(error) = rejection(&instance.config, &status, &params) {
        let durable = match error.kind() {
            ErrorKind::UploadIsFinal | ErrorKind::UploadExpired => None,
            _ => Some(status.durable()),
        };
        return Ok((status, Appended::Rejected { error, durable }));
    }
    if let UploadPhase::Completed(object) = &status.checkpoint.phase {
        let object = object.clone();
        return Ok((status, appended_to_complete(params, object).await));
    }
    let stop =
        if status.checkpoint.writer_active { StopSignal::send(instance, id).await? } else { stop };
    let record = status.record.clone();
    let length = status.length().or(params.file_length);
    let limit = length.unwrap_or(size_max(&instance.config, &record.kind));
    let body = params.body.with_stop_signal(stop.received());
    let credential = match client_credential(instance, caller, &record).await? {
        None => open_credential(instance, id, &record, sealed_credential)?,
        found => found,
    };
    let request = SessionRequest {
        id,
        record: &record,
        lease: LeaseAcquisition::TakeOverFrom(Box::new(search)),
        purpose: Purpose::Receive(ReceiveOptions {
            offset: params.offset,
            request_bytes: params.length,
            complete_at_end: params.complete_at_end,
            length: params.file_length,
            atomic: params.atomic,
            keep_open: params.keep_open,
        }),
        credential,
        source: Some(Source::new(body, params.length, Some(limit - params.offset))),
    };
    let outcome = run_session(instance, request).await?;
    let appended = result_of(instance, id, outcome).await.within(limit, length);
    // A credential that OSS rejected must not replace one that it accepts.
    if matches!(appended, Appended::Stored { .. })
        && let Some(credential) = caller.credential()?
    {
        credential_source(instance, id, &record).store(&credential).await?;
    }
    if matches!(appended, Appended::Completed(_)) {
        concatenate::after_completion(instance, id, &record).await;
    }
    Ok((status, appended))
}

/// The result of a request at the end of a complete upload, which accepts no byte. The declared
/// length has been checked.
async fn appended_to_complete(params: AppendParams, object: CompletedObject) -> Appended {
    if params.length.is_some() || !Source::new(params.body, None, None).has_bytes().await {
        return Appended::Completed(object);
    }
    let error = Error::new(ErrorKind::LengthMismatch, "the upload is complete: no byte may follow");
    Appended::Rejected { error, durable: Some(ByteCount(object.size_bytes)) }
}

/// Appends the first bytes of a new upload.
pub(crate) async fn append_first<B: ByteStream + 'static>(
    instance: &Rc<Instance>,
    created: &CreatedUpload,
    options: ReceiveOptions,
    source: Source<B>,
) -> Result<Appended> {
    let limit = length_max(&instance.config, &created.record);
    let outcome = receive_first(instance, created, options, source).await?;
    let appended = result_of(instance, &created.id, outcome).await;
    Ok(appended.within(limit, created.record.length()))
}

/// Runs the first session of a new upload.
pub(super) async fn receive_first<B: ByteStream + 'static>(
    instance: &Rc<Instance>,
    created: &CreatedUpload,
    options: ReceiveOptions,
    source: Source<B>,
) -> Result<SessionOutcome> {
    let request = SessionRequest {
        id: &created.id,
        record: &created.record,
        lease: LeaseAcquisition::New,
        purpose: Purpose::Receive(options),
        credential: Some(created.credential.clone()),
        source: Some(source),
    };
    run_session(instance, request).await
}

/// The result of a session that received bytes.
pub(super) async fn result_of(
    instance: &Rc<Instance>,
    id: &UploadId,
    outcome: SessionOutcome,
) -> Appended {
    match outcome {
        SessionOutcome::Completed(object) => Appended::Completed(object),
        SessionOutcome::Suspended { durable, rejection: None } => {
            Appended::Stored { durable, expires_at: upload_expires_at(instance) }
        }
        SessionOutcome::Suspended { durable, rejection: Some(error) } => {
            Appended::Rejected { error, durable: Some(durable) }
        }
        // A session that failed early reports no offset; the records have it, if they are readable.
        SessionOutcome::Failed { error, .. } => {
            let status = current_status(instance, id).await.ok();
            Appended::Rejected { error, durable: status.map(|status| status.durable()) }
        }
        SessionOutcome::Lost(error) => Appended::Rejected { error, durable: None },
        SessionOutcome::Aborted => {
            let error = Error::new(ErrorKind::UploadAborted, "the upload was aborted");
            Appended::Rejected { error, durable: None }
        }
    }
}

/// What a request reads before it takes the upload over.
struct BeforeTakeover {
    stop: StopSignal,
    status: UploadStatus,
    search: CheckpointSearch,
    sealed_credential: Option<Vec<u8>>,
}

/// Reads the state of the upload. The session re-reads it after the takeover, so the state need not
/// be exact, unless the request is rejected because of it.
async fn before_takeover(
    instance: &Rc<Instance>,
    caller: &Caller,
    id: &UploadId,
    params: &AppendParams,
) -> Result<BeforeTakeover> {
    let mut search = CheckpointSearch::new(id.clone());
    let (stop, lease) =
        try_join(StopSignal::subscribe(instance, id), read(instance, id.lease_key())).await?;
    search.feed(lease)?;
    let key = search.next_key().ok_or_else(not_found)?;
    // The pause is read after the signal: a request that pauses the upload stores the pause first.
    let (value, record, is_paused, sealed_credential) = try_join4(
        read(instance, key),
        load_upload_record(instance, id),
        is_paused(instance, id),
        read(instance, id.credential_key()),
    )
    .await?;
    search.feed(value)?;
    if !search.is_advisory() {
        search_on(instance, &mut search).await?;
    }
    let (_, checkpoint) = search.clone().finish()?;
    let (is_receiving, is_completing) =
        (checkpoint.phase == UploadPhase::Receiving, checkpoint.phase == UploadPhase::Completing);
    let status = build_status(instance, id, record, checkpoint, is_paused).await?;
    if is_receiving && rejection(&instance.config, &status, params).is_none() {
        return Ok(BeforeTakeover { stop, status, search, sealed_credential });
    }
    let status = match is_completing {
        true => reconciled_status(instance, caller, id).await?,
        false => current_status(instance, id).await?,
    };
    let search = find_checkpoint(instance, id).await?;
    Ok(BeforeTakeover { stop, status, search, sealed_credential })
}

/// Why a request is rejected before it takes the upload over.
fn rejection(config: &Config, status: &UploadStatus, params: &AppendParams) -> Option<Error> {
    if matches!(status.record.kind, UploadKind::Final { .. }) {
        return Some(Error::new(ErrorKind::UploadIsFinal, "a final upload accepts no bytes"));
    }
    if let Some(error) = ended_error(status) {
        return Some(error);
    }
    if status.checkpoint.phase == UploadPhase::Receiving && status.paused {
        return Some(Error::new(ErrorKind::UploadPaused, "the upload is paused"));
    }
    let (offset, durable) = (params.offset, status.durable());
    if offset != durable {
        let (offset, durable) = (offset.bytes(), durable.bytes());
        let message = format!("the request starts at offset {offset}; expected {durable}");
        return Some(Error::new(ErrorKind::OffsetMismatch, message));
    }
    length_rejection(config, status, params)
}

fn length_rejection(
    config: &Config,
    status: &UploadStatus,
    params: &AppendParams,
) -> Option<Error> {
    let size_max = size_max(config, &status.record.kind);
    let declared = params.file_length;
    if let (Some(known), Some(declared)) = (status.length(), declared)
        && known != declared
    {
        let message = format!("the declared length is {declared}; expected {known}");
        return Some(Error::new(ErrorKind::LengthInconsistent, message));
    }
    let known = status.length().or(declared);
    let exceeds = |length: ByteCount| known.is_none() && params.offset + length > size_max;
    if declared.is_some_and(|declared| declared > size_max) || params.length.is_some_and(exceeds) {
        return Some(too_large(size_max));
    }
    let length = known?;
    if length < params.offset {
        let durable = params.offset;
        let message = format!("the declared length is {length}; {durable} are already stored");
        return Some(Error::new(ErrorKind::LengthInconsistent, message));
    }
    let remaining = length - params.offset;
    let sent = params.length.filter(|sent| *sent > remaining)?;
    let message = format!("the request has {sent}; the upload accepts {remaining} more");
    Some(Error::new(ErrorKind::LengthMismatch, message))
}
