//! `/v1/filepond`: files of FilePond's built-in uploader, in one request or in chunks.

mod create_upload;

use std::rc::Rc;

use ::http::StatusCode;
use ::http::header::CONTENT_TYPE;
use vod_uploader::http::form::{Boundary, Field, FormFields, missing_file};
use vod_uploader::http::header::{MEDIA_TOKEN, UPLOAD_OFFSET};
use vod_uploader::http::{
    self, FilePondCall, FilePondChunk, FilePondTransfer, Metadata, REVERT_BYTES_MAX, RequestHead,
    Response, UploadStatus, filepond_offset, filepond_stored, metadata_fields, problem_response,
    transfer_created,
};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::UploadId;
use vod_uploader::{Error, Result};

use self::create_upload::create_upload;
use super::form::{FormFileError, store_file};
use crate::body::{ByteStream, FormBody, FormPart, RequestBody, interrupted};
use crate::instance::Instance;
use crate::request::Caller;
use crate::upload::append::{AppendParams, Appended, append};
use crate::upload::filepond_transfer::{self as transfer, check_exists};
use crate::upload::media_record::{self, with_token};

use crate::upload::offset::completed_status;
use crate::upload::terminate::terminate;
use crate::upload::{existing, not_found};

/// Every request of FilePond; `id` is the path after `/v1/filepond/`.
pub(crate) async fn handle(
    instance: &Rc<Instance>,
    caller: &Caller,
    head: &RequestHead,
    id: &str,
    body: RequestBody,
) -> Result<Response> {
    let call = FilePondCall::parse(head, id, instance.config.upload_max)?;
    // Invalid values in headers are rejected before the body is read.
    caller.credential()?;
    caller.media()?;
    match call {
        FilePondCall::Start { length } => start_chunked(instance, head, length, body).await,
        FilePondCall::Process => process(instance, head, body).await,
        FilePondCall::Chunk(request) => chunk(instance, caller, head, &request, body).await,
        FilePondCall::Offset(id) => {
            let transfer = transfer::load(instance, &id).await?;
            let status = existing(completed_status(instance, caller, &id).await)?;
            check_exists(&transfer, status.as_ref())?;
            let durable = status.map_or(ByteCount::ZERO, |status| status.durable());
            Ok(filepond_offset(transfer.resume_offset(durable), &transfer))
        }
        FilePondCall::Revert(id) => {
            let id = match id {
                Some(id) => id,
                None => http::id_in_body(&body.read_to_end(REVERT_BYTES_MAX).await?)?,
            };
            revert(instance, caller, &id).await
        }
    }
}

/// Starts a chunked file. Its name, which VOD requires for the media, comes with the first chunk.
async fn start_chunked(
    instance: &Rc<Instance>,
    head: &RequestHead,
    length: ByteCount,
    body: RequestBody,
) -> Result<Response> {
    let metadata = read_form_metadata(instance, head, body).await?;
    let caller = Caller::with_metadata(instance, head, &metadata);
    // Invalid values are rejected before the client sends any bytes.
    let credential = caller.credential()?;
    if let (None, Some(claim)) = (&credential, caller.media()?) {
        media_record::verify(instance, &claim).await?;
    }
    let id = UploadId::from_random(instance.ports.random.bits128());
    let transfer = FilePondTransfer::new(instance.now(), length, &metadata);
    transfer::create(instance, &id, &transfer).await?;
    if let Some(credential) = credential {
        transfer::credential_source(instance, &id).store(&credential).await?;
    }
    Ok(transfer_created(&id, ""))
}

/// The metadata of the file in a form; files in it are skipped.
async fn read_form_metadata(
    instance: &Instance,
    head: &RequestHead,
    body: RequestBody,
) -> Result<Metadata> {
    let mut fields = FormFields::default();
    let content_type = head.header(CONTENT_TYPE);
    if content_type.is_none() {
        return Ok(fields.for_file());
    }
    let mut form = FormBody::new(body, &Boundary::from_content_type(content_type)?);
    while let Some(part) = form.next_part().await? {
        if let FormPart::Field(field) = part {
            take_metadata_field(instance, &mut fields, field)?;
        }
    }
    Ok(fields.for_file())
}

fn take_metadata_field(instance: &Instance, fields: &mut FormFields, field: Field) -> Result<()> {
    let origins = &instance.config.redirect_origins;
    metadata_fields(field).into_iter().try_for_each(|field| fields.take(&field, origins))
}

