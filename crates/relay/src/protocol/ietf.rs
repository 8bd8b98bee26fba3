//! The requests of clients of the IETF draft for resumable uploads.

use std::rc::Rc;

use vod_uploader::http::header::REPR_DIGEST;
use vod_uploader::http::ietf::{
    self as syntax, AppendRequest, CreationRequest, ErrorContext, InteropVersion, OffsetState,
};
use vod_uploader::http::{ContentChecks, ReprDigestState, RequestHead, Response, UploadStatus};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{ReceiveOptions, UploadId, UploadKind};
use vod_uploader::{Error, ErrorKind, Result, Retry};

use crate::body::{RequestBody, interrupted};
use crate::instance::Instance;
use crate::request::Caller;
use crate::session::Source;
use crate::upload::abort::abort;
use crate::upload::append::{AppendParams, Appended, append, append_first};
use crate::upload::create::{CreatedUpload, NewUpload, check_caller, create, file_name};
use crate::upload::credential::credential;
use crate::upload::limits::advertised_limits;
use crate::upload::media_record::with_token;
use crate::upload::{offset_status, repr_digest, upload_expires_at};

/// `POST /v1/files`, and `PUT` and `POST /v1/uploads/{file_name}` of a client that declares whether
/// the content is the entire file.
pub(crate) async fn post(
    instance: &Rc<Instance>,
    head: &RequestHead,
    version: InteropVersion,
    path_segment: Option<&str>,
    mut body: RequestBody,
) -> Result<Response> {
    let upload_max = instance.config.upload_max;
    let creation = CreationRequest::parse(head, version, upload_max)?;
    let hint = match path_segment {
        Some(segment) => creation.file_name.with_path_segment(segment)?,
        None => creation.file_name,
    };
    let file_name = file_name(instance, &hint)?;
    let caller = Caller::with_metadata(instance, head, &creation.metadata);
    check_caller(instance, &caller).await?;
    let checks = ContentChecks::from_digest_fields(head, creation.complete);
    let atomic = !checks.is_empty();
    let digest = ReprDigestState::from_creation(head);
    if creation.length == Some(ByteCount::ZERO) && creation.content_length.is_none() {
        body.check_empty().await?;
    }
    let (body, report) = body.with_checks(checks.with_repr_digest(digest));
    let limit = creation.length.unwrap_or(upload_max);
    let mut source = Source::new(body, creation.content_length, Some(limit));
    // Checked before anything is created: the file may be empty, but not interrupted.
    let is_empty = creation.complete && !source.has_bytes().await;
    if is_empty && source.is_interrupted() {
        return Err(interrupted());
    }
    let none = is_empty.then_some(ByteCount::ZERO);
    let new = NewUpload {
        file_name,
        length: creation.length.or(none),
        content_type: creation.content_type,
        metadata: creation.metadata,
        kind: UploadKind::Regular,
    };
    let created = create(instance, &caller, new).await?;
    let options = ReceiveOptions {
        request_bytes: creation.content_length.or(none),
        complete_at_end: creation.complete,
        atomic,
        keep_open: !creation.complete,
        ..ReceiveOptions::default()
    };
    let mut appended = append_first(instance, &created, options, source).await?;
    if creation.complete && matches!(appended, Appended::Stored { .. }) {
        // The client disconnected without the URL, and could not continue.
        appended = Appended::Rejected { error: interrupted(), durable: None };
    }
    let digest = report.into_report().checks.into_repr_digest();
    repr_digest::store(instance, &created.id, digest.as_ref(), &appended).await?;
    let response = creation_response(instance, version, &created, appended, digest.as_ref()).await;
    Ok(with_token(instance, response, &created.record))
}

/// `PATCH /v1/files/{id}`.
pub(crate) async fn patch(
    instance: &Rc<Instance>,
    caller: &Caller,
    head: &RequestHead,
    version: InteropVersion,
    id: &UploadId,
    body: RequestBody,
) -> Result<Response> {
    let request = AppendRequest::parse(head, version)?;
    let checks = ContentChecks::from_digest_fields(head, false);
    let is_checked = !checks.is_empty();
    let mut digest = repr_digest::load(instance, id, request.offset).await?;
    // From -12 on, the digest of a PATCH is that of the patch.
    if let Some(digest) = digest.as_mut().filter(|_| version < InteropVersion::V9) {
        digest.set_expected(head);
    }
    // A file whose digest has to match is completed after the digest is verified.
    let is_verified = request.complete && digest.as_ref().is_some_and(ReprDigestState::is_expected);
    let (body, report) = body.with_checks(checks.with_repr_digest(digest));
    let params = AppendParams {
        complete_at_end: request.complete && !is_verified,
        keep_open: !request.complete || is_verified,
        atomic: is_checked,
        ..append_params(&request, body)
    };
    let (status, mut appended) = append(instance, caller, id, params).await?;
    if is_empty_file(&request, &appended) {
        let none = Some(ByteCount::ZERO);
        let body = RequestBody::empty(instance.ports.clone());
        let params =
            AppendParams { length: none, file_length: none, ..append_params(&request, body) };
        appended = append(instance, caller, id, params).await?.1;
    }
    let report = report.into_report();
    let has_ended = report.has_ended;
    let digest = report.checks.into_repr_digest();
    if let (true, Some(digest), Appended::Stored { durable, .. }) =
        (is_verified, &digest, &appended)
    {
        let verified = repr_digest::verify(instance, caller, id, digest, *durable).await?;
        appended = verified.unwrap_or(appended);
    }
    repr_digest::store(instance, id, digest.as_ref(), &appended).await?;
    if let Appended::Stored { durable, .. } = appended
        && !is_acknowledgeable(&request, durable, has_ended)
    {
        let error = Error::new(ErrorKind::TakenOver, "the request was stopped before its end");
        appended = Appended::Rejected { error, durable: Some(durable) };
    }
    let record = &status.record;
    Ok(match appended {
        // The client did not receive the response that the upload is complete (-12 §4.4.2).
        Appended::Completed(object)
            if status.is_completed() && request.complete && version >= InteropVersion::V9 =>
        {
            syntax::completion_response(version, None, record, &object)
        }
        Appended::Completed(_) if status.is_completed() => {
            let message = "the upload is complete and accepts no more bytes";
            let error = Error::new(ErrorKind::UploadEnded, message);
            rejected(instance, version, &status, &request, &error, Some(status.durable()))
        }
        Appended::Completed(object) => with_digest(
            syntax::completion_response(version, None, record, &object),
            digest.as_ref(),
        ),
        Appended::Stored { durable, .. } => {
            let limits = advertised_limits(instance, upload_expires_at(instance));
            syntax::append_response(version, durable, &record.media_id, &limits)
        }
        Appended::Rejected { error, durable } => {
            // A checked request that is interrupted also has another length, but is harmless.
            let exceeds_length = error.kind() == ErrorKind::LengthMismatch
                && !status.is_completed()
                && status.length().is_some_and(|length| {
                    request.exceeds(length) || request.content_length.is_none() && !is_checked
                });
            if exceeds_length {
                // "the upload resource MUST be invalidated": the bytes are not those of one file.
                let credential = credential(instance, caller, id, record).await?;
                let _ = abort(instance, id, record, credential).await;
            }
            let durable = durable.filter(|_| !exceeds_length);
            rejected(instance, version, &status, &request, &error, durable)
        }
    })
}

