//! `PUT` and `POST /v1/uploads/{file-name}`: a file in one request.

use std::rc::Rc;

use vod_uploader::Result;
use vod_uploader::http::{self, Metadata, PlainFile, RequestHead, Response, problem_response};
use vod_uploader::upload::UploadKind;

use crate::body::RequestBody;
use crate::instance::Instance;
use crate::request::Caller;
use crate::session::Source;
use crate::upload::create::{NewUpload, check_caller, file_name};
use crate::upload::limits::too_large;
use crate::upload::media_record::with_token;
use crate::upload::single_request::{SingleRequestUpload, upload_single_request};

/// `PUT` and `POST /v1/uploads/{file-name}`.
pub(crate) async fn put(
    instance: &Rc<Instance>,
    caller: &Caller,
    head: &RequestHead,
    path_segment: &str,
    body: RequestBody,
) -> Result<Response> {
    let file = PlainFile::parse(head, path_segment)?;
    let upload_max = instance.config.upload_max;
    if file.length.is_some_and(|length| length > upload_max) {
        return Err(too_large(instance.config.upload_max));
    }
    let file_name = file_name(instance, &file.file_name)?;
    check_caller(instance, caller).await?;
    let source = Source::new(body, file.length, Some(file.length.unwrap_or(upload_max)));
    let new = NewUpload {
        file_name,
        length: file.length,
        content_type: file.content_type,
        metadata: Metadata::default(),
        kind: UploadKind::Regular,
    };
    let file = SingleRequestUpload { new, source, has_url: false };
    match upload_single_request(instance, caller, file).await? {
        (created, Ok(object)) => Ok(http::created(&created.record, &object)),
        (created, Err(error)) => {
            let problem = problem_response(&error, Some(&created.record.media_id));
            Ok(with_token(instance, problem, &created.record))
        }
    }
}