/// A form with one file.
async fn process(
    instance: &Rc<Instance>,
    head: &RequestHead,
    body: RequestBody,
) -> Result<Response> {
    let boundary = Boundary::from_content_type(head.header(CONTENT_TYPE))?;
    let mut form = FormBody::new(body, &boundary);
    let mut fields = FormFields::default();
    let mut created = None;
    while let Some(part) = form.next_part().await? {
        let part = match part {
            FormPart::Field(field) => {
                take_metadata_field(instance, &mut fields, field)?;
                continue;
            }
            FormPart::File(part) => part,
        };
        if created.is_some() {
            form = reject_file(form).await?;
            continue;
        }
        let metadata = fields.for_file();
        let caller = Caller::with_metadata(instance, head, &metadata);
        let stored;
        (form, stored) = store_file(instance, &caller, form, &part, metadata, true).await?;
        match stored {
            Ok(stored) => created = stored.map(|(created, _)| created),
            Err(FormFileError { error, media }) => {
                let problem = problem_response(&error, Some(&media.media_id));
                return Ok(match media.token {
                    Some(token) => problem.with_header(MEDIA_TOKEN, token.expose()),
                    None => problem,
                });
            }
        }
    }
    let created = created.ok_or_else(missing_file)?;
    Ok(transfer_created(&created.id, &created.record.media_id))
}

/// Checks that the second file input of a form has no file.
async fn reject_file(form: FormBody) -> Result<FormBody> {
    let (mut file, returned) = form.into_file();
    let (bytes, _) = file.read(Vec::with_capacity(1)).await;
    if !bytes.is_empty() {
        return Err(Error::field_invalid("file", "a single file in a form of FilePond"));
    }
    drop(file);
    returned.form().await
}

/// A chunk. The first one creates the upload.
async fn chunk(
    instance: &Rc<Instance>,
    caller: &Caller,
    head: &RequestHead,
    chunk: &FilePondChunk,
    mut body: RequestBody,
) -> Result<Response> {
    let (transfer, mut status) = transfer::status(instance, &chunk.id).await?;
    transfer.check(chunk)?;
    if status.is_none() && chunk.offset == ByteCount::ZERO {
        create_upload(instance, head, chunk).await?;
        (_, status) = transfer::status(instance, &chunk.id).await?;
    }
    let durable = status.as_ref().map_or(ByteCount::ZERO, UploadStatus::durable);
    let known = match chunk.known_len(durable) {
        Ok(known) => known,
        Err(error) => {
            return Ok(problem_at(&error, None, Some(transfer.resume_offset(durable))));
        }
    };
    if let Some(status) = &status
        && chunk.length == Some(known)
        && is_chunk_complete(status, chunk)
    {
        return Ok(filepond_stored(durable, &status.record.media_id));
    }
    discard(&mut body, known).await?;
    let params = AppendParams {
        offset: chunk.offset + known,
        length: chunk.length.map(|length| length - known),
        file_length: Some(chunk.file_length),
        complete_at_end: false,
        keep_open: false,
        atomic: false,
        body,
    };
    let (status, appended) = append(instance, caller, &chunk.id, params).await?;
    let media_id = &status.record.media_id;
    Ok(match appended {
        Appended::Stored { durable, .. } => {
            with_token(instance, filepond_stored(durable, media_id), &status.record)
        }
        Appended::Completed(object) => filepond_stored(ByteCount(object.size_bytes), media_id),
        Appended::Rejected { error, durable } => problem_at(&error, Some(media_id), durable),
    })
}

/// The response to a rejected chunk, with the offset at which the client continues.
fn problem_at(error: &Error, media_id: Option<&str>, offset: Option<ByteCount>) -> Response {
    let problem = problem_response(error, media_id);
    match offset {
        Some(offset) => problem.with_header(UPLOAD_OFFSET, offset.bytes()),
        None => problem,
    }
}

/// Terminates the upload. If the file is stored, its records are deleted; its object belongs to
/// VOD.
async fn revert(instance: &Rc<Instance>, caller: &Caller, id: &UploadId) -> Result<Response> {
    let transfer = existing(transfer::load(instance, id).await)?;
    let ended = existing(terminate(instance, caller, id).await)?;
    if transfer.is_none() && ended.is_none() {
        return Err(not_found());
    }
    transfer::delete(instance, id).await?;
    Ok(Response::empty(StatusCode::NO_CONTENT))
}

/// Returns true if a chunk whose bytes are all stored requires no work: the last chunk may still
/// have to complete the upload.
fn is_chunk_complete(status: &UploadStatus, chunk: &FilePondChunk) -> bool {
    status.is_completed() || status.durable() < chunk.file_length
}

/// Reads and discards `length` bytes.
///
/// # Errors
/// Returns [`vod_uploader::ErrorKind::LengthMismatch`] if the body is shorter.
async fn discard(body: &mut RequestBody, length: ByteCount) -> Result<()> {
    let mut remaining = length.bytes();
    while remaining > 0 {
        let room = usize::try_from(remaining.min(DISCARD_BYTES)).unwrap_or_default();
        // A boxed slice has no spare capacity: no byte after these is read.
        let mut buffer = vec![0; room].into_boxed_slice().into_vec();
        buffer.clear();
        let (read, end) = body.read(buffer).await;
        remaining -= (read.len() as u64).min(remaining);
        if end.is_some() && remaining > 0 {
            return Err(interrupted());
        }
    }
    Ok(())
}

/// Bytes per read of those that are already stored.
const DISCARD_BYTES: u64 = 64 << 10;
