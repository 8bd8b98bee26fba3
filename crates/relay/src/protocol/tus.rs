//! The requests of tus clients.

use std::rc::Rc;

use vod_uploader::http::tus::{self as syntax, Concat, CreationRequest, PatchRequest};
use vod_uploader::http::{RequestHead, Response, UploadStatus};
use vod_uploader::units::{ByteCount, UnixMillis};
use vod_uploader::upload::{ReceiveOptions, UploadId, UploadKind};
use vod_uploader::{Error, ErrorKind, Result};

use crate::body::RequestBody;
use crate::instance::Instance;
use crate::request::Caller;
use crate::session::Source;
use crate::upload::append::{AppendParams, Appended, append, append_first};
use crate::upload::concatenate::{create_final, create_partial};
use crate::upload::create::{CreatedUpload, NewUpload, create, file_name};
use crate::upload::limits::{advertised_limits, length_max};
use crate::upload::media_record::with_token;
use crate::upload::offset::completed_status;
use crate::upload::{current_status, upload_expires_at};

/// `OPTIONS`: the supported versions, extensions and limits.
pub(crate) fn options(instance: &Instance) -> Response {
    let config = &instance.config;
    let expires = config.expire_after.is_some();
    let concatenates = config.usable_temporary().is_some();
    let response = syntax::options_response(config.upload_max, expires, concatenates);
    advertised_limits(instance, None).with_options_headers(response)
}

/// `POST /v1/files`.
pub(crate) async fn post(
    instance: &Rc<Instance>,
    head: &RequestHead,
    mut body: RequestBody,
) -> Result<Response> {
    let creation = CreationRequest::parse(head, instance.config.upload_max)?;
    let caller = Caller::with_metadata(instance, head, &creation.metadata);
    let is_empty = creation.length == Some(ByteCount::ZERO);
    // A declared length has been compared with that of the file.
    if is_empty && creation.content_length.is_none() {
        body.check_empty().await?;
    }
    let created = match &creation.concat {
        Concat::Partial => {
            create_partial(instance, &caller, creation.length, &creation.metadata).await?
        }
        Concat::Regular => {
            let new = new_upload(instance, &creation, UploadKind::Regular)?;
            create(instance, &caller, new).await?
        }
        Concat::Final(partials) => {
            let new =
                new_upload(instance, &creation, UploadKind::Final { partials: partials.clone() })?;
            let (created, offset) = create_final(instance, &caller, new, partials).await?;
            let expires_at = upload_expires_at(instance).filter(|_| offset.is_none());
            return Ok(created_response(instance, &created, offset, expires_at));
        }
    };
    let appended = match creation.chunk {
        None if !is_empty => None,
        chunk => Some(append_chunk(instance, &created, chunk, body).await?),
    };
    Ok(creation_response(instance, &created, appended))
}

/// `PATCH /v1/files/{id}`.
pub(crate) async fn patch(
    instance: &Rc<Instance>,
    caller: &Caller,
    head: &RequestHead,
    id: &UploadId,
    body: RequestBody,
) -> Result<Response> {
    let chunk = match PatchRequest::parse(head) {
        Ok(chunk) => chunk,
        Err(error) => return refused_patch(instance, id, &error).await,
    };
    let atomic = !chunk.checks.is_empty();
    let (body, report) = body.with_checks(chunk.checks);
    let params = AppendParams {
        offset: chunk.offset,
        length: chunk.length,
        file_length: chunk.file_length,
        complete_at_end: false,
        keep_open: false,
        atomic,
        body,
    };
    let (status, appended) = append(instance, caller, id, params).await?;
    let media_id = &status.record.media_id;
    Ok(match appended {
        Appended::Stored { durable, expires_at } => {
            syntax::patch_response(durable, media_id, expires_at)
        }
        Appended::Completed(object) => {
            syntax::patch_response(ByteCount(object.size_bytes), media_id, None)
        }
        Appended::Rejected { error, durable } => {
            let error = report.into_report().checks.trailer_error().unwrap_or(&error).clone();
            syntax::patch_error_response(&error, durable, media_id, open_until(&status))
        }
    })
}

