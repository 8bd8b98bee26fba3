//! The state of an upload as JSON, and the requests of its owner.

use std::rc::Rc;

use ::http::StatusCode;
use vod_uploader::Result;
use vod_uploader::http::ietf::{self as syntax, InteropVersion};
use vod_uploader::http::{Response, UploadStatus};
use vod_uploader::upload::UploadId;

use crate::body::RequestBody;
use crate::instance::Instance;
use crate::request::Caller;
use crate::upload::limits::advertised_limits;
use crate::upload::replace_credential::replace_credential;
use crate::upload::{pause, read_only_status};

/// `GET /v1/files/{id}`.
pub(crate) async fn get(
    instance: &Rc<Instance>,
    caller: &Caller,
    version: InteropVersion,
    id: &UploadId,
) -> Result<Response> {
    Ok(status_response(instance, version, &read_only_status(instance, caller, id).await?))
}

/// `POST /v1/files/{id}/pause`.
pub(crate) async fn pause(
    instance: &Rc<Instance>,
    caller: &Caller,
    id: &UploadId,
) -> Result<Response> {
    Ok(status_response(
        instance,
        InteropVersion::NEWEST,
        &pause::pause(instance, caller, id).await?,
    ))
}

/// `POST /v1/files/{id}/resume`.
pub(crate) async fn resume(
    instance: &Rc<Instance>,
    caller: &Caller,
    id: &UploadId,
) -> Result<Response> {
    Ok(status_response(
        instance,
        InteropVersion::NEWEST,
        &pause::resume(instance, caller, id).await?,
    ))
}

/// `POST /v1/files/{id}/credential`.
pub(crate) async fn credential(
    instance: &Rc<Instance>,
    caller: &Caller,
    id: &UploadId,
    body: RequestBody,
) -> Result<Response> {
    replace_credential(instance, caller, id, body).await?;
    Ok(Response::empty(StatusCode::NO_CONTENT))
}

/// The state, with the headers for clients of the IETF draft.
fn status_response(
    instance: &Instance,
    version: InteropVersion,
    status: &UploadStatus,
) -> Response {
    let limits = advertised_limits(instance, status.expires_at);
    syntax::with_status_headers(version, status.response(), status, &limits)
}