fn append_params(request: &AppendRequest, body: RequestBody) -> AppendParams {
    AppendParams {
        offset: request.offset,
        length: request.content_length,
        file_length: request.length,
        complete_at_end: request.complete,
        keep_open: !request.complete,
        atomic: false,
        body,
    }
}

/// Returns true if a request of undeclared length completes an upload without bytes: only then is
/// it known that the representation is empty.
fn is_empty_file(request: &AppendRequest, appended: &Appended) -> bool {
    let Appended::Rejected { error, .. } = appended else { return false };
    request.complete && request.length.is_none() && error.kind() == ErrorKind::FileEmpty
}

/// Returns true if a 2xx may respond to an incomplete upload: it acknowledges all content of the
/// request, which must not have declared the upload complete (-13 §4.4.2).
fn is_acknowledgeable(request: &AppendRequest, durable: ByteCount, has_ended: bool) -> bool {
    let is_stored = request.end().map_or(has_ended, |end| durable >= end);
    is_stored && !request.complete
}

/// `HEAD /v1/files/{id}`.
pub(crate) async fn offset(
    instance: &Rc<Instance>,
    caller: &Caller,
    version: InteropVersion,
    id: &UploadId,
) -> Result<Response> {
    let status = offset_status(instance, caller, id).await?;
    let limits = advertised_limits(instance, status.expires_at);
    Ok(syntax::head_response(version, &status, &limits))
}

/// The response to a creation. Its Location is the upload's URL if the client can continue.
async fn creation_response(
    instance: &Rc<Instance>,
    version: InteropVersion,
    created: &CreatedUpload,
    appended: Appended,
    digest: Option<&ReprDigestState>,
) -> Response {
    let CreatedUpload { id, record, .. } = created;
    let limits = advertised_limits(instance, upload_expires_at(instance));
    let (error, durable) = match appended {
        Appended::Completed(object) => {
            return with_digest(
                syntax::completion_response(version, Some(id), record, &object),
                digest,
            );
        }
        Appended::Stored { durable, .. } => {
            return syntax::creation_response(version, id, &record.media_id, durable, &limits);
        }
        Appended::Rejected { error, durable } => (error, durable),
    };
    let progress =
        durable.map(|offset| OffsetState { offset, ..OffsetState::new(record.length()) });
    let rejection = ErrorContext {
        error: &error,
        progress,
        provided_offset: None,
        media_id: Some(&record.media_id),
        limits: &limits,
    };
    let response = syntax::error_response(version, &rejection);
    let can_continue = matches!(error.kind().retry(), Retry::Retryable | Retry::WithNewCredential);
    if can_continue && durable.is_some() {
        return response.with_location(id);
    }
    // No client gets the upload's URL: its parts would remain until it expires.
    let _ = abort(instance, id, record, Some(created.credential.clone())).await;
    response
}

fn rejected(
    instance: &Instance,
    version: InteropVersion,
    status: &UploadStatus,
    request: &AppendRequest,
    error: &Error,
    durable: Option<ByteCount>,
) -> Response {
    let limits = advertised_limits(instance, status.expires_at);
    let progress = durable.map(|offset| OffsetState { offset, ..OffsetState::from_status(status) });
    let is_misplaced = error.kind() == ErrorKind::OffsetMismatch;
    let rejection = ErrorContext {
        error,
        progress,
        provided_offset: is_misplaced.then_some(request.offset),
        media_id: Some(&status.record.media_id),
        limits: &limits,
    };
    syntax::error_response(version, &rejection)
}

/// The response to a request that completed the file, with its digest if its client has requested
/// it.
fn with_digest(response: Response, digest: Option<&ReprDigestState>) -> Response {
    match digest.and_then(|digest| digest.field_value_at(digest.bytes())) {
        Some(digest) => response.with_header(REPR_DIGEST, digest),
        None => response,
    }
}