/// The response to a PATCH whose head is invalid. Every response to a PATCH contains the expiry
/// ("Expiration"), so the upload is read.
async fn refused_patch(instance: &Rc<Instance>, id: &UploadId, error: &Error) -> Result<Response> {
    let status = current_status(instance, id).await?;
    let media_id = &status.record.media_id;
    Ok(syntax::patch_error_response(error, None, media_id, open_until(&status)))
}

/// When an upload that accepts bytes expires.
fn open_until(status: &UploadStatus) -> Option<UnixMillis> {
    status.expires_at.filter(|_| !status.has_ended() && !status.expired)
}

/// `HEAD /v1/files/{id}`.
pub(crate) async fn offset(
    instance: &Rc<Instance>,
    caller: &Caller,
    id: &UploadId,
) -> Result<Response> {
    Ok(syntax::head_response(&completed_status(instance, caller, id).await?))
}

fn new_upload(
    instance: &Instance,
    creation: &CreationRequest,
    kind: UploadKind,
) -> Result<NewUpload> {
    Ok(NewUpload {
        file_name: file_name(instance, &creation.file_name)?,
        length: creation.length,
        content_type: creation.content_type.clone(),
        metadata: creation.metadata.clone(),
        kind,
    })
}

/// Appends the bytes of a creation.
async fn append_chunk(
    instance: &Rc<Instance>,
    created: &CreatedUpload,
    chunk: Option<PatchRequest>,
    body: RequestBody,
) -> Result<Appended> {
    let request_bytes = match &chunk {
        Some(chunk) => chunk.length,
        None => Some(ByteCount::ZERO),
    };
    let checks = chunk.map(|chunk| chunk.checks).unwrap_or_default();
    let atomic = !checks.is_empty();
    let (body, report) = body.with_checks(checks);
    let options = ReceiveOptions { request_bytes, atomic, ..ReceiveOptions::default() };
    let limit = length_max(&instance.config, &created.record);
    let source = Source::new(body, request_bytes, Some(limit));
    let appended = append_first(instance, created, options, source).await?;
    Ok(match (appended, report.into_report().checks.trailer_error()) {
        (Appended::Rejected { durable, .. }, Some(error)) => {
            Appended::Rejected { error: error.clone(), durable }
        }
        (appended, _) => appended,
    })
}

/// The response to a creation, which succeeds whatever the result of the bytes: if the client can
/// continue, it has the offset.
fn creation_response(
    instance: &Instance,
    created: &CreatedUpload,
    appended: Option<Appended>,
) -> Response {
    let expires_at = upload_expires_at(instance);
    let (offset, expires_at) = match appended {
        None => (None, expires_at),
        Some(Appended::Stored { durable, expires_at }) => (Some(durable), expires_at),
        Some(Appended::Completed(object)) => (Some(ByteCount(object.size_bytes)), None),
        Some(Appended::Rejected { error, durable: Some(durable) })
            if error.kind().retry().is_later() && error.kind() != ErrorKind::DigestMismatch =>
        {
            (Some(durable), expires_at)
        }
        Some(Appended::Rejected { error, durable }) => {
            let media_id = &created.record.media_id;
            let response = syntax::patch_error_response(&error, durable, media_id, expires_at)
                .with_location(&created.id);
            return with_token(instance, response, &created.record);
        }
    };
    created_response(instance, created, offset, expires_at)
}

fn created_response(
    instance: &Instance,
    created: &CreatedUpload,
    offset: Option<ByteCount>,
    expires_at: Option<UnixMillis>,
) -> Response {
    let CreatedUpload { id, record, .. } = created;
    let response = syntax::creation_response(id, &record.media_id, offset, expires_at);
    with_token(instance, response, record)
}
