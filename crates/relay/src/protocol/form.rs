//! `POST /v1/uploads`: a form with files, which are stored in order as they arrive.

use std::rc::Rc;

use ::http::header::CONTENT_TYPE;
use vod_uploader::credential::Secret;
use vod_uploader::http::form::{
    Boundary, FailedMedia, FormFields, FormResponse, PartHeaders, form_file_name, missing_file,
};
use vod_uploader::http::header::{UPLOAD_ADDRESS, UPLOAD_AUTH};
use vod_uploader::http::{Metadata, RequestHead, Response};
use vod_uploader::upload::{CompletedObject, UploadKind};
use vod_uploader::{Error, ErrorKind, Result};

use crate::body::{FilePartBody, FormBody, FormPart, RequestBody, interrupted};
use crate::instance::Instance;
use crate::request::Caller;
use crate::session::Source;
use crate::upload::create::{CreatedUpload, NewUpload, file_name};
use crate::upload::media_record;
use crate::upload::single_request::{SingleRequestUpload, upload_single_request};

/// A file of a form that was not stored.
pub(super) struct FormFileError {
    pub(super) error: Error,
    /// The media that a new upload may continue.
    pub(super) media: FailedMedia,
}

impl From<Error> for FormFileError {
    fn from(error: Error) -> Self {
        Self { error, media: FailedMedia::default() }
    }
}

/// The result of one file of a form; `None` if the user selected no file.
pub(super) type FormFileResult = Result<Option<(CreatedUpload, CompletedObject)>, FormFileError>;

/// `POST /v1/uploads`.
pub(crate) async fn post(
    instance: &Rc<Instance>,
    head: &RequestHead,
    body: RequestBody,
) -> Result<Response> {
    let boundary = Boundary::from_content_type(head.header(CONTENT_TYPE))?;
    // One of the two values may be in a field.
    if [UPLOAD_ADDRESS, UPLOAD_AUTH].iter().all(|name| head.header(name).is_some()) {
        Caller::new(instance, head).credential()?;
    }
    let form = FormBody::new(body, &boundary);
    let mut fields = FormFields::default();
    let mut response = FormResponse::default();
    if let Err(error) = process_parts(instance, head, form, &mut fields, &mut response).await {
        response.set_truncated(&error);
    } else if response.is_empty() {
        response.set_truncated(&missing_file());
    } else if let Err(error) = fields.check_used() {
        response.set_truncated(&error);
    }
    Ok(response.into_response(head, fields.redirect()))
}

/// Processes all parts of the form. A file that cannot be stored does not affect the next ones.
///
/// # Errors
/// Returns the errors of reading the form. Files that were stored before remain.
async fn process_parts(
    instance: &Rc<Instance>,
    head: &RequestHead,
    mut form: FormBody,
    fields: &mut FormFields,
    response: &mut FormResponse,
) -> Result<()> {
    // Credentials in the request's headers are for one object, hence for the first file only.
    let mut head = head.clone();
    while let Some(part) = form.next_part().await? {
        let part = match part {
            FormPart::Field(field) => {
                fields.take(&field, &instance.config.redirect_origins)?;
                continue;
            }
            FormPart::File(part) => part,
        };
        let metadata = fields.for_file();
        let caller = Caller::with_metadata(instance, &head, &metadata);
        let stored;
        (form, stored) = store_file(instance, &caller, form, &part, metadata, false).await?;
        match stored {
            Ok(None) => continue,
            Ok(Some((created, object))) => {
                response.add_stored(&part.field, &created.record, &object)
            }
            Err(FormFileError { error, media }) => {
                let name = part.file_name.as_deref().unwrap_or_default();
                response.add_failed(&part.field, name, &error, media);
            }
        }
        head = head.without_upload_headers();
    }
    Ok(())
}

/// Stores the current file of `form`. `has_url`: the response contains the upload's ID. Browsers
/// send a file input without a selected file with an empty name and no bytes.
///
/// # Errors
/// Returns [`ErrorKind::Internal`] if the rest of the form cannot be read.
pub(super) async fn store_file(
    instance: &Rc<Instance>,
    caller: &Caller,
    form: FormBody,
    part: &PartHeaders,
    metadata: Metadata,
    has_url: bool,
) -> Result<(FormBody, FormFileResult)> {
    let (body, returned) = form.into_file();
    let mut source = Source::new(body, None, Some(instance.config.upload_max));
    if source.has_bytes().await {
        let stored = store_part(instance, caller, part, metadata, source, has_url).await;
        return Ok((returned.form().await?, stored.map(Some)));
    }
    drop(source);
    let form = returned.form().await?;
    let stored = match part.file_name.as_deref() {
        _ if !form.is_file_complete() => Err(interrupted().into()),
        None | Some("") => Ok(None),
        Some(_) => Err(Error::new(ErrorKind::FileEmpty, "the file has no bytes").into()),
    };
    Ok((form, stored))
}

async fn store_part(
    instance: &Rc<Instance>,
    caller: &Caller,
    part: &PartHeaders,
    metadata: Metadata,
    source: Source<FilePartBody>,
    has_url: bool,
) -> Result<(CreatedUpload, CompletedObject), FormFileError> {
    let hint = form_file_name(part.file_name.as_deref().unwrap_or_default())
        .or_media_type(part.content_type.as_deref());
    let new = NewUpload {
        file_name: file_name(instance, &hint)?,
        length: None,
        content_type: part.content_type.clone(),
        metadata,
        kind: UploadKind::Regular,
    };
    let file = SingleRequestUpload { new, source, has_url };
    let (created, outcome) = upload_single_request(instance, caller, file).await?;
    match outcome {
        Ok(object) => Ok((created, object)),
        Err(error) => {
            let token = media_record::token(instance, &created.record).map(Secret::new);
            let media = FailedMedia { media_id: created.record.media_id, token };
            Err(FormFileError { error, media })
        }
    }
}
